"""How webhooks fare: since when one fails, and when it is given up."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from events.catalog import EventType
from events.models import Subscriber, Webhook
from events.services.circuit import note_outcome
from events.services.outcomes import Outcome
from events.services.recording import record_event
from events.services.redaction import masked_url
from events.services.switching import switch_off
from fastgen_backend.origin import WORKER

PATIENCE = timedelta(days=5)


def note_health(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Keep what is known of webhooks true: `failing_since`, set by a first failure and cleared by a success, and the
    circuit. Disable who is gone or failed too long.

    `outcomes` are in the order in which they happened. The caller has locked the subscribers of those that are
    `about_to_be_given_up`.
    """
    calls = defaultdict(list)
    for outcome in outcomes:
        if outcome.claim.target:
            calls[outcome.claim.subscriber_id].append(outcome)
    for webhook in _touched(calls):
        for outcome in calls[webhook.pk]:
            webhook.failing_since = None if outcome.delivered else webhook.failing_since or now
            note_outcome(webhook, outcome, now)
        webhook.save(update_fields=["failing_since", "failures", "open_until"])
        if any(outcome.is_gone for outcome in calls[webhook.pk]):
            disable_webhook(webhook_id=webhook.pk, reason="The receiver answered 410 Gone.")
        elif webhook.failing_since and webhook.failing_since <= now - PATIENCE:
            disable_webhook(webhook_id=webhook.pk, reason=f"Every call failed for {PATIENCE.days} days.")


def about_to_be_given_up(outcomes: Sequence[Outcome], now: datetime) -> set[UUID]:
    """The webhooks that `note_health` may disable for these outcomes."""
    gone = {outcome.claim.subscriber_id for outcome in outcomes if outcome.is_gone}
    failed = {outcome.claim.subscriber_id for outcome in outcomes if outcome.claim.target and not outcome.delivered}
    late = Webhook.objects.filter(pk__in=failed, failing_since__lte=now - PATIENCE)
    return gone | set(late.values_list("pk", flat=True) if failed else ())


def _touched(calls: Mapping[UUID, list[Outcome]]) -> list[Webhook]:
    """The webhooks, locked, of which something is to be written: not those that were well and still are."""
    failed = [pk for pk, outcomes in calls.items() if not all(outcome.delivered for outcome in outcomes)]
    unwell = Q(failing_since__isnull=False) | Q(failures__gt=0) | Q(open_until__isnull=False)
    return list(Webhook.objects.filter(Q(pk__in=failed) | unwell, pk__in=calls).order_by("pk").select_for_update())


@transaction.atomic
def disable_webhook(*, webhook_id: UUID, reason: str) -> bool:
    """Promise this webhook nothing more and tell so; False where it is disabled already.

    What it was promised stays pending, and is sent once it is enabled again.
    """
    enabled = Subscriber.objects.select_for_update(no_key=True).filter(pk=webhook_id, enabled=True)
    if enabled.first() is None:
        return False
    webhook = Webhook.objects.get(pk=webhook_id)
    switch_off(webhook, reason=reason)
    data = {"webhookId": str(webhook_id), "url": masked_url(webhook.url), "reason": reason}
    record_event(type=EventType.WEBHOOK_DISABLED, data=data, origin=WORKER)
    return True
