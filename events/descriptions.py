"""Every kind of event as developers are told of it: the envelope's schema, an example, the headers of a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from events.catalog import CATALOG, CUSTOM_PATTERN, CUSTOM_PREFIX, EventKind
from events.signing import SECRET_PREFIX
from fastgen_backend.origin import Source

Schema = Mapping[str, Any]

EXAMPLE_ID: Final = "evt_019aa0c27f7e7c319d2a5b8e1f4a6c02"
HOW_SIGNED: Final = (
    "Each call is signed as Standard Webhooks 1.0 has it: `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 "
    f"over `{{webhook-id}}.{{webhook-timestamp}}.{{body}}`, keyed with what follows `{SECRET_PREFIX}` in the secret, "
    "decoded from base64. For 24 hours after a rotation there are two signatures, parted by a space. Any library of "
    "Standard Webhooks or Svix verifies them. Answer any 2xx in time; everything else is tried again. A call may "
    "come more than once: the `webhook-id` is the event's id and stays the same."
)
HEADERS: Final[Mapping[str, Schema]] = {
    "webhook-id": {
        "type": "string",
        "pattern": "^evt_[0-9a-f]{32}$",
        "description": "The event's id, the same at every try: what was handled by this id once is done.",
    },
    "webhook-timestamp": {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "When this call was made, in Unix seconds. Refuse what is older than five minutes.",
    },
    "webhook-signature": {
        "type": "string",
        "pattern": "^v1,[A-Za-z0-9+/]+=*( v1,[A-Za-z0-9+/]+=*)*$",
        "description": "One signature, or two while a secret is being rotated: one that fits is enough.",
    },
}


@dataclass(frozen=True, slots=True)
class Described:
    """One kind of event.

    `filter` names it, and no other: `auth.user_signedUp`, `auth.password_reset:requested`; `key` is that where a colon
    may not stand. `data` is the JSON Schema of its data, `envelope` that of the whole event (2020-12, and draft 7 as
    well), `example` a whole event.
    """

    type: str
    stage: str
    filter: str
    key: str
    description: str
    carries_secrets: bool
    data: Schema
    envelope: Schema
    example: Mapping[str, Any]


@cache
def described() -> list[Described]:
    """The whole catalogue by name, so that families stand together; a developer's own events come last."""
    return [*sorted(map(_of_kind, CATALOG.values()), key=lambda each: each.filter), _custom()]


def _of_kind(kind: EventKind) -> Described:
    type, stage = str(kind.type), str(kind.stage)
    return Described(
        type=type,
        stage=stage,
        filter=f"{type}:{stage}" if stage else type,
        key=f"{type}.{stage}" if stage else type,
        description=kind.description,
        carries_secrets=kind.secret,
        data=kind.schema,
        envelope=_envelope({"const": type}, stage, kind.schema),
        example=_example(type, stage, kind.example),
    )


def _custom() -> Described:
    data = {"type": "object"}
    return Described(
        type=f"{CUSTOM_PREFIX}*",
        stage="",
        filter=f"{CUSTOM_PREFIX}*",
        key="custom",
        description="An event of your own, recorded by `POST /api/v1/events`; its name and its data are yours.",
        carries_secrets=False,
        data=data,
        envelope=_envelope({"type": "string", "pattern": f"^{CUSTOM_PATTERN}$"}, "", data),
        example=_example(f"{CUSTOM_PREFIX}order_placed", "", {"orderId": 17, "total": "12.50"}),
    )


def _envelope(type: Schema, stage: str, data: Schema) -> Schema:
    properties = {
        "id": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$", "description": "The same on every transport."},
        "type": type,
        "timestamp": {"type": "string", "format": "date-time", "description": "When it happened, UTC, RFC 3339."},
        "position": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": "Its place in the log: dense from 1, and causal; null in a test.",
        },
        "source": {"enum": [source.value for source in Source], "description": "The door the change came in by."},
        **({"stage": {"const": stage}} if stage else {}),
        "data": dict(data),
    }
    test = {"const": True, "description": "Only in a test that was sent on request: this never happened."}
    return {"type": "object", "properties": {**properties, "test": test}, "required": list(properties)}


def _example(type: str, stage: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": EXAMPLE_ID,
        "type": type,
        "timestamp": "2026-11-23T06:05:21.123Z",
        "position": 1042,
        "source": Source.API.value,
        **({"stage": stage} if stage else {}),
        "data": dict(data),
    }
