"""How webhooks fare: since when one fails, and when it is given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from events.catalog import EventType
from events.models import Subscriber, Webhook
from events.services.outcomes import Outcome
from events.services.recording import record_event
from events.services.switching import switch_off
from fastgen_backend.origin import WORKER

PATIENCE = timedelta(days=5)


def note_health(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Keep `failing_since` true: set by a first failure, cleared by a success. Disable who is gone or failed too long.

    `outcomes` are in the order in which they happened.
    """
    calls = [outcome for outcome in outcomes if outcome.claim.target]
    succeeded = {outcome.claim.subscriber_id for outcome in calls if outcome.delivered}
    last = {outcome.claim.subscriber_id: outcome for outcome in calls}
    failing = [pk for pk, outcome in last.items() if not outcome.delivered]
    if succeeded:
        Webhook.objects.filter(pk__in=succeeded, failing_since__isnull=False).update(failing_since=None)
    if failing:
        Webhook.objects.filter(pk__in=failing, failing_since=None).update(failing_since=now)
        given_up = Webhook.objects.filter(pk__in=failing, failing_since__lte=now - PATIENCE)
        for pk in given_up.values_list("pk", flat=True):
            disable_webhook(webhook_id=pk, reason=f"Every call failed for {PATIENCE.days} days.")
    for pk in {outcome.claim.subscriber_id for outcome in calls if outcome.is_gone}:
        disable_webhook(webhook_id=pk, reason="The receiver answered 410 Gone.")


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
    data = {"webhookId": str(webhook_id), "url": webhook.url, "reason": reason}
    record_event(type=EventType.WEBHOOK_DISABLED, data=data, origin=WORKER)
    return True
