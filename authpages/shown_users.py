"""How programs are shown a person: the `user` of the API, and of the answer that an app gets for a code."""

from datetime import UTC, datetime
from typing import Any

from authpages.models import User

IN_SCOPE = {
    "email": ("email", "emailVerified"),
    "profile": ("firstName", "lastName", "locale"),
    "roles": ("roles",),
}


def show_user(user: User) -> dict[str, Any]:
    """A `UserResponse`; by hand, because every session check shows one and a serializer would take a sixth of it."""
    return {
        "id": str(user.pk),
        "email": user.email,
        "emailVerified": user.email_verified,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "roles": user.role_names,
        "blocked": user.blocked,
        "admin": user.is_superuser,
        "locale": user.locale,
        "metadata": user.metadata,
        "appMetadata": user.app_metadata,
        "createdAt": _time(user.created_at),
        "lastLoginAt": _time(user.last_login_at) if user.last_login_at else None,
    }


def show_user_in_scope(user: User, scope: str) -> dict[str, Any]:
    """Of the same the members that the scope allows a third-party app to see; the id always."""
    seen = {"id", *(name for each in scope.split() for name in IN_SCOPE.get(each, ()))}
    return {name: value for name, value in show_user(user).items() if name in seen}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
