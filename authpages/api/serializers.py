"""JSON in and out of the endpoints of accounts and settings."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from authpages.models import HostedAuthSettings
from authpages.services.hosted_settings import logo_url_of, origins_of
from authpages.services.sessions import StartedSession
from authpages.shown_users import show_user
from authpages.tokens import issue_access_token, issue_app_token
from fastgen_backend.rest import PlainJSONField, StrictBooleanField, StrictCharField, StrictSerializer

EMAIL_MAX = 1000  # what an address may be is decided by the services; this bounds the work


class EmailField(StrictCharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_MAX, **kwargs)


class PasswordField(StrictCharField):
    """Taken as it is: spaces count, an empty one too; what is good enough is decided by the service."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, max_length=10_000, write_only=True, **kwargs)


class TokenField(StrictCharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1000, **kwargs)


class SignUpRequest(StrictSerializer):
    email = EmailField()
    password = PasswordField()
    firstName = StrictCharField(source="first_name", max_length=150, required=False, allow_blank=True)
    lastName = StrictCharField(source="last_name", max_length=150, required=False, allow_blank=True)
    metadata = PlainJSONField(required=False, max_bytes=None)


class ProfileRequest(StrictSerializer):
    firstName = StrictCharField(source="first_name", max_length=150, allow_blank=True)
    lastName = StrictCharField(source="last_name", max_length=150, allow_blank=True)
    locale = StrictCharField(allow_blank=True, help_text="A language tag such as `de`, for mails; empty: the default.")
    metadata = PlainJSONField(max_bytes=None)


class LoginRequest(StrictSerializer):
    email = EmailField()
    password = PasswordField()


class RefreshRequest(StrictSerializer):
    refreshToken = TokenField(source="token")


class VerificationRequest(StrictSerializer):
    email = EmailField(required=False)


class TokenRequest(StrictSerializer):
    token = TokenField()


class ResetRequest(StrictSerializer):
    email = EmailField()


class ResetSubmitRequest(StrictSerializer):
    token = TokenField()
    password = PasswordField()


class PasswordChangeRequest(StrictSerializer):
    currentPassword = PasswordField(source="current")
    newPassword = PasswordField(source="new")


class UserResponse(StrictSerializer):
    """A person, as the API shows them."""

    id = serializers.UUIDField()
    email = serializers.CharField()
    emailVerified = serializers.BooleanField(source="email_verified")
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    roles = serializers.ListField(child=serializers.CharField(), source="role_names")
    blocked = serializers.BooleanField()
    admin = serializers.BooleanField(source="is_superuser")
    locale = serializers.CharField()
    metadata = serializers.DictField()
    appMetadata = serializers.DictField(source="app_metadata")
    createdAt = serializers.DateTimeField(source="created_at")
    lastLoginAt = serializers.DateTimeField(source="last_login_at", allow_null=True)


class SessionResponse(StrictSerializer):
    """A session just begun or refreshed, with the tokens that stand for it."""

    id = serializers.UUIDField()
    accessToken = serializers.CharField()
    tokenType = serializers.ChoiceField(choices=["Bearer"])
    expiresIn = serializers.IntegerField(help_text="Seconds until the access token is over.")
    refreshToken = serializers.CharField()


class LoginResponse(StrictSerializer):
    user = UserResponse()
    session = SessionResponse()


class SignUpResponse(StrictSerializer):
    """With "require a verified address" it is empty, and alike for known and unknown addresses."""

    user = UserResponse(required=False)
    session = SessionResponse(required=False)


class RefreshResponse(StrictSerializer):
    session = SessionResponse()


class PasswordChangeResponse(StrictSerializer):
    """The session goes on by the tokens in it; with a console's cookie there are none."""

    session = SessionResponse(required=False)


class VerifiedResponse(StrictSerializer):
    user = UserResponse()


class HostedAuthFields(StrictSerializer):
    """Every setting of the hosted pages; what a value may be is decided by the service."""

    pagesEnabled = StrictBooleanField(source="pages_enabled")
    callbackUrl = StrictCharField(source="callback_url", allow_blank=True)
    allowedRedirectUrls = serializers.ListField(child=StrictCharField(), source="allowed_redirect_urls")
    allowedOrigins = serializers.ListField(child=StrictCharField(), source="allowed_origins", allow_null=True)
    allowSignups = StrictBooleanField(source="allow_signups")
    requireVerifiedEmail = StrictBooleanField(source="require_verified_email")
    builtinMailer = StrictBooleanField(source="builtin_mailer")
    productName = StrictCharField(source="product_name", allow_blank=True)
    logoUrl = StrictCharField(
        source="logo_url",
        allow_blank=True,
        help_text="It is fetched once, when it is set; empty takes the logo away. Of a logo that was sent in the "
        "console it is our own address.",
    )
    accentColor = StrictCharField(source="accent_color", allow_blank=True, help_text="Such as `#4f46e5`.")
    supportEmail = StrictCharField(source="support_email", allow_blank=True)
    termsUrl = StrictCharField(source="terms_url", allow_blank=True)
    privacyUrl = StrictCharField(source="privacy_url", allow_blank=True)


def show_session(started: StartedSession) -> dict[str, Any]:
    """A `SessionResponse`, with a new access token; that of an app, where an app holds the session."""
    held = started.app_session
    return {
        "id": str(started.session.pk),
        "accessToken": issue_app_token(held, held.scope) if held else issue_access_token(started.session),
        "tokenType": "Bearer",
        "expiresIn": settings.ACCESS_TOKEN_SECONDS,
        "refreshToken": started.refresh_token,
    }


def show_login(started: StartedSession) -> dict[str, Any]:
    """A `LoginResponse`."""
    return {"user": show_user(started.session.user), "session": show_session(started)}


def show_hosted_settings(hosted: HostedAuthSettings) -> dict[str, Any]:
    """The settings, with the origins as they are in force, and the address of a logo that was sent in the console."""
    shown = {"logoUrl": logo_url_of(hosted), "allowedOrigins": origins_of(hosted)}
    return {**HostedAuthFields(hosted).data, **shown}
