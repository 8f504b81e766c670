"""How long the log and what became of it are kept. The log is shortened from its old end only, and never to nothing."""

from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from events.models import Attempt, Delivery, Event, FinishedDelivery, Replay, Subscriber, Webhook
from events.services.log_head import newest_position
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


def keep_log() -> int:
    """Let no event be forgotten until the transaction ends; the position of the oldest that is kept, 0 without any.

    To hold that one is enough: the log is shortened from there, and not beyond what somebody holds.
    """
    oldest = Event.objects.positioned().order_by("position").select_for_update(no_key=True)
    return oldest.values_list("position", flat=True).first() or 0


def forget_retired_secrets() -> int:
    """Delete the secrets of webhooks that no longer sign beside their successors; tells how many."""
    over = Webhook.objects.filter(retired_until__lte=timezone.now())
    return over.update(retired_secret=None, retired_until=None) if over.exists() else 0


def _days_ago(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _forget_deliveries(state: State, until: datetime) -> bool:
    """Delete what was finished before, with its attempts."""
    old = FinishedDelivery.objects.filter(state=state, finished_at__lt=until).order_by("finished_at")
    old = old.exclude(_being_replayed()) if state == State.DEAD else old
    if not old.exists():
        return False
    with transaction.atomic():
        some = FinishedDelivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:BITE]))
        _hold_subscribers(some)
        ids = lock_some(some.exclude(_being_replayed()))  # a replay may have begun before they were held
        _forget(FinishedDelivery.objects.filter(pk__in=ids))
    return len(ids) == BITE


def _forget_events(until: datetime) -> bool:
    """Delete the oldest events, up to the first that is younger or still needed, with what was finished of them.

    Needed are those that have still to be delivered, and those that a replay, running or paused, has still to promise.
    So the positions that are left are dense, and a reader who was told of none that is missing missed none (G6). The
    newest event stays whatever its age: it is the place from which a reader who has read all goes on.
    """
    oldest = Event.objects.positioned().filter(position__lt=newest_position()).order_by("position")
    rows = oldest.values_list("pk", "created_at")[:BITE]
    old = [pk for pk, _created_at in takewhile(lambda row: row[1] < until, rows)]
    if not old or not _unneeded(old):
        return False
    with transaction.atomic():
        _hold_subscribers(FinishedDelivery.objects.filter(event__in=old))
        ours = set(lock_some(Event.objects.filter(pk__in=old)))
        ids = _unneeded(list(takewhile(ours.__contains__, old)))
        _forget(FinishedDelivery.objects.filter(event__in=ids))
        Event.objects.filter(pk__in=ids).delete()
    return len(ids) == BITE


def _hold_subscribers(finished: QuerySet[FinishedDelivery]) -> None:
    """Lock whose these are, before them, as everyone does; the worker goes on sending meanwhile."""
    theirs = Subscriber.objects.filter(pk__in=finished.order_by().values("subscriber")).order_by("pk")
    list(theirs.select_for_update(no_key=True).values_list("pk"))


def _forget(finished: QuerySet[FinishedDelivery]) -> None:
    """Delete these with their attempts, and count them: every promise is pending, finished or forgotten."""
    numbers = finished.order_by().values_list("subscriber").annotate(number=Count("pk"))
    for subscriber, number in list(numbers):
        Subscriber.objects.filter(pk=subscriber).update(forgotten=F("forgotten") + number)
    Attempt.objects.filter(delivery_id__in=finished.values("pk")).delete()
    finished.delete()


def _unneeded(oldest: list[int]) -> list[int]:
    """Of these events, in their order, those before the first that is needed.

    Asked once they are locked, this holds to the end of the transaction: see `keep_log`.
    """
    replayed = FinishedDelivery.objects.filter(_being_replayed(), event__in=oldest)
    needed = {*Delivery.objects.filter(event__in=oldest).values_list("event_id", flat=True)}
    needed |= {*replayed.values_list("event_id", flat=True)}
    ranges = Replay.objects.under_way().exclude(kind=Replay.Kind.DEAD_LETTERS)
    furthest_behind = ranges.aggregate(cursor=Min("cursor"))["cursor"]
    if furthest_behind is not None:
        needed |= {*Event.objects.filter(pk__in=oldest, position__gt=furthest_behind).values_list("pk", flat=True)}
    return list(takewhile(lambda pk: pk not in needed, oldest))


def _being_replayed() -> Q:
    """The dead letters that a replay has still to promise again."""
    needed = Q(pk__in=[])
    for replay in Replay.objects.under_way().filter(kind=Replay.Kind.DEAD_LETTERS):
        still = Q(sequence__gt=replay.cursor, sequence__lte=replay.until)
        needed |= Q(still, subscriber=replay.webhook_id, state=State.DEAD)
    return needed
