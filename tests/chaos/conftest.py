"""An installation of which processes can be killed, and the promises that have to be kept all the same."""

import contextlib
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import KEY, PATIENCE, PROJECT, database_url, query, start
from tests.receivers import Receiver

__all__ = ["database_url", "start"]

EVENTS = 30
LONGEST_WAIT_SECONDS = 60  # of what a killed process had in hand: 15, and a machine that is busy with other things
SET_UP = """
import django; django.setup()
from django.core.management import call_command
from events.services.webhooks import create_webhook
from fastgen_backend.origin import COMMAND_LINE
call_command("migrate", verbosity=0)
create_webhook(url={url!r}, filters=["custom.*"], origin=COMMAND_LINE, may_see_secrets=False, max_concurrency=5)
"""
IN_TRANSACTIONS = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND state IN ('active', 'idle in transaction')
"""
HAPPEN = """
import django; django.setup()
from events.services.recording import record_custom_event
from fastgen_backend.origin import COMMAND_LINE
for number in range({count}):
    record_custom_event(type="custom.a", data={{"number": number}}, origin=COMMAND_LINE)
"""


class Installation:
    """A database of its own, with one webhook, and processes that work on it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._log = folder / "log"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.settings: dict[str, str] = {}

    def run(self, code: str) -> None:
        subprocess.run([sys.executable, "-c", code], env=self._environment(), cwd=PROJECT, check=True, timeout=PATIENCE)

    def start_worker(self, *, dies: str = "") -> subprocess.Popen[bytes]:
        line = ["tests/chaos/dying_worker.py", dies] if dies else ["manage.py", "events_worker"]
        with self._log.open("ab") as log:
            worker = subprocess.Popen([sys.executable, *line], env=self._environment(), cwd=PROJECT, stderr=log)
        self.workers.append(worker)
        return worker

    def put_to_sleep(self, worker: subprocess.Popen[bytes]) -> None:
        """Stop it until SIGCONT, but not amid a transaction, by which it would keep others waiting as long."""
        worker.send_signal(signal.SIGSTOP)
        while not self._nobody_writes():
            worker.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            worker.send_signal(signal.SIGSTOP)

    def _nobody_writes(self) -> bool:
        if not self.url.startswith("sqlite"):
            return not self.query(IN_TRANSACTIONS)
        path = self.url.removeprefix("sqlite:///")
        try:
            with contextlib.closing(sqlite3.connect(path, timeout=0.5)) as file:
                file.execute("BEGIN IMMEDIATE")
            for turn in ("next", "now"):
                with Path(f"{path}-{turn}").open("a") as file_of_turn:
                    fcntl.flock(file_of_turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (sqlite3.OperationalError, BlockingIOError):
            return False
        return True

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return query(self.url, statement)

    def count(self, table: str) -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608  names of our own tables

    def happen(self, count: int = EVENTS) -> None:
        """So many custom events are recorded."""
        self.run(HAPPEN.format(count=count))

    def _environment(self) -> dict[str, str]:
        settings = {"DATABASE_URL": self.url, "SECRET_KEY": KEY, "DJANGO_SETTINGS_MODULE": "fastgen_backend.settings"}
        return (
            os.environ
            | settings
            | {"BASE_URL": "http://127.0.0.1:8000", "WEBHOOK_RETRY_SECONDS": "1,1,1"}
            | self.settings
        )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def installation(database_url: str, tmp_path: Path, receiver: Receiver) -> Iterator[Installation]:
    installation = Installation(database_url, tmp_path)
    installation.run(SET_UP.format(url=receiver.url + "/hook"))
    yield installation
    for worker in installation.workers:
        worker.kill()
        worker.wait()


def assert_promises_are_kept(installation: Installation, receiver: Receiver) -> None:
    """Every event has its position, was delivered at least once under its own id, and was finished exactly once."""
    positions = [row[0] for row in installation.query("SELECT position FROM events_event ORDER BY position")]
    told = Counter(call.headers["webhook-id"] for call in receiver.calls)
    finished = installation.query("SELECT sequence FROM events_finisheddelivery WHERE state = 'delivered' ORDER BY 1")
    assert positions == list(range(1, EVENTS + 1))
    assert len(told) == EVENTS
    assert [row[0] for row in finished] == list(range(1, EVENTS + 1))
    assert installation.count("events_delivery") == 0
    assert installation.count("events_attempt") == EVENTS
