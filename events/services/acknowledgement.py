"""Writes down how deliveries went: what is done leaves the hot table, what failed waits for its next try."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from events.catalog import EventType
from events.models import Attempt, Delivery, FinishedDelivery
from events.services.lanes import Lane, free_heads
from events.services.outcomes import Outcome, next_try
from events.services.recording import record_event
from events.services.tallies import tally_calls
from events.services.webhook_health import about_to_be_given_up, note_health
from fastgen_backend.origin import WORKER

LONGEST_ERROR = 500


def acknowledge(worker: UUID, outcomes: Sequence[Outcome]) -> int:
    """Write the outcomes of deliveries that `worker` still holds under the same fence, all or none; tells how many.

    The others were taken from it and belong to someone else: nothing is written about them.
    """
    number = None
    while number is None:
        with transaction.atomic():
            number = _acknowledge(worker, outcomes, timezone.now())
    return number


def _acknowledge(worker: UUID, outcomes: Sequence[Outcome], now: datetime) -> int | None:
    """None, with nothing written, where a webhook began to keep an order before its subscriber was locked."""
    alone = _lock_subscribers(outcomes, now)
    lanes = _held(worker, outcomes)
    held = [outcome for outcome in outcomes if outcome.claim.id in lanes]
    in_lanes = {outcome.claim.subscriber_id for outcome in held if lanes[outcome.claim.id] is not None}
    if not in_lanes <= alone:
        return None
    if held:
        _write(held, lanes, now)
    return len(held)


def finish(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Move delivered and exhausted deliveries out of the hot table; the caller has locked them in its transaction."""
    if not outcomes:
        return
    Delivery.objects.filter(pk__in=[outcome.claim.id for outcome in outcomes]).delete()
    FinishedDelivery.objects.bulk_create(_finished(outcome, now) for outcome in outcomes)


def log_attempts(outcomes: Sequence[Outcome]) -> None:
    """Keep what was tried and answered."""
    Attempt.objects.bulk_create(
        Attempt(
            delivery_id=outcome.claim.id,
            url=outcome.claim.target.url if outcome.claim.target else "",
            at=outcome.at,
            status=outcome.status,
            duration_ms=outcome.duration_ms,
            error=outcome.error[:LONGEST_ERROR],
            response_body=outcome.response_body,
        )
        for outcome in outcomes
    )


def _lock_subscribers(outcomes: Sequence[Outcome], now: datetime) -> set[UUID]:
    """Lock the subscribers before their deliveries, as deleting one does, and tell which of them are locked alone.

    Shared, so that claims and promises go on beside; but alone those in whose lanes a next delivery may be freed, lest
    one be promised meanwhile that nobody frees, and those that may be switched off. All in the order of their ids, as
    everyone does, so that nobody waits for ever.
    """
    subscribers = {outcome.claim.subscriber_id for outcome in outcomes}
    if connection.vendor != "postgresql":
        return subscribers
    in_lanes = Delivery.objects.filter(pk__in=[outcome.claim.id for outcome in outcomes], lane__isnull=False)
    alone = {*in_lanes.values_list("subscriber", flat=True), *about_to_be_given_up(outcomes, now)}
    for is_alone, some in groupby(sorted(subscribers), key=alone.__contains__):
        _lock_rows(list(some), "NO KEY UPDATE" if is_alone else "KEY SHARE")
    return alone


def _lock_rows(subscribers: list[UUID], strength: str) -> None:
    with connection.cursor() as cursor:
        statement = f"SELECT 1 FROM events_subscriber WHERE id = ANY(%s) ORDER BY id FOR {strength}"  # noqa: S608
        cursor.execute(statement, [subscribers])


def _held(worker: UUID, outcomes: Sequence[Outcome]) -> dict[UUID, str | None]:
    """Those of the deliveries that are still held as they were claimed, locked, and the lanes they are in by now."""
    fences = {outcome.claim.id: outcome.claim.fence for outcome in outcomes}
    claimed = Delivery.objects.filter(pk__in=fences, worker=worker).order_by("pk").select_for_update()
    return {pk: lane for pk, fence, lane in claimed.values_list("pk", "fence", "lane") if fences[pk] == fence}


def _write(outcomes: list[Outcome], lanes: Mapping[UUID, str | None], now: datetime) -> None:
    exhausted = [outcome for outcome in outcomes if outcome.is_exhausted]
    finished = [outcome for outcome in outcomes if outcome.delivered] + exhausted
    finish(finished, now)
    log_attempts(outcomes)
    _retry([outcome for outcome in outcomes if not outcome.delivered and not outcome.is_exhausted], now)
    for outcome in exhausted:
        _tell_exhausted(outcome)
    left = [(outcome.claim.subscriber_id, lanes[outcome.claim.id]) for outcome in finished]
    free_heads({Lane(subscriber, lane) for subscriber, lane in left if lane is not None})
    note_health(outcomes, now)
    tally_calls(outcomes)


def _finished(outcome: Outcome, now: datetime) -> FinishedDelivery:
    state = FinishedDelivery.State.DELIVERED if outcome.delivered else FinishedDelivery.State.DEAD
    claim = outcome.claim
    return FinishedDelivery(
        id=claim.id,
        subscriber_id=claim.subscriber_id,
        event_id=claim.event_id,
        sequence=claim.sequence,
        state=state,
        finished_at=now,
    )


def _retry(failed: list[Outcome], now: datetime) -> None:
    """Let go of what failed. What was answered 410 stays due: it is sent once its webhook is enabled again."""
    gone = [outcome.claim.id for outcome in failed if outcome.is_gone]
    later = [outcome for outcome in failed if not outcome.is_gone]
    if gone:
        Delivery.objects.filter(pk__in=gone).update(worker=None)
    Delivery.objects.bulk_update(
        [
            Delivery(pk=outcome.claim.id, worker=None, tries=outcome.claim.tries + 1, due_at=next_try(outcome, now))
            for outcome in later
        ],
        ["worker", "tries", "due_at"],
    )


def _tell_exhausted(outcome: Outcome) -> None:
    """Record the dead letter as an event, except for events about events, which would go on for ever."""
    claim = outcome.claim
    if claim.event_type.startswith("events."):
        return
    record_event(
        type=EventType.DELIVERY_EXHAUSTED,
        data={
            "deliveryId": str(claim.id),
            "webhookId": str(claim.subscriber_id),
            "eventId": claim.public_id,
            "eventType": claim.event_type,
            "lastStatus": outcome.status,
            "lastError": outcome.error[:LONGEST_ERROR],
        },
        origin=WORKER,
    )
