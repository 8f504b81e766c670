"""JSON of the lists of sessions: a person's own, and those that admins look at."""

from typing import Any

from rest_framework import serializers

from authpages.devices import device_name
from authpages.models import Session
from fastgen_backend.rest import StrictSerializer


class ListedSessionResponse(StrictSerializer):
    """A session that lives."""

    id = serializers.UUIDField()
    current = serializers.BooleanField(help_text="Whether it is the caller’s own.")
    createdAt = serializers.DateTimeField(source="created_at")
    lastSeenAt = serializers.DateTimeField(source="last_seen_at", help_text="To the minute.")
    expiresAt = serializers.DateTimeField(
        source="expires_at", help_text="Its end in any case; without use it ends before, after SESSION_IDLE_DAYS."
    )
    ipAddress = serializers.IPAddressField(source="ip_address", allow_null=True, help_text="At its beginning.")
    device = serializers.CharField(help_text="Such as ‘Firefox on Linux’, as far as the client tells.")
    authentication = serializers.CharField(help_text="How the person proved who they are: `password`.")


class SessionsResponse(StrictSerializer):
    items = ListedSessionResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


def show_listed_session(session: Session, current: Session | None = None) -> dict[str, Any]:
    """A `ListedSessionResponse`; `current` is the session of the caller, if it has one."""
    return {
        "id": str(session.pk),
        "current": session == current,
        "createdAt": session.created_at,
        "lastSeenAt": session.last_seen_at,
        "expiresAt": session.expires_at,
        "ipAddress": session.ip_address,
        "device": device_name(session.user_agent),
        "authentication": session.authentication,
    }
