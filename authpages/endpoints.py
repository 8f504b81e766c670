"""Where what apps call is, by the names of the discovery document (RFC 8414, 2)."""

from django.conf import settings

PATHS = {
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/oauth/token",
    "userinfo_endpoint": "/oauth/userinfo",
    "revocation_endpoint": "/oauth/revoke",
    "introspection_endpoint": "/oauth/introspect",
    "end_session_endpoint": "/oauth/logout",
    "jwks_uri": "/.well-known/jwks.json",
}


def endpoints() -> dict[str, str]:
    """The address of each, by its name."""
    return {name: f"{settings.BASE_URL}{path}" for name, path in PATHS.items()}
