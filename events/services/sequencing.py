"""Gives committed events their positions in the log, and subscribers their share of them."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from events.filters import matches
from events.models import Delivery, Event, LogHead, Subscriber
from events.services.lanes import block_behind_others, lane_of, ordered_modes
from events.services.log_head import take_head
from events.services.tallies import tally_events

EVENTS_AT_ONCE = 1000
DELIVERIES_AT_ONCE = 5000
CHANNEL = "fastgen_events"

# One statement on both databases; positions follow the order of `id`, never that of `uid`.
GIVE_POSITIONS = """
UPDATE events_event SET position = batch.position
FROM (SELECT id, %s + ROW_NUMBER() OVER (ORDER BY id) AS position FROM events_event WHERE id IN ({ids})) AS batch
WHERE events_event.id = batch.id
"""


class NewEvent(NamedTuple):
    id: int
    type: str
    stage: str
    subject: str
    created_at: datetime


class Share(NamedTuple):
    """One event and everyone who is promised it."""

    event: NewEvent
    subscribers: list[UUID]


def sequence_events(*, limit: int = EVENTS_AT_ONCE) -> int:
    """Sequence at most `limit` committed events, oldest `id` first; tells how many, 0 where there is nothing to do.

    Positions are dense from 1 and causal: an event that committed before another began has the lower `id`, and is
    visible whenever the other is. Each subscriber gets a dense `sequence` of its own. Only whoever holds the head
    sequences; for others there is nothing to do meanwhile. Listeners are told after the commit, once per batch.
    """
    if not Event.objects.filter(position=None).exists():
        return 0
    with transaction.atomic():
        sequenced = _sequence(limit)
    if sequenced and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    return sequenced


def _sequence(limit: int) -> int:
    head = take_head()
    if head is None:
        return 0
    fields = ("id", "type", "stage", "subject", "created_at")
    rows = Event.objects.filter(position=None).order_by("id").values_list(*fields)[:limit]
    events = [NewEvent(*row) for row in rows]
    if not events:
        return 0
    # Read after the events, in a statement of its own: whoever subscribed before one of them began is seen (G3).
    subscribers = list(Subscriber.objects.filter(enabled=True).order_by("id").values_list("id", "filters"))
    shares = _share(events, subscribers)
    _give_positions(head.position, [share.event.id for share in shares])
    LogHead.objects.filter(pk=head.pk).update(position=head.position + len(shares))
    _promise(shares, timezone.now())
    tally_events((share.event.type, share.event.created_at) for share in shares)
    return len(shares)


def _share(events: list[NewEvent], subscribers: list[tuple[UUID, list[str]]]) -> list[Share]:
    """Who gets what; ends early, but not before the first event, where the deliveries would be too many at once."""
    shares: list[Share] = []
    matching: dict[tuple[str, str], list[UUID]] = {}
    promised = 0
    for event in events:
        kind = (event.type, event.stage)
        if kind not in matching:
            matching[kind] = [pk for pk, filters in subscribers if matches(filters, *kind)]
        promised += len(matching[kind])
        if shares and promised > DELIVERIES_AT_ONCE:
            break
        shares.append(Share(event, matching[kind]))
    return shares


def _give_positions(after: int, ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GIVE_POSITIONS.format(ids=", ".join(["%s"] * len(ids))), [after, *ids])


def _promise(shares: list[Share], now: datetime) -> None:
    """Insert the deliveries; `sequence` goes on from where each subscriber's ended."""
    last = _raise_sequences(Counter(pk for share in shares for pk in share.subscribers))
    modes = ordered_modes(last)
    deliveries = []
    for share in reversed(shares):
        for pk in share.subscribers:
            if pk in last:  # it may be gone, or switched off, by now
                lane = lane_of(modes[pk], share.event.subject) if pk in modes else None
                deliveries.append(
                    Delivery(subscriber_id=pk, event_id=share.event.id, sequence=last[pk], due_at=now, lane=lane)
                )
                last[pk] -= 1
    deliveries.reverse()
    block_behind_others(deliveries)
    Delivery.objects.bulk_create(deliveries, batch_size=EVENTS_AT_ONCE)


def _raise_sequences(promised: Counter[UUID]) -> dict[UUID, int]:
    """Add to each subscriber's `sequence` what it is promised, and tell the new values.

    They are locked, in the order of their ids, until the transaction ends. None is told for one that is gone or was
    switched off since it was read: see `services.switching`.
    """
    enabled = Subscriber.objects.filter(pk__in=promised, enabled=True).order_by("id")
    last = dict(enabled.select_for_update(no_key=True).values_list("pk", "sequence"))
    alike: defaultdict[int, list[UUID]] = defaultdict(list)
    for pk in last:
        alike[promised[pk]].append(pk)
        last[pk] += promised[pk]
    for number, pks in alike.items():
        Subscriber.objects.filter(pk__in=pks).update(sequence=F("sequence") + number)
    return last
