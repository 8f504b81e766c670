"""What a replay tells once more: which part of the log or which dead letters, and how many that are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max, Min, Q, QuerySet
from django.utils.translation import gettext as _

from events.models import Event, FinishedDelivery, Outage, Replay, Webhook
from events.services.log_head import newest_position
from events.services.log_search import AROUND
from events.services.reading import any_of, check_filters, position_of
from fastgen_backend.errors import FieldError, InvalidInput

Moment = datetime | str  # a time, or the public id of an event
OUTAGES_AT_ONCE = 200  # in one condition: SQLite nests them no deeper than 1,000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: of a `RANGE`, `begin` and `end` are its bounds, open where they are None: of events
    both are included, of times the first.

    `filters` narrow what the webhook subscribes to. Dead letters and what was missed are always all there is.
    """

    kind: str = Replay.Kind.RANGE
    begin: Moment | None = None
    end: Moment | None = None
    filters: Sequence[str] = ()


class Extent(NamedTuple):
    """Everything above `after` up to `until`, and how many that are.

    Of a part of the log `oldest` is the position of the oldest event that was kept when it was measured; 0 of letters.
    """

    after: int
    until: int
    total: int
    oldest: int = 0

    @property
    def incomplete(self) -> bool:
        """Whether some of its events are no longer kept."""
        return self.after < self.until and self.after + 1 < self.oldest

    def is_shorter(self, oldest: int) -> bool:
        """Whether some were forgotten since it was measured: now `oldest` is the oldest that is kept."""
        return 0 < self.oldest < oldest and self.after + 1 < oldest


def measure(webhook: Webhook, wanted: Wanted) -> Extent:
    """What a replay that begins now would tell. Outside of any transaction: in a large log, to count takes its time.

    Raises `InvalidInput`, `FilterMalformed`, `EventUnknown` or `EventGone`.
    """
    _check(wanted)
    if wanted.kind == Replay.Kind.DEAD_LETTERS:
        letters = dead_letters(webhook.pk)
        newest = letters.aggregate(newest=Max("sequence"))["newest"] or 0
        return Extent(0, newest, letters.filter(sequence__lte=newest).count())
    oldest = _oldest_position()  # before the rest, which may be shortened meanwhile
    after, until = missed_between(webhook) if wanted.kind == Replay.Kind.MISSED else _bounds(wanted)
    until = max(after, until)
    if wanted.kind == Replay.Kind.MISSED:
        return Extent(after, until, count_missed(webhook, until=until), oldest)
    events = log_between(after, until).filter(any_of(webhook.subscriber.filters), any_of(wanted.filters))
    return Extent(after, until, events.count(), oldest)


def count_missed(webhook: Webhook, *, until: int | None = None, most: int | None = None) -> int:
    """How many events up to a position it missed, that were not replayed since; `most` at most, and quickly then."""
    until = newest_position() if until is None else until
    outages, number = unreplayed_outages(webhook), 0
    for start in range(0, len(outages), OUTAGES_AT_ONCE):
        some = outages[start : start + OUTAGES_AT_ONCE]
        end = until if some[-1].until is None else min(until, some[-1].until)
        events = log_between(some[0].after, end).filter(any_of(webhook.subscriber.filters), during(some))
        number += events.count() if most is None else events[: most - number].count()
        if number == most:
            break
    return number


def dead_letters(webhook_id: UUID) -> QuerySet[FinishedDelivery]:
    """What a webhook never took and was not promised again since, oldest first."""
    return FinishedDelivery.objects.dead_letters().filter(subscriber=webhook_id)


def log_between(after: int, until: int) -> QuerySet[Event]:
    """The log above one position, up to another."""
    return Event.objects.filter(position__gt=after, position__lte=until).order_by("position")


def unreplayed_outages(webhook: Webhook) -> list[Outage]:
    """The times in which this webhook was switched off, of which nothing was replayed yet, oldest first."""
    return list(webhook.outages.unreplayed().order_by("after"))


def during(outages: Sequence[Outage]) -> Q:
    """The condition on events that they are of these times, `OUTAGES_AT_ONCE` at most; the last may still go on."""
    condition = Q(pk__in=[])
    for outage in outages:
        within = Q(position__gt=outage.after)
        condition |= within if outage.until is None else within & Q(position__lte=outage.until)
    return condition


def missed_between(webhook: Webhook) -> tuple[int, int]:
    """The positions above which and up to which lies all that it missed and was not replayed since."""
    outages = unreplayed_outages(webhook)
    if not outages:
        return 0, 0
    ends = [newest_position() if outage.until is None else outage.until for outage in outages]
    return outages[0].after, max(ends)


def _bounds(wanted: Wanted) -> tuple[int, int]:
    newest = newest_position()
    begin, end = wanted.begin, wanted.end
    after = 0 if begin is None else _position_before(begin)
    after = newest if after is None else after
    until = newest if end is None else _position_of_last(end)
    if isinstance(begin, datetime) and isinstance(end, datetime):
        is_reversed = begin > end
    else:
        is_reversed = begin is not None and end is not None and after >= until
    if is_reversed:
        raise InvalidInput([FieldError("/to", "before-from", _("The range ends before it begins."))])
    return after, until


def _position_before(begin: Moment) -> int | None:
    """The position before the first event of then or later; None where there is none, 0 where it is the oldest kept."""
    if isinstance(begin, str):
        return position_of(begin, field="from") - 1
    first = Event.objects.positioned().made_since(begin).order_by("uid")[:AROUND].aggregate(at=Min("position"))["at"]
    if first is None:
        return None
    return 0 if first == _oldest_position() else first - 1


def _position_of_last(end: Moment) -> int:
    """The position of this event, or of the last one before this time; 0 where there is none."""
    if isinstance(end, str):
        return position_of(end, field="to")
    last = Event.objects.positioned().made_before(end).order_by("-uid")[:AROUND]
    return last.aggregate(at=Max("position"))["at"] or 0


def _oldest_position() -> int:
    return Event.objects.positioned().order_by("position").values_list("position", flat=True).first() or 1


def _check(wanted: Wanted) -> None:
    check_filters(wanted.filters, field="events")
    if wanted.kind == Replay.Kind.RANGE:
        return
    given = {"from": wanted.begin, "to": wanted.end, "events": wanted.filters}
    detail = _("Only a replay of a range has this: of what was missed, and of dead letters, all is replayed.")
    if errors := [FieldError(f"/{name}", "not-of-this-kind", detail) for name, value in given.items() if value]:
        raise InvalidInput(errors)
