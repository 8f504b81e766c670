"""Workers die, stop and wake up amid deliveries that have an order: nothing overtakes, overlaps or is lost (G5)."""

import asyncio
import json
import signal
from collections import defaultdict

from tests.chaos.conftest import Installation
from tests.processes import wait_for
from tests.receivers import Call, Receiver, answer

SUBJECTS = 6
ROUNDS = 8
EVENTS = SUBJECTS * ROUNDS
SET_UP = """
import django; django.setup()
from events.models import Subscriber
from events.services.webhooks import create_webhook
from fastgen_backend.origin import COMMAND_LINE
Subscriber.objects.all().delete()
for mode, more in (("ordered", {{}}), ("perSubject", {{"rate_per_second": 8}})):
    create_webhook(
        url="{url}/" + mode, filters=["custom.*"], origin=COMMAND_LINE, may_see_secrets=False, mode=mode, **more
    )
"""
HAPPEN = f"""
import django; django.setup()
from events.models import Event
for number in range({EVENTS}):
    subject = f"subject-{{number % {SUBJECTS}}}"
    Event.objects.create(type="custom.a", source="cli", subject=subject, data={{"number": number, "subject": subject}})
"""


class Orderly:
    """Answers after a moment, and remembers what each lane was told, and whether two calls of one were under way."""

    def __init__(self) -> None:
        self.told: dict[str, list[int]] = defaultdict(list)
        self.overlaps: list[str] = []
        self._under_way: set[str] = set()

    async def __call__(self, call: Call, writer: asyncio.StreamWriter) -> None:
        data = json.loads(call.body)["data"]
        lane = call.path if call.path == "/ordered" else data["subject"]
        self.told[lane].append(data["number"])
        if lane in self._under_way:
            self.overlaps.append(f"{lane} at {data['number']}")
        self._under_way.add(lane)
        await asyncio.sleep(0.1)
        self._under_way.discard(lane)
        await answer(204)(call, writer)


def test_order_survives_workers_that_die_and_workers_that_wake_up(installation: Installation, receiver: Receiver):
    orderly = Orderly()
    for path in ("/ordered", "/perSubject"):
        receiver.on(path, orderly)
    installation.settings |= {"WEBHOOK_TIMEOUT_SECONDS": "3", "WORKER_SENDS_AT_ONCE": "4"}  # so that two are busy
    installation.run(SET_UP.format(url=receiver.url))
    installation.run(HAPPEN)
    dying, sleeping = installation.start_worker(), installation.start_worker()
    assert wait_for(lambda: len(_holders(installation)) == 2)

    dying.kill()
    installation.put_to_sleep(sleeping)
    installation.start_worker()
    lost = _holders(installation)
    assert wait_for(lambda: not _holders(installation) & lost)
    sleeping.send_signal(signal.SIGCONT)

    assert wait_for(lambda: installation.count("events_finisheddelivery") == 2 * EVENTS)
    assert orderly.overlaps == []
    assert all(numbers == sorted(numbers) for numbers in orderly.told.values())
    assert set(orderly.told["/ordered"]) == set(range(EVENTS))
    for each in range(SUBJECTS):
        assert set(orderly.told[f"subject-{each}"]) == set(range(each, EVENTS, SUBJECTS))


def _holders(installation: Installation) -> set[object]:
    """The workers that hold deliveries."""
    return {row[0] for row in installation.query("SELECT worker FROM events_delivery WHERE worker IS NOT NULL")}
