"""Logging in with e-mail address and password."""

from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from authpages import passwords, signals, throttles
from authpages.addresses import email_key
from authpages.errors import EmailUnverified, InvalidCredentials, NotAnAdmin, UserBlocked
from authpages.models import HostedAuthSettings, Session, User
from authpages.services.known_devices import Browser, is_new, recognise, remember
from authpages.services.session_limit import make_room
from authpages.services.sessions import (
    StartedSession,
    renew_session,
    start_browser_session,
    start_token_session,
)
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


def log_in(
    *,
    email: str,
    password: str,
    carrier: Carrier,
    origin: Origin,
    device_cookie: str = "",
    current: Session | None = None,
) -> StartedSession:
    """Begin a session for the person with this address and password; of too many, the least used one ends.

    Where the browser's `current` session is that person's already, it goes on behind a new cookie, so that no app that
    holds it is logged out by asking who they are once more.

    Raises `InvalidCredentials` alike, in answer and time, for an unknown address and a wrong password;
    `LoginThrottled` or `PasswordLoginOff` after too many of them; and, only after the right password, `UserBlocked`,
    `EmailUnverified` or, at the console, `NotAnAdmin`. Every refusal but a throttled one is an event.
    """
    key = email_key(email)
    browser = recognise(email_key=key, cookie=device_cookie)
    attempt = throttles.Attempt(key, origin.ip_address, browser.device.pk if browser.device else None)
    throttles.check_login(attempt)
    settings = HostedAuthSettings.load()
    user = find_user(email)
    stored = user.password if user else None
    right = passwords.verify_password(password, stored)
    rehashed = passwords.hash_password(password) if right and stored and passwords.is_outdated(stored) else None
    with transaction.atomic():
        standing = throttles.check_login(attempt, lock=True)
        user = _lock_verified(user, stored) if right else user
        verdict = _judge(user, right and user is not None, carrier, settings)
        if verdict:
            _leave_trace(email, user, verdict, attempt, origin)
        elif user:
            held = current if current and current.user_id == user.pk else None
            started = _let_in(user, rehashed, carrier, browser, standing, origin, held)
    if verdict:
        raise verdict.error
    return started


def start_session(*, user: User, carrier: Carrier, origin: Origin, browser: Browser) -> StartedSession:
    """Begin a session in the form that `carrier` can hold; a browser's device is known from then on.

    Inside the caller's transaction.
    """
    if carrier is Carrier.TOKENS:
        return start_token_session(user=user, origin=origin)
    kind = Session.Kind.CONSOLE if carrier is Carrier.CONSOLE_COOKIE else Session.Kind.END_USER
    started = start_browser_session(user=user, origin=origin, kind=kind)
    return replace(started, device_cookie=remember(browser=browser, user=user, origin=origin))


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


def _leave_trace(email: str, user: User | None, verdict: _Verdict, attempt: throttles.Attempt, origin: Origin) -> None:
    if isinstance(verdict.error, InvalidCredentials):
        throttles.count_failed_login(attempt)
    signals.login_failed.send(sender=User, user=user, email=email, reason=verdict.reason, origin=origin)


def _let_in(
    user: User,
    rehashed: str | None,
    carrier: Carrier,
    browser: Browser,
    standing: throttles.Standing,
    origin: Origin,
    held: Session | None,
) -> StartedSession:
    throttles.forget_failures(standing)
    elsewhere = is_new(browser=browser, user=user, origin=origin)
    user.last_login_at = timezone.now()
    user.password = rehashed or user.password
    user.save(update_fields=["last_login_at", "password"])
    started = _go_on(held, user, browser, origin)
    if started is None:
        make_room(user=user, origin=origin)
        started = start_session(user=user, carrier=carrier, origin=origin, browser=browser)
    signals.user_logged_in.send(sender=User, user=user, session=started.session, origin=origin)
    if elsewhere:
        signals.new_device.send(sender=User, user=user, origin=origin)
    if standing.follows_many_failures:
        signals.login_after_failures.send(sender=User, user=user, failures=standing.failures, origin=origin)
    return started


def _go_on(held: Session | None, user: User, browser: Browser, origin: Origin) -> StartedSession | None:
    """The session that this browser holds of this person, behind a new cookie; None where it holds none any more."""
    renewed = renew_session(session=held, authenticated=True) if held else None
    if held is None or renewed is None:
        return None
    held.user = user
    return replace(renewed, device_cookie=remember(browser=browser, user=user, origin=origin))
