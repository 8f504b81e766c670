"""Every refusal of accounts, sessions, links and settings."""

from django.utils.translation import gettext_lazy as _

from fastgen_backend.errors import DomainError, TooManyRequests


class EmailTaken(DomainError):
    status = 409
    code = "email-taken"
    title = _("There already is an account with this e-mail address")
    field = "email"


class EmailUnusable(DomainError):
    code = "email-unusable"
    title = _("This is not an e-mail address that mail can be sent to")
    field = "email"


class WeakPassword(DomainError):
    code = "weak-password"
    title = _("This password is not good enough")
    field = "password"


class SignupsClosed(DomainError):
    status = 403
    code = "signups-closed"
    title = _("Sign-up is closed")


class InvalidCredentials(DomainError):
    """Deliberately the same for an unknown address and a wrong password."""

    status = 401
    code = "invalid-credentials"
    title = _("That e-mail address and password don’t match")


class UserBlocked(DomainError):
    status = 403
    code = "user-blocked"
    title = _("This account is blocked")


class EmailUnverified(DomainError):
    status = 403
    code = "email-unverified"
    title = _("Please verify your e-mail address first")


class LastAdmin(DomainError):
    status = 409
    code = "last-admin"
    title = _("This is the only admin; make another one first")


class NotAnAdmin(DomainError):
    status = 403
    code = "not-an-admin"
    title = _("This account may not use the console")


class LoginThrottled(TooManyRequests):
    code = "login-throttled"
    title = _("Too many failed attempts; please wait a little")


class PasswordLoginOff(DomainError):
    """After 100 failures in a row (NIST SP 800-63B-4, 3.2.2); a reset or an admin switches it on again."""

    status = 403
    code = "password-login-off"
    title = _("Too many failed attempts; please reset your password")


class LinkInvalid(DomainError):
    code = "link-invalid"
    title = _("This link is not valid, or it was used already")
    field = "token"


class LinkExpired(DomainError):
    code = "link-expired"
    title = _("This link is too old")
    field = "token"


class TokenInvalid(DomainError):
    """An access or refresh token that is malformed, foreign, expired, reused, or of a session that has ended."""

    status = 401
    code = "token-invalid"
    title = _("This token is not valid")


class SettingInvalid(DomainError):
    code = "setting-invalid"
    title = _("This setting can’t be used")
