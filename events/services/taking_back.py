"""Takes back what a subscriber was promised, before it is deleted: in bites, so that nobody waits for all of them."""

import time

from django.db import transaction
from django.db.models import F, QuerySet

from events.models import Attempt, Delivery, FinishedDelivery, Subscriber

BITE = 2000  # deliveries: a tenth of a second in which nobody else writes of this subscriber, nor in SQLite
BREATH_SECONDS = 0.005  # between two bites, in which others write
Deliveries = QuerySet[Delivery] | QuerySet[FinishedDelivery]


def take_back(subscriber: Subscriber) -> int:
    """Delete the deliveries of one that is switched off, with their attempts; tells how many were pending.

    It ends early where the subscriber is switched on again, or gone. The newest go first and all are counted as
    forgotten: killed amid them, it leaves a subscriber with fewer promises, in their order, and can be done again.
    """
    pending = _take_all(subscriber, subscriber.deliveries.all())
    _take_all(subscriber, subscriber.finished_deliveries.all())
    return pending


def _take_all(subscriber: Subscriber, deliveries: Deliveries) -> int:
    number, left = 0, deliveries
    while bite := _take_some(subscriber, left):
        number, left = number + len(bite), deliveries.filter(sequence__lt=bite[-1])
        time.sleep(BREATH_SECONDS)
    return number


def _take_some(subscriber: Subscriber, deliveries: Deliveries) -> list[int]:
    """The sequences of those that were deleted, the newest first."""
    with transaction.atomic():
        off = Subscriber.objects.select_for_update(no_key=True).filter(pk=subscriber.pk, enabled=False)
        if off.first() is None:
            return []
        newest = deliveries.order_by("-sequence").select_for_update(of=("self",))
        some = dict(newest.values_list("pk", "sequence")[:BITE])
        Attempt.objects.filter(delivery_id__in=some).delete()
        deliveries.model._default_manager.filter(pk__in=some).delete()
        Subscriber.objects.filter(pk=subscriber.pk).update(forgotten=F("forgotten") + len(some))
    return list(some.values())
