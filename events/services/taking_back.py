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

    It leaves them where the subscriber is switched on again, or gone. The newest go first and all are counted as
    forgotten: killed amid them, it leaves a subscriber with fewer promises, in their order, and can be done again.
    """
    pending = _take_all(subscriber, subscriber.deliveries.all())
    _take_all(subscriber, subscriber.finished_deliveries.all())
    return pending


def _take_all(subscriber: Subscriber, deliveries: Deliveries) -> int:
    newest = deliveries.order_by("-sequence")
    number, left = 0, newest
    while some := dict(left.values_list("pk", "sequence")[:BITE]):
        number += _delete(subscriber, deliveries.filter(pk__in=some))
        left = newest.filter(sequence__lt=min(some.values()))
        time.sleep(BREATH_SECONDS)
    return number


def _delete(subscriber: Subscriber, some: Deliveries) -> int:
    """Delete these in one transaction, but those that are no longer there; locked in the order of acknowledgements."""
    with transaction.atomic():
        off = Subscriber.objects.select_for_update(no_key=True).filter(pk=subscriber.pk, enabled=False)
        if off.first() is None:
            return 0
        ids = list(some.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        Attempt.objects.filter(delivery_id__in=ids).delete()
        some.model._default_manager.filter(pk__in=ids).delete()
        Subscriber.objects.filter(pk=subscriber.pk).update(forgotten=F("forgotten") + len(ids))
    return len(ids)
