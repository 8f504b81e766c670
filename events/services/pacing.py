"""The pace of a subscriber: calls begin at even distances, whoever makes them, and none before its moment.

Claims hand out moments to begin at, one after the other with the subscriber locked, and note in `paced_until` how far
they are (the generic cell rate algorithm of ITU-T I.371, without a burst). They look `AHEAD` of the clock, so that none
is lost between two looks of the workers; who claimed a delivery waits until its moment has come. A worker that is held
up goes on with all at once whose moments have passed: no more than it had claimed, which is those of one second.
"""

import math
from datetime import datetime, timedelta

from events.models import Subscriber

AHEAD = timedelta(seconds=1)  # twice as long as workers rest between two looks


def free_moments(subscriber: Subscriber, now: datetime) -> int | None:
    """How many calls may be claimed by now; None where the pace sets no limit."""
    if not subscriber.rate_per_second:
        return None
    left = now + AHEAD - _next(subscriber, now)
    return max(0, math.floor(left.total_seconds() * subscriber.rate_per_second) + 1)


def take_moments(subscriber: Subscriber, count: int, now: datetime) -> list[datetime] | None:
    """When each of so many calls begins; the subscriber is locked. None where the pace sets no limit."""
    if not subscriber.rate_per_second:
        return None
    start, step = _next(subscriber, now), timedelta(seconds=1) / subscriber.rate_per_second
    Subscriber.objects.filter(pk=subscriber.pk).update(paced_until=start + count * step)
    return [start + number * step for number in range(count)]


def _next(subscriber: Subscriber, now: datetime) -> datetime:
    return max(subscriber.paced_until or now, now)
