"""Workers die by SIGKILL amid a replay: it goes on, with no event left out and none promised twice."""

import signal

import pytest

from tests.chaos.conftest import EVENTS, Installation
from tests.processes import PATIENCE, wait_for

SEQUENCE_AND_REPLAY = """
import django; django.setup()
from events.models import Webhook
from events.services.replay_ranges import Wanted
from events.services.replays import start_replay
from events.services.sequencing import sequence_events
from fastgen_backend.origin import COMMAND_LINE
sequence_events()
start_replay(webhook_id=Webhook.objects.get().pk, wanted=Wanted(), origin=COMMAND_LINE)
"""


@pytest.mark.parametrize("moment", ["amid-replay", "after-replay"])
def test_a_replay_promises_every_event_once_more_and_no_oftener(moment: str, installation: Installation):
    installation.happen()
    installation.run(SEQUENCE_AND_REPLAY)

    killed = installation.start_worker(dies=moment)
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    installation.start_worker()
    assert wait_for(lambda: installation.count("events_finisheddelivery") >= 2 * EVENTS)

    times = installation.query("SELECT count(*) FROM events_finisheddelivery GROUP BY event_id")
    sequences = installation.query("SELECT sequence FROM events_finisheddelivery ORDER BY sequence")
    assert [row[0] for row in times] == [2] * EVENTS
    assert [row[0] for row in sequences] == list(range(1, 2 * EVENTS + 1))
    assert installation.query("SELECT state, promised FROM events_replay") == [("done", EVENTS)]
