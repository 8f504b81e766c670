"""JSON in and out of the endpoints of accounts and settings."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from authpages.models import HostedAuthSettings, User
from authpages.services.hosted_settings import origins_of
from authpages.services.sessions import StartedSession
from authpages.tokens import issue_access_token
from fastgen_backend.rest import PlainJSONField, StrictSerializer

EMAIL_MAX = 1000  # what an address may be is decided by the services; this bounds the work


class EmailField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_MAX, **kwargs)


class PasswordField(serializers.CharField):
    """Taken as it is: spaces count, an empty one too; what is good enough is decided by the service."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, max_length=10_000, write_only=True, **kwargs)


class TokenField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=1000, **kwargs)


class SignUpRequest(StrictSerializer):
    email = EmailField()
    password = PasswordField()
    firstName = serializers.CharField(source="first_name", max_length=150, required=False, allow_blank=True)
    lastName = serializers.CharField(source="last_name", max_length=150, required=False, allow_blank=True)
    metadata = PlainJSONField(required=False)


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


class VerifiedResponse(StrictSerializer):
    user = UserResponse()


class HostedAuthFields(StrictSerializer):
    """Every setting of the hosted pages; what a value may be is decided by the service."""

    pagesEnabled = serializers.BooleanField(source="pages_enabled")
    callbackUrl = serializers.CharField(source="callback_url", allow_blank=True)
    allowedRedirectUrls = serializers.ListField(child=serializers.CharField(), source="allowed_redirect_urls")
    allowedOrigins = serializers.ListField(child=serializers.CharField(), source="allowed_origins", allow_null=True)
    allowSignups = serializers.BooleanField(source="allow_signups")
    requireVerifiedEmail = serializers.BooleanField(source="require_verified_email")
    builtinMailer = serializers.BooleanField(source="builtin_mailer")
    productName = serializers.CharField(source="product_name", allow_blank=True)
    logoUrl = serializers.CharField(source="logo_url", allow_blank=True)
    accentColor = serializers.CharField(source="accent_color", allow_blank=True)
    supportEmail = serializers.CharField(source="support_email", allow_blank=True)
    termsUrl = serializers.CharField(source="terms_url", allow_blank=True)
    privacyUrl = serializers.CharField(source="privacy_url", allow_blank=True)


_USER = UserResponse()  # its fields are made once: they cost more than what they show


def show_user(user: User) -> dict[str, Any]:
    """A `UserResponse`."""
    return dict(_USER.to_representation(user))


def show_session(started: StartedSession) -> dict[str, Any]:
    """A `SessionResponse`, with a new access token."""
    return {
        "id": str(started.session.pk),
        "accessToken": issue_access_token(started.session),
        "tokenType": "Bearer",
        "expiresIn": settings.ACCESS_TOKEN_SECONDS,
        "refreshToken": started.refresh_token,
    }


def show_login(started: StartedSession) -> dict[str, Any]:
    """A `LoginResponse`."""
    return {"user": show_user(started.session.user), "session": show_session(started)}


def show_hosted_settings(hosted: HostedAuthSettings) -> dict[str, Any]:
    """The settings, with the origins as they are in force."""
    return {**HostedAuthFields(hosted).data, "allowedOrigins": origins_of(hosted)}
