"""A worker that was told to stop ends, whatever its threads do; what a dead one had in hand goes on soon."""

import subprocess
import sys
import time
from datetime import timedelta

import pytest

from events.services.leases import HEARTBEAT_SECONDS, SILENCE
from events.worker import LOOK_FOR_DUE_SECONDS
from tests.processes import PATIENCE, PROJECT, environment

HANG = """
import asyncio, time
from unittest import mock
import django; django.setup()
from django.core.management import call_command
from events.database_threads import DatabaseThreads

class Worker:
    async def run(self):
        threads = DatabaseThreads(1)
        asyncio.create_task(threads.run(time.sleep, 300))
        await asyncio.sleep(0.1)
        await threads.close()
        print("closed", flush=True)

command = "events.management.commands.events_worker"
with mock.patch(f"{command}.EventsWorker", Worker), mock.patch(f"{command}.verify_key"):
    call_command("events_worker")
"""


@pytest.mark.whichever_database
def test_a_handler_that_hangs_keeps_no_worker_from_its_end():
    start = time.monotonic()
    line = [sys.executable, "-c", HANG]
    settings = environment({"DJANGO_SETTINGS_MODULE": "fastgen_backend.settings"})

    ended = subprocess.run(
        line, env=settings, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "closed\n", "")
    assert time.monotonic() - start < 100


@pytest.mark.whichever_database
def test_what_a_dead_worker_had_in_hand_goes_on_within_fifteen_seconds():
    until_somebody_reaps, until_somebody_claims = HEARTBEAT_SECONDS, LOOK_FOR_DUE_SECONDS  # reaping goes with the beat

    assert SILENCE + timedelta(seconds=until_somebody_reaps + until_somebody_claims) <= timedelta(seconds=15)
