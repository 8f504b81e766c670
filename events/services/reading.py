"""Reading the log: pages of what a caller may see."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Left
from django.db.models.lookups import Exact

from events.filters import FILTERS_MAX, FilterMalformed, check_filter
from events.models import Event
from fastgen_backend.connections import planned_for_its_values
from fastgen_backend.errors import DomainError, NotFound
from fastgen_backend.ids import unix_millis

CLOCKS_DIFFER_MILLIS = 5_000  # at most, between the machines that make ids: positions do not follow them exactly


class EventUnknown(DomainError):
    code = "event-unknown"
    title = "There never was an event with this id"
    field = "after"


class EventGone(DomainError):
    """The event was there, and is older than what is kept."""

    status = 410
    code = "event-gone"
    title = "This event is older than what is kept"
    field = "after"


class EventPage(NamedTuple):
    """Events in the order asked for, whether there are more behind them, and the id to go on from.

    `cursor` is empty only where the log is.
    """

    events: list[Event]
    has_more: bool
    cursor: str


def read_log(*, after: str = "", filters: Sequence[str] = (), limit: int = 50, newest_first: bool = False) -> EventPage:
    """Up to `limit` positioned events behind the event `after`, oldest first unless `newest_first`.

    The page's cursor is the last event that was considered: of a full page the last one on it, otherwise the end of the
    log in this order, whether or not it matched. So a reader of a rare type keeps up with the log and its cursor never
    grows older than what is kept. The end is read before the page, and the page goes no further: positions become
    visible in their order, so whatever matches up to there is on the page, and whatever comes meanwhile is behind the
    cursor. Newest first, the end is the oldest event; nothing ever comes behind it.

    Raises `EventUnknown`, `EventGone` or `FilterMalformed`.
    """
    check_filters(filters)
    order, behind, up_to = ("-position", "lt", "gte") if newest_first else ("position", "gt", "lte")
    log = Event.objects.positioned().order_by(order)
    events = log.filter(**{f"position__{behind}": position_of(after)}) if after else log
    end = log.only("uid", "position").last()
    if end is None:
        return EventPage([], has_more=False, cursor=after)
    with (
        planned_for_its_values() if filters else nullcontext()
    ):  # a rare type is found by its index, a common one among all
        found = list(events.filter(any_of(filters), **{f"position__{up_to}": end.position})[: limit + 1])
    has_more = len(found) > limit
    last = found[limit - 1] if has_more else end
    return EventPage(found[:limit], has_more, last.public_id)


def position_of(public_id: str, *, field: str = "after") -> int:
    """The place of an event in the log; raises `EventUnknown`, or `EventGone` with the oldest id that is kept.

    Both name `field`.
    """
    found = Event.objects.by_public_id(public_id).positioned().values_list("position", flat=True).first()
    if found is not None:
        return found
    oldest = Event.objects.positioned().order_by("position").first()
    if oldest and oldest.position and oldest.position > 1 and _made_before(public_id, oldest):
        raise EventGone(f"This event is no longer kept; the oldest one is {oldest.public_id}.", field=field)
    raise EventUnknown(
        "There is no event with this id in the log; pass the id of one that you read there.", field=field
    )


def read_event(public_id: str) -> Event:
    """One event, sequenced or not; raises `NotFound`."""
    event = Event.objects.by_public_id(public_id).select_related("secret").first()
    if event is None:
        raise NotFound("There is no such event.")
    return event


def check_filters(filters: Sequence[str], *, field: str = "types") -> None:
    """Make sure that these can all match, and are not too many; raises `FilterMalformed`, which names `field`."""
    if len(filters) > FILTERS_MAX:
        raise FilterMalformed(f"Name {FILTERS_MAX} filters at most.", field=field)
    for text in filters:
        check_filter(text, field=field)


def any_of(filters: Sequence[str]) -> Q:
    """The filters as a condition on events, with the meaning that `events.filters.matches` gives them; none: all."""
    wanted = Q()
    for text in filters:
        kind, _, stage = text.partition(":")
        if kind.endswith("*"):
            prefix = kind[:-1]
            wanted |= Q(Exact(Left("type", len(prefix)), prefix)) if prefix else Q(type__isnull=False)
        else:
            wanted |= Q(type=kind, stage=stage) if stage else Q(type=kind)
    return wanted


def _made_before(public_id: str, oldest: Event) -> bool:
    try:
        made = unix_millis(UUID(public_id.removeprefix("evt_")))
    except ValueError:
        return False
    return public_id.startswith("evt_") and made < unix_millis(oldest.uid) + CLOCKS_DIFFER_MILLIS
