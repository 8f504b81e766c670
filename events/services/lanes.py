"""The order of deliveries: those of one subscriber in one lane are made one after the other.

Whenever a transaction ends, this holds: of the pending deliveries of a lane, the one with the lowest `sequence` is free
and all others are `blocked`; only of a webhook whose mode was just changed it does not yet: see `arranging`. So a claim
finds what may be made by one look into an index, however many wait behind one that fails. It takes none whose lane
holds another under way, either, which is how a lane can be after such a change. Who inserts or finishes deliveries of a
lane has locked their subscriber before.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from events.models import Delivery, Webhook
from events.services.plain_ids import as_id, stored_id


class Lane(NamedTuple):
    """What deliveries have in common that are made one after the other."""

    subscriber: UUID
    name: str


class Head(NamedTuple):
    """The first pending delivery of a lane."""

    id: UUID
    lane: Lane
    blocked: bool


ALL = "*"  # the one lane of a webhook that is told everything in order
LANES_AT_ONCE = 100
HEAD = """
SELECT id, subscriber_id, lane, blocked FROM (
    SELECT id, subscriber_id, lane, blocked FROM events_delivery WHERE subscriber_id = %s AND lane = %s
    ORDER BY sequence LIMIT 1
) AS head
"""


def lane_of(mode: str, subject: str) -> str | None:
    """The name of the lane of an event's delivery, in a webhook of this mode; None where it keeps no order."""
    if mode == Webhook.Mode.ORDERED:
        return ALL
    return subject or None if mode == Webhook.Mode.PER_SUBJECT else None


def ordered_modes(webhooks: Iterable[UUID]) -> dict[UUID, str]:
    """The modes of those of these webhooks that keep an order."""
    ordered = Webhook.objects.filter(pk__in=webhooks).exclude(mode=Webhook.Mode.PARALLEL)
    return dict(ordered.values_list("pk", "mode"))


def block_behind_others(deliveries: Iterable[Delivery]) -> None:
    """Mark those of these new deliveries, in the order of their sequences, that are not the first of their lane."""
    in_lanes = [(Lane(each.subscriber_id, each.lane), each) for each in deliveries if each.lane is not None]
    occupied = {head.lane for head in _heads({lane for lane, _delivery in in_lanes})}
    for lane, delivery in in_lanes:
        delivery.blocked = lane in occupied
        occupied.add(lane)


def free_heads(lanes: Collection[Lane]) -> None:
    """Free the first delivery of each lane, where those before it are finished."""
    blocked = [head.id for head in _heads(lanes) if head.blocked]
    if blocked:
        Delivery.objects.filter(pk__in=blocked).update(blocked=False)


def _heads(lanes: Collection[Lane]) -> list[Head]:
    """One look into the index for each lane, however long it is."""
    ordered, heads = list(lanes), []
    for start in range(0, len(ordered), LANES_AT_ONCE):
        some = ordered[start : start + LANES_AT_ONCE]
        params = [value for lane in some for value in (stored_id(lane.subscriber), lane.name)]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([HEAD] * len(some)), params)
            heads += [Head(as_id(row[0]), Lane(as_id(row[1]), row[2]), bool(row[3])) for row in cursor.fetchall()]
    return heads
