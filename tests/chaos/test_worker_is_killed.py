"""Workers die by SIGKILL, hang, or are told to stop. Nothing is lost, and nothing waits for longer than 15 seconds."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.receivers import Receiver, after, answer

PROJECT = Path(__file__).resolve().parents[2]
POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "")
EVENTS = 30
LONGEST_WAIT_SECONDS = 15
SET_UP = """
import django; django.setup()
from django.core.management import call_command
from events.services.webhooks import create_webhook
from fastgen_backend.origin import COMMAND_LINE
call_command("migrate", verbosity=0)
create_webhook(url={url!r}, filters=["custom.*"], origin=COMMAND_LINE, may_see_secrets=False, max_concurrency=5)
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

    def run(self, code: str) -> None:
        subprocess.run([sys.executable, "-c", code], env=self._environment(), cwd=PROJECT, check=True, timeout=60)

    def start_worker(self, *, dies: str = "") -> subprocess.Popen[bytes]:
        line = ["tests/chaos/dying_worker.py", dies] if dies else ["manage.py", "events_worker"]
        with self._log.open("ab") as log:
            worker = subprocess.Popen([sys.executable, *line], env=self._environment(), cwd=PROJECT, stderr=log)
        self.workers.append(worker)
        return worker

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if self.url.startswith("sqlite"):
            with sqlite3.connect(self.url.removeprefix("sqlite:///")) as connection:
                found = connection.execute(statement).fetchall()
            connection.close()
            return found
        with psycopg.connect(self.url) as server:
            return server.execute(statement.encode()).fetchall()

    def count(self, table: str) -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608  names of our own tables

    def _environment(self) -> dict[str, str]:
        key = "a-key-for-tests-that-is-long-enough-to-be-taken-for-one"
        settings = {"DATABASE_URL": self.url, "SECRET_KEY": key, "DJANGO_SETTINGS_MODULE": "fastgen_backend.settings"}
        return os.environ | settings | {"BASE_URL": "http://127.0.0.1:8000", "WEBHOOK_RETRY_SECONDS": "1,1,1"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver) -> Iterator[Installation]:
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip("TEST_DATABASE_URL does not say where PostgreSQL is")
    with database(request.param, tmp_path) as url:
        installation = Installation(url, tmp_path)
        installation.run(SET_UP.format(url=receiver.url + "/hook"))
        yield installation
        for worker in installation.workers:
            worker.kill()
            worker.wait()


class database:  # noqa: N801  a context manager
    """A new database, dropped at the end."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._name = f"fastgen_chaos_{uuid.uuid4().hex}"
        self._file = folder / "chaos.sqlite3" if kind == "sqlite" else None

    def __enter__(self) -> str:
        if self._file:
            return f"sqlite:///{self._file}"
        with psycopg.connect(POSTGRESQL, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{self._name}"'.encode())
        return urlsplit(POSTGRESQL)._replace(path=f"/{self._name}").geturl()

    def __exit__(self, *_: object) -> None:
        if not self._file:
            with psycopg.connect(POSTGRESQL, autocommit=True) as server:
                server.execute(f'DROP DATABASE "{self._name}" WITH (FORCE)'.encode())


@pytest.mark.parametrize(
    "moment", ["before-send", "after-send", "before-acknowledge", "amid-acknowledge", "amid-sequence"]
)
def test_nothing_is_lost_or_late_when_a_worker_is_killed(moment: str, installation: Installation, receiver: Receiver):
    installation.run(HAPPEN.format(count=EVENTS))

    killed = installation.start_worker(dies=moment)
    assert killed.wait(20) == -signal.SIGKILL
    died = time.monotonic()
    installation.start_worker()

    assert wait_for(lambda: installation.count("events_finisheddelivery") == EVENTS)
    assert receiver.calls[-1].at - died < LONGEST_WAIT_SECONDS
    assert_promises_are_kept(installation, receiver)


def test_a_kill_of_one_of_two_workers_delays_nothing_for_long(installation: Installation, receiver: Receiver):
    receiver.on("/hook", after(1, answer(204)), answer(204))
    installation.run(HAPPEN.format(count=EVENTS))
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
    installation.run(HAPPEN.format(count=EVENTS))
    receiver.wait_for(5)

    paused.send_signal(signal.SIGSTOP)
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
    installation.run(HAPPEN.format(count=EVENTS))
    receiver.wait_for(5)

    worker.terminate()

    assert worker.wait(10) == 0
    assert installation.count("events_finisheddelivery") == len(receiver.calls)
    assert installation.count("events_worker") == 0
    assert installation.query("SELECT id FROM events_delivery WHERE worker IS NOT NULL") == []


def test_a_restart_of_the_database_is_survived(installation: Installation, receiver: Receiver):
    """Every connection is cut at once; SQLite has none."""
    if installation.url.startswith("sqlite"):
        pytest.skip("SQLite is a file and does not restart")
    worker = installation.start_worker()
    installation.run(HAPPEN.format(count=1))
    receiver.wait_for(1)

    installation.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    installation.run(HAPPEN.format(count=EVENTS - 1))

    assert wait_for(lambda: installation.count("events_finisheddelivery") == EVENTS)
    assert worker.poll() is None
    assert_promises_are_kept(installation, receiver)


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


def wait_for(condition: Callable[[], object], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
