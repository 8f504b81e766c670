"""How webhooks fare, in figures: what waits, what was given up, how much of the newest was delivered."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from events.models import FinishedDelivery, Webhook

MOST = 1000  # of one webhook that are counted, so that a million cost no more than a thousand
A_DAY = timedelta(hours=24)
OF_IT = "subscriber_id = events_webhook.subscriber_id"
WAITING = f"SELECT 1 FROM events_delivery WHERE {OF_IT} LIMIT {MOST + 1}"  # noqa: S608  words of ours, here and below
FINISHED = f"FROM events_finisheddelivery WHERE {OF_IT}"
DEAD = f"SELECT 1 {FINISHED} AND state = 'dead' AND redelivered_as IS NULL LIMIT {MOST + 1}"
NEWEST = f"SELECT state, finished_at {FINISHED} ORDER BY sequence DESC LIMIT {MOST}"


def with_figures(webhooks: QuerySet[Webhook], now: datetime) -> QuerySet[Any]:
    """Each webhook with its subscriber and these annotations, in one query.

    `waiting` and `dead` stop at 1,001, which stands for more; `finished` and `succeeded` are of the last 24 hours and
    of the newest 1,000 deliveries. `last_finished_at` is None where none ever was.
    """
    day = now - A_DAY
    last = FinishedDelivery.objects.filter(subscriber=OuterRef("pk")).order_by("-sequence").values("finished_at")[:1]
    return webhooks.select_related("subscriber").annotate(
        waiting=_count(WAITING),
        dead=_count(DEAD),
        finished=_count(f"SELECT 1 FROM ({NEWEST}) AS newest WHERE finished_at >= %s", day),  # noqa: S608
        succeeded=_count(
            f"SELECT 1 FROM ({NEWEST}) AS newest WHERE finished_at >= %s AND state = 'delivered'",  # noqa: S608
            day,
        ),
        last_finished_at=Subquery(last, output_field=DateTimeField()),
    )


def _count(rows: str, *moments: datetime) -> RawSQL:
    adapted = [connection.ops.adapt_datetimefield_value(moment) for moment in moments]
    return RawSQL(f"SELECT COUNT(*) FROM ({rows}) AS counted", adapted, output_field=IntegerField())  # noqa: S608, S611
