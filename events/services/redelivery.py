"""Delivers once more what was delivered, given up, or waits for its next try."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from events.models import Delivery, FinishedDelivery, Subscriber, Webhook
from events.services.promises import WebhookDisabled, lock_webhook, promise
from fastgen_backend.errors import NotFound


def redeliver(*, delivery_id: UUID) -> Delivery:
    """Deliver one event to its webhook once more; answers the delivery that does it.

    One that is pending is due now. One that is finished is promised anew: behind everything promised so far, so that
    nobody who is told in order sees an event between two later ones, and under the event's own id, by which receivers
    know that they had it. Where the event is pending for this webhook already, that delivery is due now instead, and a
    dead letter is promised again as that one.

    An open circuit lets a probe through at once: who asks for a call wants to see one.

    Raises `NotFound`, or `WebhookDisabled`.
    """
    subscriber_id = _subscriber_of(delivery_id)
    with transaction.atomic():
        redelivered = _redeliver(lock_webhook(subscriber_id), delivery_id)
        now = timezone.now()
        Webhook.objects.filter(pk=subscriber_id, open_until__gt=now).update(open_until=now)
    return redelivered


def _redeliver(subscriber: Subscriber, delivery_id: UUID) -> Delivery:
    if pending := _locked(pk=delivery_id):
        return _hurry(pending)
    finished = FinishedDelivery.objects.filter(pk=delivery_id).first()
    if finished is None:
        raise NotFound(_("This delivery is no longer kept."))
    pending = _locked(subscriber=subscriber, event=finished.event_id)
    again = _hurry(pending) if pending else _promise_anew(subscriber, finished)
    if finished.state == FinishedDelivery.State.DEAD:
        finished.redelivered_as = again.pk
        finished.save(update_fields=["redelivered_as"])
    return again


def _promise_anew(subscriber: Subscriber, finished: FinishedDelivery) -> Delivery:
    if not subscriber.enabled:
        raise WebhookDisabled(_("Enable the webhook first; it is told nothing while it is disabled."))
    [promised] = promise(subscriber, [finished.event_id])
    return promised


def _hurry(pending: Delivery) -> Delivery:
    """Make it due now, unless it is under way."""
    now = timezone.now()
    if pending.worker is None and pending.due_at > now:
        pending.due_at = now
        pending.save(update_fields=["due_at"])
    return pending


def _locked(**which: object) -> Delivery | None:
    """A pending delivery, kept from being finished in this transaction."""
    return Delivery.objects.select_for_update(of=["self"]).filter(**which).order_by("sequence").first()


def _subscriber_of(delivery_id: UUID) -> UUID:
    for table in (Delivery.objects.all(), FinishedDelivery.objects.all()):
        if subscriber_id := table.filter(pk=delivery_id).values_list("subscriber", flat=True).first():
            return subscriber_id
    raise NotFound(_("There is no such delivery."))
