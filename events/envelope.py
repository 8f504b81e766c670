"""The one shape in which every transport tells an event."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from events.catalog import CATALOG

if TYPE_CHECKING:
    from events.models import Event

MASK: Final = "•••"
NOT_SHOWN: Final[dict[str, str | None]] = {"token": MASK, "link": MASK}
GONE: Final[dict[str, str | None]] = {"token": None, "link": None}


def has_secret(event_type: str, stage: str) -> bool:
    """Whether an event of this type and stage comes with a one-time token and link."""
    kind = CATALOG.get((event_type, stage))
    return kind is not None and kind.secret


def envelope(event: "Event", *, secrets: dict[str, str | None] | None = None) -> dict[str, Any]:
    """The event as it is told, ready for JSON.

    `secrets` are the token and link to show, null after use or expiry; None shows `"•••"` in their place. They appear
    only in events that have them. `position` is null until the event is sequenced.
    """
    told: dict[str, Any] = {
        "id": event.public_id,
        "type": event.type,
        "timestamp": rfc3339(event.created_at),
        "position": event.position,
        "source": event.source,
    }
    if event.stage:
        told["stage"] = event.stage
    told["data"] = _documented(event, secrets)
    return told


def as_json(told: dict[str, Any]) -> bytes:
    """The bytes that are sent, and signed."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def rfc3339(moment: datetime) -> str:
    """A time in UTC with milliseconds: `2026-11-23T06:05:21.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _documented(event: "Event", secrets: dict[str, str | None] | None) -> dict[str, Any]:
    """The event's data with its secrets, in the documented order of members, which PostgreSQL's jsonb does not keep."""
    kind = CATALOG.get((event.type, event.stage))
    if kind is None:
        return dict(event.data)
    data = dict(event.data)
    if kind.secret:
        data |= NOT_SHOWN if secrets is None else secrets
    rank = {name: place for place, name in enumerate(kind.schema["properties"])}
    return dict(sorted(data.items(), key=lambda member: rank.get(member[0], len(rank))))
