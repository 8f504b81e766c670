"""Logging in with e-mail address and password."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from authpages import passwords, signals, throttles
from authpages.addresses import email_key
from authpages.errors import EmailUnverified, InvalidCredentials, NotAnAdmin, UserBlocked
from authpages.models import HostedAuthSettings, Session, User
from authpages.services.sessions import StartedSession, start_browser_session, start_token_session
from authpages.services.users import find_user, lock_user
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import Origin


class Carrier(StrEnum):
    """What will hold the session: a cookie of the hosted pages, a cookie of the console, or tokens."""

    COOKIE = "cookie"
    CONSOLE_COOKIE = "console_cookie"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Why a login is refused: the error to raise and the reason its event tells."""

    error: DomainError
    reason: str


def log_in(*, email: str, password: str, carrier: Carrier, origin: Origin) -> StartedSession:
    """Begin a session for the person with this address and password.

    Raises `InvalidCredentials` alike, in answer and time, for an unknown address and a wrong password;
    `LoginThrottled` or `PasswordLoginOff` after too many of them; and, only after the right password, `UserBlocked`,
    `EmailUnverified` or, at the console, `NotAnAdmin`. Every refusal but a throttled one is an event.
    """
    key = email_key(email)
    throttles.check_login(key, origin.ip_address)
    settings = HostedAuthSettings.load()
    user = find_user(email)
    stored = user.password if user else None
    right = passwords.verify_password(password, stored)
    rehashed = passwords.hash_password(password) if right and stored and passwords.is_outdated(stored) else None
    with transaction.atomic():
        failures = throttles.check_login(key, origin.ip_address, lock=True)
        user = _lock_verified(user, stored) if right else user
        verdict = _judge(user, right and user is not None, carrier, settings)
        if verdict:
            _leave_trace(email, user, verdict, origin)
        elif user:
            started = _let_in(user, rehashed, carrier, origin, failures=failures)
    if verdict:
        raise verdict.error
    return started


def start_session(*, user: User, carrier: Carrier, origin: Origin) -> StartedSession:
    """Begin a session in the form that `carrier` can hold. Inside the caller's transaction."""
    if carrier is Carrier.TOKENS:
        return start_token_session(user=user, origin=origin)
    kind = Session.Kind.CONSOLE if carrier is Carrier.CONSOLE_COOKIE else Session.Kind.END_USER
    return start_browser_session(user=user, origin=origin, kind=kind)


def _lock_verified(user: User | None, stored: str | None) -> User | None:
    """The user, locked, as long as the password is still the one that was verified."""
    locked = lock_user(user.pk) if user else None
    return locked if locked and locked.password == stored else None


def _judge(user: User | None, right: bool, carrier: Carrier, settings: HostedAuthSettings) -> _Verdict | None:
    if user is None or not right:
        return _Verdict(InvalidCredentials(), "invalid_credentials")
    if user.blocked:
        return _Verdict(UserBlocked(), "blocked")
    if carrier is Carrier.CONSOLE_COOKIE:
        return None if user.is_superuser else _Verdict(NotAnAdmin(), "not_an_admin")
    if settings.require_verified_email and not user.email_verified:
        return _Verdict(EmailUnverified(), "unverified")
    return None


def _leave_trace(email: str, user: User | None, verdict: _Verdict, origin: Origin) -> None:
    if isinstance(verdict.error, InvalidCredentials):
        throttles.count_failed_login(email_key(email), origin.ip_address)
    signals.login_failed.send(sender=User, user=user, email=email, reason=verdict.reason, origin=origin)


def _let_in(user: User, rehashed: str | None, carrier: Carrier, origin: Origin, *, failures: bool) -> StartedSession:
    user.last_login_at = timezone.now()
    user.password = rehashed or user.password
    user.save(update_fields=["last_login_at", "password"])
    if failures:
        throttles.forget_failed_logins(user.email_key)
    started = start_session(user=user, carrier=carrier, origin=origin)
    signals.user_logged_in.send(sender=User, user=user, session=started.session, origin=origin)
    return started
