"""Workers die by SIGKILL, hang, or are told to stop. Nothing is lost, and nothing waits for long."""

import signal
import time

import pytest

from tests.chaos.conftest import EVENTS, LONGEST_WAIT_SECONDS, Installation, assert_promises_are_kept
from tests.processes import PATIENCE, wait_for
from tests.receivers import Receiver, after, answer


@pytest.mark.parametrize(
    "moment", ["before-send", "after-send", "before-acknowledge", "amid-acknowledge", "amid-sequence"]
)
def test_nothing_is_lost_or_late_when_a_worker_is_killed(moment: str, installation: Installation, receiver: Receiver):
    installation.happen()

    killed = installation.start_worker(dies=moment)
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    died = time.monotonic()
    installation.start_worker()

    assert wait_for(lambda: installation.count("events_finisheddelivery") == EVENTS)
    assert receiver.calls[-1].at - died < LONGEST_WAIT_SECONDS
    assert_promises_are_kept(installation, receiver)


def test_a_kill_of_one_of_two_workers_delays_nothing_for_long(installation: Installation, receiver: Receiver):
    receiver.on("/hook", after(1, answer(204)), answer(204))
    installation.happen()
    one = installation.start_worker()
    receiver.wait_for(1)
    installation.start_worker()
    assert wait_for(lambda: installation.count("events_worker") == 2)

    one.kill()
    died = time.monotonic()

    assert wait_for(lambda: installation.count("events_finisheddelivery") == EVENTS)
    assert receiver.calls[-1].at - died < LONGEST_WAIT_SECONDS
    assert_promises_are_kept(installation, receiver)


def test_a_worker_that_was_paused_goes_on_and_acknowledges_nothing_it_lost(
    installation: Installation, receiver: Receiver
):
    receiver.on("/hook", after(0.5, answer(204)))
    paused = installation.start_worker()
    installation.happen()
    receiver.wait_for(5)

    installation.put_to_sleep(paused)
    stopped = time.monotonic()
    installation.start_worker()
    kept = wait_for(lambda: installation.count("events_finisheddelivery") == EVENTS)
    waited = time.monotonic() - stopped
    paused.send_signal(signal.SIGCONT)

    assert kept
    assert waited < LONGEST_WAIT_SECONDS + 5  # the sending itself takes about 3 s
    assert wait_for(lambda: installation.count("events_worker") == 2)
    assert_promises_are_kept(installation, receiver)


def test_a_worker_that_is_told_to_stop_finishes_what_is_in_flight_and_signs_off(
    installation: Installation, receiver: Receiver
):
    receiver.on("/hook", after(1, answer(204)))
    worker = installation.start_worker()
    installation.happen()
    receiver.wait_for(5)

    worker.terminate()

    assert worker.wait(PATIENCE) == 0
    assert installation.count("events_finisheddelivery") == len(receiver.calls)
    assert installation.count("events_worker") == 0
    assert installation.query("SELECT id FROM events_delivery WHERE worker IS NOT NULL") == []
