"""Who people are, what proves it, and how the hosted pages look and behave."""

import hashlib

from authpages.models.apps import (
    App,
    AppSession,
    AuthorizationCode,
    AuthorizationRequest,
    Consent,
    RefusedRedirect,
)
from authpages.models.hosted_settings import HostedAuthSettings
from authpages.models.keys import ApiKey, SigningKey
from authpages.models.known_devices import KnownDevice
from authpages.models.one_time_links import AuthRequest, OneTimeLink
from authpages.models.sessions import EndReason, RefreshToken, Session
from authpages.models.throttles import Throttle
from authpages.models.users import Role, User, UserRole

__all__ = [
    "ApiKey",
    "App",
    "AppSession",
    "AuthRequest",
    "AuthorizationCode",
    "AuthorizationRequest",
    "Consent",
    "EndReason",
    "HostedAuthSettings",
    "KnownDevice",
    "OneTimeLink",
    "RefreshToken",
    "RefusedRedirect",
    "Role",
    "Session",
    "SigningKey",
    "Throttle",
    "User",
    "UserRole",
    "token_hash",
]


def token_hash(token: str) -> bytes:
    """How a random token of 256 bits is kept: its SHA-256; it needs no slow hash, because it can't be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
