"""How the workers fare: whether they live, and what waits for them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, OuterRef, Subquery
from django.db.models.functions import Now

from events.models import Delivery, Event, Subscriber, Worker
from events.services.leases import SILENCE
from fastgen_backend.counting import CountUpTo

MOST = 1000  # that are counted: the events that wait, and the deliveries of one subscriber


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many wait, and since when the oldest does; of more than can be counted quickly, `is_more` says so."""

    count: int
    is_more: bool
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """`silent_seconds` ago was the newest heartbeat; None where there never was one, or the last worker signed off."""

    workers: int
    silent_seconds: int | None
    events: Backlog
    deliveries: Backlog

    @property
    def is_silent(self) -> bool:
        """Whether no worker lives: nothing is sequenced, delivered or mailed meanwhile."""
        return self.workers == 0


def read_health(now: datetime) -> Health:
    """How it stands now, in three queries, whatever the size of the log."""
    since = ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField())  # by the database's own clock
    silences = list(Worker.objects.annotate(silence=since).values_list("silence", flat=True))
    return Health(
        workers=sum(silence < SILENCE for silence in silences),
        silent_seconds=round(min(silences).total_seconds()) if silences else None,
        events=_events_to_sequence(),
        deliveries=_due_deliveries(now),
    )


def _events_to_sequence() -> Backlog:
    waiting = Event.objects.filter(position=None).order_by("id")[: MOST + 1]
    found = waiting.aggregate(count=Count("id"), oldest=Min("created_at"))
    return Backlog(min(found["count"], MOST), found["count"] > MOST, found["oldest"])


def _due_deliveries(now: datetime) -> Backlog:
    """What workers could send now: neither that of who is switched off or down, nor what waits for its turn.

    Whoever is called at a pace of their own has as long a queue as they want: how old it is, is no lateness.
    """
    mine = Delivery.objects.filter(subscriber=OuterRef("pk"), worker=None, blocked=False, due_at__lte=now)
    count, first = CountUpTo(mine.values("pk")[: MOST + 1]), mine.order_by("due_at", "sequence").values("due_at")[:1]
    called = Subscriber.objects.filter(enabled=True, webhook__open_until=None)
    queues = list(called.values_list(count, Subquery(first), "rate_per_second"))
    return Backlog(
        count=sum(min(count, MOST) for count, _first, _rate in queues),
        is_more=any(count > MOST for count, _first, _rate in queues),
        oldest=min((first for _count, first, rate in queues if first and rate is None), default=None),
    )
