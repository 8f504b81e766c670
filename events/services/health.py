"""How the workers fare: whether they live, and what waits for them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, OuterRef, Subquery
from django.db.models.functions import Now

from events.models import Delivery, Event, Subscriber, Worker
from events.services.leases import SILENCE

MOST = 1000  # that are counted: the events that wait, and the deliveries of one subscriber

# For each subscriber as far as its index is needed, so that a million that wait cost no more than a thousand.
DUE = """
SELECT (SELECT COUNT(*) FROM (
    SELECT 1 FROM events_delivery
    WHERE subscriber_id = events_subscriber.id AND worker IS NULL AND due_at <= %s LIMIT %s
) AS waiting) FROM events_subscriber WHERE enabled
"""


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
    """How it stands now, in four queries, whatever the size of the log."""
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
    """Of enabled subscribers; what the others were promised waits for them, not for a worker."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, [connection.ops.adapt_datetimefield_value(now), MOST + 1])
        counts = [count for (count,) in cursor.fetchall()]
    due = Delivery.objects.filter(subscriber=OuterRef("pk"), worker=None, due_at__lte=now).order_by("due_at")
    oldest = Subscriber.objects.filter(enabled=True).annotate(due=Subquery(due.values("due_at")[:1]))
    is_more = any(count > MOST for count in counts)
    return Backlog(sum(min(count, MOST) for count in counts), is_more, oldest.aggregate(Min("due"))["due__min"])
