"""Whether the log and the deliveries are what they promise to be: each invariant, looked at as it is at one moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Window
from django.db.models.functions import Lag
from django.utils import timezone
from django.utils.translation import gettext as _

from events.models import (
    Attempt,
    Delivery,
    Event,
    EventSecret,
    FinishedDelivery,
    LogHead,
    Replay,
    Subscriber,
    Trial,
    Webhook,
    Worker,
)
from events.services.gone_handlers import gone_handlers
from events.services.leases import SILENCE, longest_call
from fastgen_backend.snapshots import snapshot
from fastgen_backend.vault import decrypt

SLOW = timedelta(minutes=1)  # what a living worker does within seconds
HOUSEKEEPING = timedelta(minutes=10)  # what it does every minute
LONGEST_CHANGE = timedelta(hours=1)  # that a transaction of ours may take


@dataclass
class Inspection:
    """What was found: each broken promise, and what is worth knowing, in sentences; and how much was looked at."""

    flaws: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    events: int = 0
    deliveries: int = 0
    subscribers: int = 0


def inspect(*, at_rest: bool = False) -> Inspection:
    """Look at everything; changes nothing and holds up nobody. `at_rest` leaves out what only a running worker does."""
    found = Inspection()
    with snapshot():
        found.events = Event.objects.count()
        found.deliveries = Delivery.objects.count() + FinishedDelivery.objects.count()
        found.subscribers = Subscriber.objects.count()
        for check in FLAWS if at_rest else (*FLAWS, *LEFT_UNDONE):
            found.flaws += check()
        for check in NOTES:
            found.notes += check()
    return found


# The log -------------------------------------------------------------------------------------------------------------


def _positions() -> Iterator[str]:
    log = Event.objects.positioned()
    first, last, number = log.aggregate(a=Min("position"), b=Max("position"), n=Count("position")).values()
    head = LogHead.objects.values_list("position", flat=True).first() or 0
    if number and number != last - first + 1:
        missing = last - first + 1 - number
        yield _(
            "%(missing)d of the positions from %(first)d to %(last)d are missing: events were deleted by hand. "
            "Restore a backup, or tell your readers to begin anew."
        ) % {"missing": missing, "first": first, "last": last}
    if (last or 0) != head:
        yield _(
            "The head of the log says %(head)d, its newest event has the position %(last)d. "
            "Stop all workers and set events_loghead.position to the larger one."
        ) % {"head": head, "last": last or 0}


def _causality() -> Iterator[str]:
    """Changes beside each other are told in any order, as one whose event came first may have been committed last."""
    ids, times = Window(Lag("id"), order_by="position"), Window(Lag("created_at"), order_by="position")
    log = Event.objects.positioned().annotate(id_before=ids, made_before=times)
    late = log.filter(id__lt=F("id_before"), created_at__lt=F("made_before") - LONGEST_CHANGE)
    if positions := list(late.order_by("position").values_list("position", flat=True)):
        yield _(
            "%(number)d events come after one that happened later, the first at position %(position)d. "
            "Positions were changed by hand; readers of them can’t be mended."
        ) % {"number": len(positions), "position": positions[0]}


def _unsequenced() -> Iterator[str]:
    waiting = Event.objects.filter(position=None, created_at__lt=timezone.now() - SLOW).count()
    if waiting:
        yield _(
            "%(number)d events have waited for their position for over a minute. "
            "Start a worker; if one runs, its log says what is in the way."
        ) % {"number": waiting}


# The promises --------------------------------------------------------------------------------------------------------


def _sequences() -> Iterator[str]:
    """Every promise is pending, finished or forgotten; none is two of these, none was never made."""
    pending = {row[0]: row[1:] for row in _counted(Delivery)}
    finished = {row[0]: row[1:] for row in _counted(FinishedDelivery)}
    for subscriber in Subscriber.objects.order_by("pk"):
        here, highest = pending.get(subscriber.pk, (0, 0))
        done, highest_done = finished.get(subscriber.pk, (0, 0))
        total = here + done + subscriber.forgotten
        if total != subscriber.sequence or max(highest, highest_done) > subscriber.sequence:
            yield _(
                "%(subscriber)s was given %(sequence)d deliveries, but %(total)d are pending, finished or "
                "forgotten, and the highest is number %(highest)d. Replay to it what it may have missed."
            ) % {
                "subscriber": subscriber,
                "sequence": subscriber.sequence,
                "total": total,
                "highest": max(highest, highest_done),
            }


def _counted(model: type[Delivery] | type[FinishedDelivery]) -> Iterator[tuple[object, int, int]]:
    rows = model._default_manager.order_by().values_list("subscriber")
    yield from rows.annotate(number=Count("pk"), highest=Max("sequence"))


def _twice() -> Iterator[str]:
    same = FinishedDelivery.objects.filter(subscriber=OuterRef("subscriber"), sequence=OuterRef("sequence"))
    alike = FinishedDelivery.objects.filter(pk=OuterRef("pk"))
    number = Delivery.objects.filter(Exists(same) | Exists(alike)).count()
    if number:
        yield _(
            "%(number)d deliveries are both pending and finished. "
            "Delete the pending ones from events_delivery: what is finished was told."
        ) % {"number": number}


def _lanes() -> Iterator[str]:
    """But of webhooks that are being put in another order."""
    arranged = Delivery.objects.filter(subscriber__webhook__arranged_up_to=None)
    lanes = arranged.exclude(lane=None).order_by().values("subscriber", "lane")
    free = lanes.annotate(free=Count("pk", Q(blocked=False)))
    if stuck := free.filter(free=0).count():
        yield _(
            "%(number)d orders of deliveries are stuck: none of them is free to be sent. "
            "Set blocked to false for the one with the lowest sequence of each."
        ) % {"number": stuck}
    if torn := free.filter(free__gt=1).count():
        yield _(
            "%(number)d orders of deliveries have several that are free to be sent, and may be told out of order. "
            "Set blocked to true for all but the one with the lowest sequence of each."
        ) % {"number": torn}


def _attempts() -> Iterator[str]:
    theirs = OuterRef("delivery_id")
    owners = (Delivery, FinishedDelivery, Trial)
    number = Attempt.objects.filter(*(~Exists(each._default_manager.filter(pk=theirs)) for each in owners)).count()
    if number:
        yield _("%(number)d attempts are of no delivery and no trial. Delete them from events_attempt.") % {
            "number": number
        }


def _webhooks() -> Iterator[str]:
    for subscriber in Subscriber.objects.filter(kind=Subscriber.Kind.WEBHOOK, webhook=None):
        yield _("%(subscriber)s has no address. Delete it from events_subscriber.") % {"subscriber": subscriber}


# Workers and secrets --------------------------------------------------------------------------------------------------


def _leases() -> Iterator[str]:
    """What another held, a worker that lives frees when its calls must be over: these are left where none does."""
    silence = 2 * SILENCE + longest_call()
    seen = Worker.objects.filter(heartbeat_at__gte=timezone.now() - silence).values("pk")
    number = Delivery.objects.filter(worker__isnull=False).exclude(worker__in=seen).count()
    if number:
        yield _(
            "%(number)d deliveries are held by workers that gave no sign of life for %(seconds)d s. "
            "Start a worker: it takes them over within seconds."
        ) % {"number": number, "seconds": silence.total_seconds()}


def _old_secrets() -> Iterator[str]:
    over = timezone.now() - HOUSEKEEPING
    number = EventSecret.objects.filter(expires_at__lt=over).count()
    number += Webhook.objects.filter(retired_until__lt=over).count()
    if number:
        yield _("%(number)d secrets are kept beyond their time. Start a worker: it deletes them within a minute.") % {
            "number": number
        }


def _closed_secrets() -> Iterator[str]:
    for webhook in Webhook.objects.order_by("pk"):
        for sealed in filter(None, (webhook.sealed_secret, webhook.retired_secret, webhook.sealed_headers)):
            try:
                decrypt(bytes(sealed))
            except InvalidToken:
                yield _(
                    "No key opens a secret of webhook %(id)s. "
                    "Add the SECRET_KEY it was sealed with to SECRET_KEY_FALLBACKS, or rotate it."
                ) % {"id": webhook.pk}
                break


# What is worth knowing ------------------------------------------------------------------------------------------------


def _held_log() -> Iterator[str]:
    days = settings.EVENT_RETENTION_DAYS
    oldest = Event.objects.positioned().order_by("position").values("pk", "created_at")[:2]  # the newest always stays
    if len(oldest) < 2 or oldest[0]["created_at"] > timezone.now() - timedelta(days=days + 1):
        return
    webhooks = Delivery.objects.filter(event=oldest[0]["pk"], subscriber__kind=Subscriber.Kind.WEBHOOK)
    for delivery in webhooks.select_related("subscriber"):
        yield _(
            "Events older than %(days)d days are kept, because %(subscriber)s has still to be told of them. "
            "Enable it, or delete it."
        ) % {"days": days, "subscriber": delivery.subscriber}


def _gone_handlers() -> Iterator[str]:
    for handler in gone_handlers():
        if number := Delivery.objects.filter(subscriber=handler).count():
            yield _(
                "%(handler)s is registered no longer, and has still to be told of %(number)d events; the log is kept "
                "for it. Bring the function back, or take it out: manage.py remove_handler %(handler)s"
            ) % {"handler": handler, "number": number}


def _paused_replays() -> Iterator[str]:
    for replay in Replay.objects.filter(state=Replay.State.PAUSED, created_at__lt=timezone.now() - timedelta(days=30)):
        yield _(
            "Replay %(id)s has been paused for long; what it has still to queue is kept. Resume it, or cancel it."
        ) % {"id": replay.pk}


def _workers() -> Iterator[str]:
    if not Worker.objects.filter(heartbeat_at__gte=timezone.now() - SILENCE).exists():
        yield _("No worker runs: nothing is sequenced or delivered.")


Checks = tuple[Callable[[], Iterator[str]], ...]
FLAWS: Checks = (_positions, _causality, _sequences, _twice, _lanes, _attempts, _webhooks, _closed_secrets)
LEFT_UNDONE: Checks = (_unsequenced, _leases, _old_secrets)
NOTES: Checks = (_held_log, _gone_handlers, _paused_replays, _workers)
