"""A person changes their own password, with the current one."""

from django.db import transaction
from django.utils.translation import gettext as _

from authpages import passwords, signals, throttles
from authpages.errors import NoPassword, TokenInvalid, WeakPassword, WrongPassword
from authpages.models import EndReason, HostedAuthSettings, Session, User
from authpages.services.known_devices import Browser, forget_devices, recognise
from authpages.services.session_locks import lock_sessions_of
from authpages.services.sessions import StartedSession, end_sessions_of, end_what_apps_hold, renew_session
from authpages.services.users import lock_user
from fastgen_backend.origin import Origin


def change_password(
    *, session: Session, current: str, new: str, origin: Origin, device_cookie: str = ""
) -> StartedSession:
    """Set a new password; the session goes on behind a new cookie or refresh token, every other one ends.

    What apps hold of it ends as well, unless one of them asks for this: that goes on with a new refresh token. Those of
    the person's own browser come back by themselves, as that is logged in.
    Open links die, and guesses at the old one count no more. The current password is asked for, lest a session left
    open becomes an account taken over (OWASP ASVS 6.2.3, 7.5.1); wrong ones count as failed logins do, so nobody
    guesses here what they may not guess there.
    Raises `NoPassword`, `WeakPassword`, `WrongPassword`, `LoginThrottled`, `PasswordLoginOff`, or `TokenInvalid` where
    the session ends meanwhile.
    """
    user = session.user
    if user.password is None:
        raise NoPassword
    _check_new(new, current, user)
    browser = recognise(email_key=user.email_key, cookie=device_cookie)
    attempt = throttles.Attempt(user.email_key, origin.ip_address, browser.device.pk if browser.device else None)
    throttles.check_login(attempt)
    stored = user.password
    right = passwords.verify_password(current, stored)
    hashed = passwords.hash_password(new) if right else ""
    with transaction.atomic():
        standing = throttles.check_login(attempt, lock=True)
        locked = lock_user(user.pk) if right else None
        if locked and locked.password == stored:
            throttles.forget_guesses(standing)
            return _change(locked, session, browser, hashed, origin)
        throttles.count_failed_login(attempt)
        reason = "wrong_current_password"
        signals.login_failed.send(sender=User, user=user, email=user.email, reason=reason, origin=origin)
    raise WrongPassword


def _check_new(new: str, current: str, user: User) -> None:
    """Raise `WeakPassword` as at sign-up, and for the one there is: who sets that anew believes it is changed."""
    try:
        product = HostedAuthSettings.load().product_name
        passwords.check_password_is_good(new, email=user.email, product_name=product)
    except WeakPassword as weak:
        raise WeakPassword(weak.detail, field="newPassword") from None
    if passwords.normalise(new) == passwords.normalise(current):
        raise WeakPassword(_("Choose another one than the current password."), field="newPassword")


def _change(user: User, session: Session, browser: Browser, hashed: str, origin: Origin) -> StartedSession:
    lock_sessions_of(user)  # all in one order, before its own
    renewed = renew_session(session=session)
    if renewed is None:
        raise TokenInvalid(_("This session has ended; log in again."))
    user.password = hashed
    user.save(update_fields=["password"])
    user.links.void()
    forget_devices(user=user, but=browser.device)
    end_sessions_of(user=user, reason=EndReason.PASSWORD_CHANGED, origin=origin, but=session)
    end_what_apps_hold(session)
    signals.password_changed.send(sender=User, user=user, origin=origin)
    return renewed
