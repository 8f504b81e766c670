"""How the telling of each of several events stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count

from events.models import Delivery, Event, FinishedDelivery


@dataclass(slots=True)
class DeliveryCounts:
    """How many subscribers have an event, are still to get it, and were given up."""

    delivered: int = 0
    pending: int = 0
    dead: int = 0

    @property
    def promised(self) -> int:
        return self.delivered + self.pending + self.dead


def count_deliveries(events: Iterable[Event]) -> dict[int, DeliveryCounts]:
    """The counts of each event, by its `id`, in two queries."""
    counts = {event.pk: DeliveryCounts() for event in events}
    pending = Delivery.objects.filter(event__in=counts).order_by().values_list("event").annotate(many=Count("pk"))
    for event, many in pending:
        counts[event].pending = many
    finished = FinishedDelivery.objects.filter(event__in=counts).order_by().values_list("event", "state")
    for event, state, many in finished.annotate(many=Count("pk")):
        setattr(counts[event], state, many)
    return counts
