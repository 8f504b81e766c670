"""How long the log and what became of it are kept. The log is shortened from its old end only, and never to nothing."""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from events.models import Attempt, Delivery, Event, FinishedDelivery, LogHead, Webhook
from fastgen_backend.retention import BITE, delete_some, lock_some

State = FinishedDelivery.State


def forget_some() -> bool:
    """Take a bite of all that has had its time, by the `…_RETENTION_DAYS`; tells whether there may be more."""
    now = timezone.now()
    return any(
        [
            delete_some(Attempt.objects.filter(at__lt=_days_ago(now, settings.ATTEMPT_RETENTION_DAYS)).order_by("at")),
            _forget_deliveries(State.DELIVERED, _days_ago(now, settings.ATTEMPT_RETENTION_DAYS)),
            _forget_deliveries(State.DEAD, _days_ago(now, settings.DEAD_LETTER_RETENTION_DAYS)),
            _forget_events(_days_ago(now, settings.EVENT_RETENTION_DAYS)),
        ]
    )


def forget_retired_secrets() -> int:
    """Delete the secrets of webhooks that no longer sign beside their successors; tells how many."""
    over = Webhook.objects.filter(retired_until__lte=timezone.now())
    return over.update(retired_secret=None, retired_until=None) if over.exists() else 0


def _days_ago(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _forget_deliveries(state: State, until: datetime) -> bool:
    """Delete what was finished before, with its attempts."""
    old = FinishedDelivery.objects.filter(state=state, finished_at__lt=until).order_by("finished_at")
    if not old.exists():
        return False
    with transaction.atomic():
        ids = lock_some(old)
        Attempt.objects.filter(delivery_id__in=ids).delete()
        FinishedDelivery.objects.filter(pk__in=ids).delete()
    return len(ids) == BITE


def _forget_events(until: datetime) -> bool:
    """Delete the oldest events, up to the first that is younger or still needed, with what was finished of them.

    So the positions that are left are dense, and a reader who was told of none that is missing missed none (G6). The
    newest event stays whatever its age: it is the place from which a reader who has read all goes on.
    """
    head = LogHead.objects.values_list("position", flat=True).first() or 0
    oldest = Event.objects.positioned().filter(position__lt=head).order_by("position")
    rows = oldest.values_list("pk", "created_at")[:BITE]
    old = [pk for pk, _created_at in takewhile(lambda row: row[1] < until, rows)]
    if not old or not _unneeded(old):
        return False
    with transaction.atomic():
        ours = set(lock_some(Event.objects.filter(pk__in=old)))
        ids = _unneeded(list(takewhile(ours.__contains__, old)))
        finished = FinishedDelivery.objects.filter(event__in=ids)
        Attempt.objects.filter(delivery_id__in=finished.values("pk")).delete()
        Event.objects.filter(pk__in=ids).delete()
    return len(ids) == BITE


def _unneeded(oldest: list[int]) -> list[int]:
    """Of these events, in their order, those before the first of which a delivery is pending."""
    needed: Collection[int] = set(Delivery.objects.filter(event__in=oldest).values_list("event_id", flat=True))
    return list(takewhile(lambda pk: pk not in needed, oldest))
