"""Signed deliveries per second by one worker, a real process, beside bare unsigned calls to the same receiver."""

import contextlib
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator

from events.models import Delivery, FinishedDelivery, Subscriber, Webhook
from events.services.sequencing import sequence_events
from events.services.webhooks import create_webhook
from fastgen_backend.origin import COMMAND_LINE
from tests.bench.figures import Figure
from tests.bench.log import insert_events
from tests.bench.places import running
from tests.processes import wait_for

ROUNDS = 3
WEBHOOKS = 4
AT_ONCE = 64  # by each webhook
EVENTS = 1500  # for each webhook
CALLS = 5000
LEAST = {"SQLite": 500, "PostgreSQL": 1500}
PATIENCE_SECONDS = 40


def measure(database: str) -> Iterator[Figure]:
    with receiver() as url:
        _subscribe(url)
        rounds = [(_bare_calls(url), _deliveries(url)) for _ in range(ROUNDS)]
    bare, delivered = zip(*rounds, strict=True)
    note = f"{WEBHOOKS} webhooks, {AT_ONCE} at once each"
    least = LEAST[database]
    yield Figure(database, "deliver to webhooks", "/s", delivered, "bare calls", bare, least=least, note=note)


def _deliveries(url: str) -> float:
    """From the first call to the last acknowledgement; everything is due before the worker starts."""
    insert_events(EVENTS)
    while sequence_events():
        pass
    _received(url)
    with running("manage.py", "events_worker", DATABASE_URL=os.environ["DATABASE_URL"]):
        assert wait_for(lambda: not Delivery.objects.exists(), PATIENCE_SECONDS), "The worker did not finish in time."
        end = time.monotonic()
    count, first = _received(url)
    assert count == EVENTS * WEBHOOKS, f"{count} calls came."
    assert not FinishedDelivery.objects.exclude(state=FinishedDelivery.State.DELIVERED).exists()
    return count / (end - first)


def _subscribe(url: str) -> None:
    Subscriber.objects.all().delete()
    for number in range(WEBHOOKS):
        create_webhook(
            url=f"{url}/hook/{number}",
            filters=["custom.*"],
            origin=COMMAND_LINE,
            may_see_secrets=False,
            max_concurrency=AT_ONCE,
        )
    assert Webhook.objects.count() == WEBHOOKS


def _bare_calls(url: str) -> float:
    with running("-m", "tests.bench.calls", url, str(CALLS), str(WEBHOOKS * AT_ONCE), out=subprocess.PIPE) as process:
        return float(process.communicate(timeout=PATIENCE_SECONDS)[0])


def _received(url: str) -> tuple[int, float]:
    """How many calls came since this was asked last, and when the first did."""
    with urllib.request.urlopen(url) as answer:
        told = json.load(answer)
    return told["count"], told["first"]


@contextlib.contextmanager
def receiver() -> Iterator[str]:
    with running("-m", "tests.bench.receiver", out=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
