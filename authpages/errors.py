"""Every refusal of accounts, sessions, links and settings."""

from django.utils.translation import gettext
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


class WrongPassword(DomainError):
    """Someone who is logged in was asked for their password once more, and gave another one."""

    code = "wrong-password"
    title = _("This is not your current password")
    field = "currentPassword"


class NoPassword(DomainError):
    status = 409
    code = "no-password"
    title = _("This account has no password yet; set one with a link by mail (“forgot password”)")


class UserBlocked(DomainError):
    status = 403
    code = "user-blocked"
    title = _("This account is blocked")


class EmailUnverified(DomainError):
    status = 403
    code = "email-unverified"
    title = _("Please verify your e-mail address first")


class AccountBlocked(DomainError):
    """Not the person is told so, as by `UserBlocked`, but who would do something for them."""

    status = 409
    code = "account-blocked"
    title = _("This account is blocked; unblock it first")


class AlreadyVerified(DomainError):
    status = 409
    code = "already-verified"
    title = _("This e-mail address is verified already")


class LocaleUnusable(DomainError):
    code = "locale-unusable"
    title = _("This is not a language tag, such as ‘de’ or ‘pt-BR’")
    field = "locale"


class LastAdmin(DomainError):
    status = 409
    code = "last-admin"
    title = _("This is the only admin who can come in; make another one first")


class AdminProtected(DomainError):
    status = 403
    code = "admin-protected"
    title = _("Only an admin, or an API key or app with the scope *, may make an admin or change the account of one")


class OwnAccount(DomainError):
    """An admin would shut themselves out, or change their password without showing that they know the current one."""

    status = 409
    code = "own-account"
    title = _("Nobody may do this to their own account")


class RoleUnknown(DomainError):
    code = "role-unknown"
    title = _("There is no such role")
    field = "roles"


class RoleNameTaken(DomainError):
    status = 409
    code = "role-name-taken"
    title = _("There already is a role of this name, whatever the letter case")
    field = "name"


class RoleNameUnusable(DomainError):
    code = "role-name-unusable"
    title = _("A role needs a name of 1 to 100 printable characters")
    field = "name"


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


class TokenNotForApi(DomainError):
    """An access token of a third-party app: it says who someone is, and opens nothing else."""

    status = 403
    code = "token-not-for-api"
    title = _("This access token is good for /oauth/userinfo alone, because it belongs to a third-party app")


class NoKeyForApps(DomainError):
    """A key would outlive the token that made it, and the app as well."""

    status = 403
    code = "no-key-for-apps"
    title = _("Apps make no API keys; the console does, or an API key with the scope *")


class CodeInvalid(DomainError):
    code = "code-invalid"
    title = _("This authorization code is unknown, too old, or was used before")
    field = "code"


class AppHasNoSecret(DomainError):
    status = 409
    code = "app-has-no-secret"
    title = _("A public app has no secret, because it could not keep one; make a confidential app")


class DefaultAppStays(DomainError):
    status = 409
    code = "default-app-stays"
    title = _("The default app belongs to the hosted authentication settings, and can’t be deleted")


class FollowsHostedSettings(DomainError):
    """Of the default app, which has its name and its redirect URIs from there, and is always first-party."""

    status = 409
    code = "follows-hosted-settings"
    title = _(
        "The default app is first-party, and follows the hosted authentication settings: change productName, "
        "callbackUrl or allowedRedirectUrls there"
    )


class ScopesNotAllowed(DomainError):
    status = 403
    code = "scopes-not-allowed"
    title = _("These credentials may not give an app what it may do")
    field = "scopes"


class NotOpenedAsPage(DomainError):
    """A prefetch asks for what a person opens, or an image, a frame or a script for what one has to answer."""

    code = "not-opened-as-page"
    title = _("This was not opened as a page")

    def __init__(self) -> None:
        super().__init__(gettext("This is for a person to open: lead their browser here by a link or a redirect."))


class LogoutUnclear(DomainError):
    """An app sent somebody to log out, in a way that can't be understood."""

    code = "logout-unclear"
    title = _("We don’t understand what the app asked for")


class RedirectUnusable(DomainError):
    """An admin would add what an app was refused, and it can't be."""

    status = 409
    code = "redirect-unusable"
    title = _("People can’t be sent to this address")
