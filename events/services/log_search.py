"""Looking through the log as people do: newest first, by what an event is, whom it is about, who did it and when.

Each question is answered from an index in the order of positions, however long the log is. Where a second one is asked
as well, no index has both: then so many events that answer the first are looked through, and the reader is told how far
that went.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Min, Q
from django.db.models.expressions import Combinable, F, Value
from django.db.models.functions import Coalesce, Left
from django.db.models.lookups import Exact, In

from events.catalog import CATALOG, CUSTOM_PREFIX
from events.models import Event, EventQuerySet
from fastgen_backend.connections import planned_for_its_values

LOOKED_THROUGH_MAX = 10_000  # events in one go, where two questions are asked
AROUND = 200  # events beside a moment: those made at once may have their places in another order


@dataclass(frozen=True, slots=True)
class LogSearch:
    """What is asked for; empty: everything.

    `type` is a filter as webhooks have them: a type, a type and stage, a prefix or `*`. `subject` is an id, `actor`
    who did it (`user:<id>`, `apiKey:<id>`, `app:<id>`), `since` and `until` when it happened.
    """

    type: str = ""
    source: str = ""
    subject: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Found(NamedTuple):
    """Events, newest first; `next_before` is the position to go on below, None at the end of the log.

    Where there may be more although these are few, `looked_back_to` is the position down to which was looked.
    """

    events: list[Event]
    next_before: int | None
    looked_back_to: int | None


@planned_for_its_values()
def search_log(search: LogSearch, *, before: int | None = None, limit: int = 50) -> Found:
    """Up to `limit` events that have their place in the log, below the position `before`."""
    log = _within(search, before)
    if log is None:
        return Found([], None, None)
    leading, others = _questions(search)
    if others:
        return _look_through(log, leading, others, limit)
    return _found(_newest(log, leading, limit + 1), limit)


@planned_for_its_values()
def newer_events(search: LogSearch, *, after: int, limit: int = 50) -> list[Event]:
    """What came above the position `after`, and what is not sequenced yet: newest first, at most `limit`."""
    return _newest_among(Event.objects.filter(Q(position__gt=after) | Q(position=None)), search, limit)


@planned_for_its_values()
def unsequenced_events(search: LogSearch, *, limit: int = 50) -> list[Event]:
    """What is committed and has no place in the log yet, newest first."""
    return _newest_among(Event.objects.filter(position=None), search, limit)


def _within(search: LogSearch, before: int | None) -> EventQuerySet | None:
    """The part of the log that the times and the page allow, as a range of positions; None where that is empty."""
    log = Event.objects.positioned()
    if before is not None:
        log = log.filter(position__lt=before)
    if search.since:
        first = Event.objects.made_since(search.since).positioned().order_by("uid")[:AROUND]
        lowest = first.aggregate(at=Min("position"))["at"]
        if lowest is None:
            return None
        log = log.filter(position__gte=lowest, created_at__gte=search.since)
    if search.until:
        last = Event.objects.made_before(search.until).positioned().order_by("-uid")[:AROUND]
        highest = last.aggregate(at=Max("position"))["at"]
        if highest is None:
            return None
        log = log.filter(position__lte=highest, created_at__lt=search.until)
    return log


Question = tuple[str, list[str]]  # a column and the values that are right


def _questions(search: LogSearch) -> tuple[Question | None, list[Q]]:
    """The one question that an index answers, that with the fewest answers first; and the others."""
    types, others = _types(search.type)
    asked = {"subject": [search.subject], "actor": [search.actor], "type": types, "source": [search.source]}
    answered: list[Question] = [(column, values) for column, values in asked.items() if any(values)]
    answered.sort(key=lambda question: len(question[1]))  # of several types no index is in the order of positions
    others += [Q(In(_without_index(column), values)) for column, values in answered[1:]]
    return (answered[0] if answered else None), others


def _types(wanted: str) -> tuple[list[str], list[Q]]:
    """The types that a filter names, and what else it asks; of custom types nobody knows which there are."""
    type, _, stage = wanted.partition(":")
    if type in ("", "*"):
        return [""], []
    if not type.endswith("*"):
        return [type], [Q(Exact(_without_index("stage"), stage))] if stage else []
    prefix = type[:-1]
    if prefix.startswith(CUSTOM_PREFIX) or CUSTOM_PREFIX.startswith(prefix):
        return [""], [Q(Exact(Left("type", len(prefix)), prefix))]
    return sorted({type for type, _stage in CATALOG if type.startswith(prefix)}), []


def _newest(log: EventQuerySet, leading: Question | None, count: int) -> list[Event]:
    """The newest so many; of several values the newest of each, together."""
    if leading is None:
        return list(log.for_lists().order_by("-position")[:count])
    column, values = leading
    parts = [log.filter(**{column: value}).order_by("-position")[:count] for value in values]
    if len(parts) == 1:
        return list(parts[0].for_lists())
    first, *more = (Event.objects.filter(pk__in=part.values("pk")).for_lists() for part in parts)
    return list(first.union(*more, all=True).order_by("-position")[:count])


def _look_through(log: EventQuerySet, leading: Question | None, others: list[Q], limit: int) -> Found:
    if leading:
        column, values = leading
        log = log.filter(**{f"{column}__in": values})
    looked_at = log.order_by("-position")[:LOOKED_THROUGH_MAX]
    matching = Event.objects.filter(pk__in=looked_at.values("pk")).filter(*others).for_lists()
    found = _found(list(matching.order_by("-position")[: limit + 1]), limit)
    if found.next_before is not None:
        return found
    end = log.order_by("-position").values_list("position", flat=True)[LOOKED_THROUGH_MAX - 1 : LOOKED_THROUGH_MAX]
    floor = end.first()
    return Found(found.events, floor, floor)


def _found(events: list[Event], limit: int) -> Found:
    shown = events[:limit]
    return Found(shown, shown[-1].position if len(events) > limit else None, None)


def _newest_among(few: EventQuerySet, search: LogSearch, limit: int) -> list[Event]:
    """Those of a few events that are asked for, the newest first."""
    events = Event.objects.filter(pk__in=few.order_by("-id")[:LOOKED_THROUGH_MAX].values("pk"))
    leading, others = _questions(search)
    if leading:
        column, values = leading
        events = events.filter(In(_without_index(column), values))
    if search.since:
        events = events.filter(created_at__gte=search.since)
    if search.until:
        events = events.filter(created_at__lt=search.until)
    return list(events.filter(*others).for_lists().order_by("-id")[:limit])


def _without_index(column: str) -> Combinable:
    """The column as no index has it, so that no planner leaves the few rows that were chosen for all with its value."""
    return Coalesce(F(column), Value(""))
