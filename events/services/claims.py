"""Takes due deliveries into a worker's hands: fairly, and never more of one subscriber than it allows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import connection, transaction
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from events.envelope import GONE, as_json, envelope
from events.models import Delivery, Event, Subscriber, Webhook
from events.services.custom_headers import open_headers
from events.services.pacing import AHEAD, free_moments, take_moments
from events.services.plain_ids import as_id, stored_id
from events.services.redaction import SHORTEST_PART
from events.services.secrets import Secrets, reveal, webhook_keys

if TYPE_CHECKING:
    from django.db.models.query import QuerySet

SEALED = "No key of ours opens its secret or headers: rotate the secret, and enter the headers anew"
# One part for each subscriber: its oldest due deliveries, as many as its share, none beside another of its lane.
SHARE = """
SELECT id FROM (
    SELECT id FROM events_delivery AS free
    WHERE subscriber_id = %s AND worker IS NULL AND NOT blocked AND due_at <= %s AND (lane IS NULL OR NOT EXISTS (
        SELECT 1 FROM events_delivery AS held
        WHERE held.subscriber_id = free.subscriber_id AND held.lane = free.lane AND held.worker IS NOT NULL
    ))
    ORDER BY due_at, sequence LIMIT %s
) AS share
"""
TAKE = """
UPDATE events_delivery SET worker = %s, fence = fence + 1 WHERE id IN ({shares})
RETURNING id, subscriber_id, event_id, sequence, tries, fence, lane, replayed
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook is called, with which headers of its own, and what it is signed with, the newest key first.

    `flaw` says why it can't be called, if so.
    """

    url: str
    keys: tuple[bytes, ...]
    headers: Mapping[str, str]
    flaw: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be logged where an answer repeats it: the values of its headers, also without their scheme."""
        values = [part for value in self.headers.values() for part in (value, value.rpartition(" ")[2])]
        return tuple(value for value in values if len(value) >= SHORTEST_PART)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that `worker` holds, with all that is needed to make it; `fence` proves that it still holds it.

    `body` is the envelope as JSON; `hidden` are the secrets in it, to be kept out of what is logged. `target` is None
    for a handler, `handler` empty for a webhook. `in_lane` says that others wait for it; `begin_at`, where there is
    one, is the moment that its subscriber's pace has for it.
    """

    id: UUID
    worker: UUID
    fence: int
    tries: int
    subscriber_id: UUID
    event_id: int
    sequence: int
    public_id: str
    event_type: str
    body: bytes
    hidden: tuple[str, ...]
    target: Target | None
    handler: str
    in_lane: bool = False
    begin_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery as the database gave it."""

    worker: UUID
    id: UUID
    subscriber_id: UUID
    event_id: int
    sequence: int
    tries: int
    fence: int
    lane: str | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim brought, and whether it may have left something that is due.

    For want of room where `is_full`; for want of places, of the subscribers in `used_up`.
    """

    claims: list[Claim]
    is_full: bool = False
    used_up: frozenset[UUID] = frozenset()


def claim_deliveries(*, worker: UUID, room: int, handlers: Collection[str]) -> Claimed:
    """Lease at most `room` due deliveries to `worker`, those of a handler only where it is one of `handlers`.

    Subscribers are locked while their shares are measured, those that another worker is at are left to it, so that one
    never has more than `max_concurrency` in flight, whoever claims. Where the room is too small for all, it is divided
    evenly and drawn by lot, so that a slow subscriber takes its own share at most. Nothing is taken of a webhook whose
    circuit is open, and one probe, alone, when its time has come; nor while it is being put in another order.
    """
    now = timezone.now()
    waiting = _waiting(now, handlers)
    if room < 1 or not waiting.exists():
        return Claimed([])
    with transaction.atomic():
        locked = waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("?")[:room]
        subscribers = {subscriber.pk: subscriber for subscriber in locked}
        shares = fair_shares(room, _free_places(subscribers, now))
        taken = _take(worker, shares, now) if shares else []
        used = Counter(lease.subscriber_id for lease in taken)
        moments = {pk: take_moments(subscribers[pk], count, now) for pk, count in used.items()}
    is_full = room in (len(subscribers), len(taken))
    used_up = frozenset(pk for pk, share in shares.items() if used[pk] == share)
    return Claimed(_claims(taken, subscribers, moments), is_full, used_up)


def fair_shares(room: int, wishes: dict[UUID, int]) -> dict[UUID, int]:
    """Divide `room` so that nobody gets more than wished, and those who wished alike get alike, give or take one."""
    shares: dict[UUID, int] = {}
    ascending = sorted((pk for pk in wishes if wishes[pk] > 0), key=lambda pk: wishes[pk])
    for served, pk in enumerate(ascending):
        share = min(wishes[pk], -(-room // (len(ascending) - served)))
        if share:
            shares[pk] = share
            room -= share
    return shares


def _waiting(now: datetime, handlers: Collection[str]) -> QuerySet[Subscriber]:
    """Who has something due and, as far as can be seen without a lock, a free place for it.

    One look into an index for each, however long its backlog is: an EXISTS would become a join with all of it.
    """
    free = Delivery.objects.filter(subscriber=OuterRef("pk"), worker=None, blocked=False)
    next_due = Subquery(free.order_by("due_at", "sequence").values("due_at")[:1])
    ours = Q(kind=Subscriber.Kind.WEBHOOK) | Q(handler__in=handlers)
    paced = Q(paced_until=None) | Q(paced_until__lte=now + AHEAD)
    called = Q(webhook__open_until=None) | Q(webhook__open_until__lte=now)
    arranged = Q(webhook__arranged_up_to=None) | Q(webhook__mode=Webhook.Mode.PARALLEL)
    subscribers = Subscriber.objects.alias(next_due=next_due).filter(ours, paced, called, arranged, enabled=True)
    return subscribers.filter(next_due__lte=now, max_concurrency__gt=_in_flight())


def _free_places(subscribers: Mapping[UUID, Subscriber], now: datetime) -> dict[UUID, int]:
    """How many more each may have in flight: counted in a statement after the lock, which sees what others took."""
    most = Case(
        When(webhook__open_until__gt=now, then=0),
        When(~Q(webhook__mode=Webhook.Mode.PARALLEL), webhook__arranged_up_to__isnull=False, then=0),
        When(webhook__open_until__lte=now, then=1),  # the probe
        default=F("max_concurrency"),
        output_field=IntegerField(),
    )
    enabled = Subscriber.objects.filter(pk__in=subscribers, enabled=True).annotate(places=most - _in_flight())
    return {
        pk: places if (at_pace := free_moments(subscribers[pk], now)) is None else min(places, at_pace)
        for pk, places in enabled.values_list("pk", "places")
    }


def _in_flight() -> Coalesce:
    """How many deliveries of a subscriber are held, by whichever worker."""
    held = Delivery.objects.filter(subscriber=OuterRef("pk"), worker__isnull=False).order_by().values("subscriber")
    return Coalesce(Subquery(held.annotate(number=Count("pk")).values("number")), 0)


def _take(worker: UUID, shares: dict[UUID, int], now: datetime) -> list[Taken]:
    """Write the leases; tells them in the order of their promises."""
    params: list[Any] = [stored_id(worker)]
    for pk, share in shares.items():
        params += [stored_id(pk), connection.ops.adapt_datetimefield_value(now), share]
    statement = TAKE.format(shares=" UNION ALL ".join([SHARE] * len(shares)))
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows = [_taken(worker, *row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda taken: taken.sequence)


def _taken(worker: UUID, id: str | UUID, subscriber: str | UUID, *rest: Any) -> Taken:
    event_id, sequence, tries, fence, lane, replayed = rest
    return Taken(worker, as_id(id), as_id(subscriber), event_id, sequence, tries, fence, lane, bool(replayed))


def _claims(
    taken: list[Taken], subscribers: Mapping[UUID, Subscriber], moments: Mapping[UUID, list[datetime] | None]
) -> list[Claim]:
    """Add to each lease what its sending needs; a webhook that was deleted meanwhile took its deliveries with it."""
    events = Event.objects.in_bulk({lease.event_id for lease in taken})
    webhooks = Webhook.objects.in_bulk({lease.subscriber_id for lease in taken})
    revealed = reveal(events.values())
    beginnings = {pk: iter(times or ()) for pk, times in moments.items()}
    claims = []
    for lease in taken:
        webhook, handler = webhooks.get(lease.subscriber_id), subscribers[lease.subscriber_id].handler
        begin_at = next(beginnings[lease.subscriber_id], None)
        if webhook or handler:
            secrets = revealed.to(events[lease.event_id], webhook)
            secrets = GONE if secrets and lease.replayed else secrets
            claim = _claim(lease, events[lease.event_id], webhook, handler or "", secrets)
            claims.append(replace(claim, begin_at=begin_at) if begin_at else claim)
    return claims


def _claim(lease: Taken, event: Event, webhook: Webhook | None, handler: str, secrets: Secrets | None) -> Claim:
    target = target_of(webhook) if webhook else None
    return Claim(
        id=lease.id,
        worker=lease.worker,
        fence=lease.fence,
        tries=lease.tries,
        subscriber_id=lease.subscriber_id,
        event_id=event.pk,
        sequence=lease.sequence,
        public_id=event.public_id,
        event_type=event.type,
        body=as_json(envelope(event, secrets=secrets)),
        hidden=tuple(text for text in (secrets or {}).values() if text) + (target.secrets if target else ()),
        target=target,
        handler=handler,
        in_lane=lease.lane is not None,
    )


def target_of(webhook: Webhook) -> Target:
    """What a call of this webhook needs, its secrets opened. Where none of our keys opens them, only its calls fail."""
    try:
        return Target(webhook.url, webhook_keys(webhook), open_headers(webhook.sealed_headers))
    except InvalidToken:
        return Target(webhook.url, (), {}, flaw=SEALED)
