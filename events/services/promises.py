"""Promises a webhook events that it is to be told once more."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.models import Delivery, Event, Replay, Subscriber, Webhook
from events.services.lanes import block_behind_others, lane_of, ordered_modes
from fastgen_backend.errors import DomainError, NotFound

AT_ONCE = 500


class WebhookDisabled(DomainError):
    """Nothing is promised to a webhook that is switched off."""

    status = 409
    code = "webhook-disabled"
    title = gettext_lazy("This webhook is disabled")


def lock_webhook(subscriber_id: UUID) -> Subscriber:
    """The subscriber of a webhook, locked to the end of the transaction: nobody else promises it anything meanwhile.

    Raises `NotFound`, where it was deleted meanwhile as well.
    """
    webhooks = Subscriber.objects.filter(kind=Subscriber.Kind.WEBHOOK)
    subscriber = webhooks.select_for_update(no_key=True).filter(pk=subscriber_id).first()
    if subscriber is None:
        raise NotFound(_("There is no such webhook."))
    return subscriber


def promise(subscriber: Subscriber, events: Sequence[int], *, replay: Replay | None = None) -> list[Delivery]:
    """Promise these events, by their `id`, to a webhook that the caller has locked: in this order, behind all else.

    What a `replay` promises is told without its secrets.
    """
    now = timezone.now()
    first = subscriber.sequence + 1
    subscriber.sequence += len(events)
    subscriber.save(update_fields=["sequence"])
    mode = ordered_modes([subscriber.pk]).get(subscriber.pk, Webhook.Mode.PARALLEL)
    subjects = dict(Event.objects.filter(pk__in=events).values_list("pk", "subject"))
    deliveries = [
        Delivery(
            subscriber=subscriber,
            event_id=event,
            sequence=sequence,
            due_at=now,
            replay=replay,
            replayed=replay is not None,
            lane=lane_of(mode, subjects[event]),
        )
        for sequence, event in enumerate(events, first)
    ]
    block_behind_others(deliveries)
    return Delivery.objects.bulk_create(deliveries, batch_size=AT_ONCE)
