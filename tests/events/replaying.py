"""What tests of replays begin with, and how they look at what came of it."""

from typing import Any

from django.utils import timezone

from events.models import Delivery, Event, FinishedDelivery, Replay, Webhook
from events.services.replaying import advance_replays
from events.services.sequencing import sequence_events
from tests.conftest import Api
from tests.events.conftest import happen

BEGINNING = "1970-01-01T00:00:00Z"


def happened(*names: str) -> list[Event]:
    """These happened and are in the log, before anybody subscribed to them."""
    events = [happen(name) for name in names or ("custom.a",)]
    while sequence_events():
        pass
    return events


def start(caller: Api, webhook: Webhook, **wanted: Any) -> Any:
    """Begin a replay; unless told what of, of all that is kept."""
    if not wanted.keys() & {"kind", "from", "to"}:
        wanted["from"] = BEGINNING
    return caller.post(f"/webhooks/{webhook.pk}/replay", wanted)


def count(caller: Api, webhook: Webhook, query: str = "") -> Any:
    return caller.get(f"/webhooks/{webhook.pk}/replay{query}").json()


def promised_events() -> list[int]:
    """The numbers of the events that are pending, in the order of their promises."""
    return list(Delivery.objects.order_by("sequence").values_list("event_id", flat=True))


def promise_all():
    """As a worker does whose receivers take everything at once."""
    while advance_replays():
        for delivery in Delivery.objects.all():
            FinishedDelivery.objects.create(
                id=delivery.pk,
                subscriber_id=delivery.subscriber_id,
                event_id=delivery.event_id,
                sequence=delivery.sequence,
                state="delivered",
            )
        Delivery.objects.all().delete()
        Replay.objects.update(due_at=timezone.now())


def told_events() -> list[int]:
    return list(FinishedDelivery.objects.order_by("sequence").values_list("event_id", flat=True))
