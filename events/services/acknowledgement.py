"""Writes down how deliveries went: what is done leaves the hot table, what failed waits for its next try."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from events.catalog import EventType
from events.models import Attempt, Delivery, FinishedDelivery
from events.services.outcomes import Outcome, next_try
from events.services.recording import record_event
from events.services.tallies import tally_calls
from events.services.webhook_health import note_health
from fastgen_backend.origin import WORKER

LONGEST_ERROR = 500


def acknowledge(worker: UUID, outcomes: Sequence[Outcome]) -> int:
    """Write the outcomes of deliveries that `worker` still holds under the same fence, all or none; tells how many.

    The others were taken from it and belong to someone else: nothing is written about them.
    """
    with transaction.atomic():
        _keep_subscribers(outcomes)
        held = _held(worker, outcomes)
        if held:
            _write(held, timezone.now())
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


def _keep_subscribers(outcomes: Sequence[Outcome]) -> None:
    """Lock the subscribers before their deliveries, as deleting one does, so that neither waits for ever."""
    if connection.vendor != "postgresql":
        return
    ids = list({outcome.claim.subscriber_id for outcome in outcomes})
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM events_subscriber WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [ids])


def _held(worker: UUID, outcomes: Sequence[Outcome]) -> list[Outcome]:
    claimed = Delivery.objects.filter(pk__in=[outcome.claim.id for outcome in outcomes], worker=worker)
    fences = dict(claimed.select_for_update().values_list("pk", "fence"))
    return [outcome for outcome in outcomes if fences.get(outcome.claim.id) == outcome.claim.fence]


def _write(outcomes: list[Outcome], now: datetime) -> None:
    exhausted = [outcome for outcome in outcomes if outcome.is_exhausted]
    finish([outcome for outcome in outcomes if outcome.delivered] + exhausted, now)
    log_attempts(outcomes)
    _retry([outcome for outcome in outcomes if not outcome.delivered and not outcome.is_exhausted], now)
    for outcome in exhausted:
        _tell_exhausted(outcome)
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
