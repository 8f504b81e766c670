"""Writing events into the log, in the transaction of the change that they tell."""

import json
import re
from datetime import datetime
from typing import Any, TypedDict

from django.db import IntegrityError, transaction

from events.catalog import CATALOG, CUSTOM_PATTERN, EventType
from events.envelope import NOT_SHOWN, as_json
from events.models import Event, EventSecret
from fastgen_backend import vault
from fastgen_backend.errors import DomainError, FieldError, InvalidInput
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import insert

CUSTOM_TYPE_MAX_LENGTH = 120
CUSTOM_DATA_MAX_BYTES = 64 * 1024


class Secret(TypedDict):
    """What only the mailer, handlers and trusted webhooks see; kept apart from the log, sealed, until `expires_at`."""

    token: str
    link: str
    expires_at: datetime
    internal_only: bool


class PayloadInvalid(RuntimeError):
    """A bug: our own code made an event that its catalogue entry does not describe. Rolls the change back."""


class DedupKeyReused(DomainError):
    status = 409
    code = "dedup-key-reused"
    title = "This deduplication key belongs to another event"
    field = "dedupKey"


def record_event(
    *,
    type: EventType,
    data: dict[str, Any],
    origin: Origin,
    subject: str = "",
    stage: str = "",
    secret: Secret | None = None,
) -> Event:
    """Insert one event, and its secret apart from it. Inside the caller's transaction, so that both happen or neither.

    `data` is checked against the catalogue; raises `PayloadInvalid`, or `KeyError` for a type or stage that is not in
    it. No position is given here and nobody is notified: the sequencer does both, after the commit.
    """
    kind = CATALOG[(type, stage)]
    if flaw := kind.flaw({**data, **NOT_SHOWN} if kind.secret else data):
        raise PayloadInvalid(f"{type} {flaw}")
    event = insert(
        Event(
            type=type,
            stage=stage,
            source=origin.source,
            subject=subject,
            actor=origin.actor,
            request_id=origin.request_id,
            data=data,
        )
    )
    if secret:
        sealed = vault.encrypt(json.dumps({"token": secret["token"], "link": secret["link"]}).encode())
        insert(
            EventSecret(
                event=event, sealed=sealed, expires_at=secret["expires_at"], internal_only=secret["internal_only"]
            )
        )
    return event


def record_custom_event(*, type: str, data: dict[str, Any], origin: Origin, dedup_key: str | None = None) -> Event:
    """Record an event of the developer's own, named `custom.<name>`, with at most 64 kB of data.

    The same `dedup_key` again answers the first event, as long as type and data are the same; else `DedupKeyReused`. A
    key is remembered for as long as its event is kept.
    Raises `InvalidInput` for another name or more data.
    """
    _check_custom(type, data)
    if dedup_key is not None and (first := Event.objects.filter(dedup_key=dedup_key).first()):
        return _same(first, type, data)
    event = Event(
        type=type,
        source=origin.source,
        actor=origin.actor,
        request_id=origin.request_id,
        data=data,
        dedup_key=dedup_key,
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        return _same(Event.objects.get(dedup_key=dedup_key), type, data)
    return event


def forget_secrets(*, subject: str, types: list[EventType]) -> None:
    """Delete the tokens and links of a person's events, because one was used. Inside a transaction."""
    EventSecret.objects.filter(event__subject=subject, event__type__in=types).delete()


def forget_person(*, subject: str) -> None:
    """Empty the data of what is recorded about a person; its id, type and position stay. Inside a transaction."""
    EventSecret.objects.filter(event__subject=subject).delete()
    Event.objects.filter(subject=subject).exclude(data={}).update(data={})


def _check_custom(type: str, data: dict[str, Any]) -> None:
    """Keep the names of our own events ours, and the log's rows of a size that every subscriber can take."""
    errors = []
    if len(type) > CUSTOM_TYPE_MAX_LENGTH or not re.fullmatch(CUSTOM_PATTERN, type):
        detail = f"A custom event is named custom.<name>, with {CUSTOM_TYPE_MAX_LENGTH} characters at most."
        errors.append(FieldError("/type", "invalid-type", detail))
    if len(as_json(data)) > CUSTOM_DATA_MAX_BYTES:
        detail = f"This may have {CUSTOM_DATA_MAX_BYTES:,} bytes at most, written out as JSON."
        errors.append(FieldError("/data", "too-large", detail))
    if errors:
        raise InvalidInput(errors)


def _same(first: Event, type: str, data: dict[str, Any]) -> Event:
    if (first.type, first.data) != (type, data):
        raise DedupKeyReused("An event with this dedupKey but another type or other data was recorded before.")
    return first
