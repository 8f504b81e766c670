"""Reading what became of promises: pending and finished deliveries as one list, each with its attempts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from events.models import Attempt, Delivery, Event, FinishedDelivery, Subscriber, Trial, Webhook
from events.services.trials import event_of
from fastgen_backend.errors import NotFound

ANSWERS_MAX = 4_000_000  # characters of what was answered, on a page
HELD_UNTIL = F("subscriber__webhook__open_until")  # a webhook whose calls failed; handlers have none
PENDING = "pending"
STATES = (PENDING, *FinishedDelivery.State.values)
Row = Delivery | FinishedDelivery | Trial


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """One promise, whichever table it stands in, or a trial call; and the tries at it, oldest first."""

    row: Row
    attempts: list[Attempt]

    @property
    def state(self) -> str:
        """One of `STATES`. A trial that failed is dead at once."""
        if isinstance(self.row, FinishedDelivery):
            return self.row.state
        if isinstance(self.row, Delivery) or self.row.delivered is None:
            return PENDING
        return FinishedDelivery.State.DELIVERED if self.row.delivered else FinishedDelivery.State.DEAD

    @property
    def is_test(self) -> bool:
        """Whether the event never happened, and was sent on request."""
        return isinstance(self.row, Trial)

    @property
    def webhook_id(self) -> UUID:
        """The webhook, or the handler where it is one's."""
        return self.row.webhook_id if isinstance(self.row, Trial) else self.row.subscriber_id

    @property
    def webhook(self) -> Webhook:
        """The webhook; there is none of a handler's."""
        return self.row.webhook if isinstance(self.row, Trial) else self.row.subscriber.webhook

    @property
    def event(self) -> Event:
        """What is told; of a trial it is in no database."""
        return event_of(self.row) if isinstance(self.row, Trial) else self.row.event

    @property
    def sequence(self) -> int | None:
        """Its place among what the subscriber was promised; a trial has none."""
        return None if isinstance(self.row, Trial) else self.row.sequence

    @property
    def next_attempt_at(self) -> datetime | None:
        """When it is due and its webhook not held back; None for one that is finished, or waits behind another."""
        if isinstance(self.row, Trial):
            return self.row.created_at if self.row.delivered is None else None
        if not isinstance(self.row, Delivery) or self.row.blocked:
            return None
        return max(self.row.due_at, getattr(self.row, "held_until", None) or self.row.due_at)

    @property
    def waits_behind(self) -> int | None:
        """The sequence of the delivery that is to be made before it. Lists of a webhook's deliveries don't tell it."""
        is_behind = isinstance(self.row, Delivery) and self.row.blocked
        return getattr(self.row, "first_of_lane", None) if is_behind else None

    @property
    def redelivered_as(self) -> UUID | None:
        """The delivery that a dead letter was promised again as."""
        return self.row.redelivered_as if isinstance(self.row, FinishedDelivery) else None


class DeliveryPage(NamedTuple):
    """Deliveries, newest first, and whether there are more behind them."""

    deliveries: list[LoggedDelivery]
    has_more: bool


def read_deliveries(
    subscriber_id: UUID,
    *,
    before: int | None = None,
    limit: int = 50,
    state: str = "",
    event_type: str = "",
    with_answers: bool = True,
) -> DeliveryPage:
    """Up to `limit` deliveries of a subscriber with a lower `sequence` than `before`, newest first.

    Only those in `state` (one of `STATES`) and of `event_type`, where these are given. Pending and finished ones share
    one sequence; one that finishes between the two looks is shown once. With what was answered to their attempts, a
    page ends earlier where that is more than `ANSWERS_MAX`; without, the attempts have no `response_body`.
    """
    wanted: dict[str, Any] = {"subscriber": subscriber_id}
    wanted |= {"sequence__lt": before} if before is not None else {}
    wanted |= {"event__type": event_type} if event_type else {}
    pending = Delivery.objects.filter(**wanted) if state in {"", PENDING} else Delivery.objects.none()
    finished = FinishedDelivery.objects.filter(**wanted).in_state(state)
    page = slice(limit + 1)
    rows: list[Delivery | FinishedDelivery] = list(
        pending.select_related("event").defer("event__data").annotate(held_until=HELD_UNTIL).order_by("-sequence")[page]
    )
    rows += finished.select_related("event").defer("event__data").order_by("-sequence")[page]
    by_sequence = {row.sequence: row for row in rows}
    found = sorted(by_sequence.values(), key=lambda row: -row.sequence)
    fitting = _number_that_fits(found[:limit]) if with_answers else limit
    return DeliveryPage(with_attempts(found[:fitting], with_answers=with_answers), len(found) > fitting)


def read_delivery(delivery_id: UUID) -> LoggedDelivery:
    """One delivery to a webhook, or trial call, with its event and webhook; raises `NotFound`."""
    rows: list[Row] = [*_from_both_tables(pk=delivery_id, subscriber__kind=Subscriber.Kind.WEBHOOK)]
    rows += Trial.objects.filter(pk=delivery_id).select_related("webhook")
    if not rows:
        raise NotFound(_("There is no such delivery."))
    return with_attempts(rows)[0]


def deliveries_of(event: Event, *, most: int) -> tuple[list[LoggedDelivery], int]:
    """The first `most` deliveries of one event, to webhooks and handlers, as they were promised; and how many there are
    in all.

    In three queries; tries are read of what is told alone, as their answers may be large.
    """
    rows = _from_both_tables(event=event)
    return with_attempts(rows[:most]), len(rows)


def with_attempts(rows: Iterable[Row], *, with_answers: bool = True) -> list[LoggedDelivery]:
    """The same deliveries in the same order, with their attempts, in one query."""
    rows = list(rows)
    attempts: dict[UUID, list[Attempt]] = defaultdict(list)
    theirs = Attempt.objects.filter(delivery_id__in=[row.pk for row in rows]).order_by("id")
    for attempt in theirs if with_answers else theirs.defer("response_body"):
        attempts[attempt.delivery_id].append(attempt)
    return [LoggedDelivery(row, attempts[row.pk]) for row in rows]


def _number_that_fits(rows: Sequence[Row]) -> int:
    """How many of these have no more than `ANSWERS_MAX` of answers; one always is taken."""
    theirs = Attempt.objects.filter(delivery_id__in=[row.pk for row in rows]).order_by()
    sizes = dict(theirs.values_list("delivery_id").annotate(size=Sum(Length("response_body"))))
    totals = accumulate(sizes.get(row.pk, 0) for row in rows)
    return max(1, sum(1 for _each in takewhile(lambda total: total <= ANSWERS_MAX, totals)))


def _from_both_tables(**which: Any) -> list[Delivery | FinishedDelivery]:
    """Deliveries by the order of their ids; one that finishes between the two looks is there once."""
    parts = ("event", "subscriber__webhook")
    in_lane = Delivery.objects.filter(subscriber=OuterRef("subscriber"), lane=OuterRef("lane"))
    first_of_lane = Subquery(in_lane.order_by("sequence").values("sequence")[:1])
    pending = Delivery.objects.filter(**which).select_related(*parts)
    pending = pending.annotate(first_of_lane=first_of_lane, held_until=HELD_UNTIL)
    rows: list[Delivery | FinishedDelivery] = list(pending)
    rows += FinishedDelivery.objects.filter(**which).select_related(*parts)
    by_id = {row.pk: row for row in rows}
    return [by_id[pk] for pk in sorted(by_id)]
