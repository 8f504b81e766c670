"""G7, that one slow subscriber takes its own share at most: how long 50 webhooks wait for their events beside one that
hangs with a backlog, against how long without it."""

import contextlib
import os
import socket
import statistics
import time
from collections.abc import Iterator

from events.models import Event, FinishedDelivery, Subscriber, Webhook, Worker
from events.services.sequencing import sequence_events
from events.services.webhooks import create_webhook, delete_webhook
from fastgen_backend.origin import COMMAND_LINE
from tests.bench.deliveries import receiver
from tests.bench.figures import Figure
from tests.bench.places import running
from tests.processes import wait_for

ROUNDS = 3
HEALTHY = 50
EVENTS = 20  # for each, one after the other
PAUSE_SECONDS = 0.15
BACKLOG = 500  # of the one that hangs
MOST = 1.25
PATIENCE_SECONDS = 60


def measure(database: str) -> Iterator[Figure]:
    """The 95th percentile from the commit of an event to the acknowledgement of its delivery, in turns."""
    with receiver() as url, _hanging() as hanging:
        Subscriber.objects.all().delete()
        for number in range(HEALTHY):
            _subscribe(f"{url}/hook/{number}", "custom.order_placed")
        alone, beside = zip(*[(_waits(), _waits_beside(hanging)) for _ in range(ROUNDS)], strict=True)
    note = f"{HEALTHY} webhooks, each event told to all; the slow one never answers and has {BACKLOG} more waiting"
    yield Figure(database, "wait beside a slow one, p95", "ms", beside, "without it", alone, note=note)
    ratios = [slow / plain for slow, plain in zip(beside, alone, strict=True)]
    yield Figure(database, "the same, to without it", "×", ratios, most=MOST)


def _waits_beside(hanging: str) -> float:
    slow = _subscribe(hanging, "custom.*")
    Event.objects.bulk_create(Event(type="custom.backlog", source="api", data={}) for _ in range(BACKLOG))
    while sequence_events():
        pass
    try:
        return _waits()
    finally:
        delete_webhook(webhook_id=slow.pk)


def _waits() -> float:
    """How long all but the slowest twentieth waited at most, in milliseconds."""
    Worker.objects.all().delete()
    FinishedDelivery.objects.all().delete()
    with running("manage.py", "events_worker", DATABASE_URL=os.environ["DATABASE_URL"]) as worker:
        assert wait_for(Worker.objects.exists, PATIENCE_SECONDS), "The worker did not start."
        time.sleep(1)  # in which it claims what the slow one has waiting
        for _ in range(EVENTS):
            Event.objects.create(type="custom.order_placed", source="api", data={"order": 1})
            time.sleep(PAUSE_SECONDS)
        finished = FinishedDelivery.objects.filter(event__type="custom.order_placed")
        assert wait_for(lambda: finished.count() == HEALTHY * EVENTS, PATIENCE_SECONDS), "Not all were told in time."
        worker.kill()  # calls that hang are not waited for
    moments = finished.values_list("event__created_at", "finished_at")
    return statistics.quantiles([(told - made).total_seconds() * 1000 for made, told in moments], n=20)[-1]


def _subscribe(url: str, *filters: str) -> Webhook:
    return create_webhook(url=url, filters=list(filters), origin=COMMAND_LINE, may_see_secrets=False).webhook


@contextlib.contextmanager
def _hanging() -> Iterator[str]:
    """Connections to it are made, by the kernel, and nobody ever reads them."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
