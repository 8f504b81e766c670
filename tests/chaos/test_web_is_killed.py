"""kill -9 of the web process amid sign-ups: who was answered is there, with their event, and the webhook hears it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.processes import PROJECT, Running, children_of, database_url, environment, start, wait_for
from tests.receivers import Receiver

__all__ = ["database_url", "start"]

KILLS = 3
SIGN_UPS = 60
PAUSE_SECONDS = 0.05


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def _sign_up(up: Running, number: int, answered: list[str]) -> None:
    """Sign up, and remember whom the server promised that they are."""
    email = f"user{number}@example.com"
    try:
        answer = httpx.post(f"{up.url}/api/v1/auth/signup", json={"email": email, "password": PASSWORD}, timeout=10)
    except httpx.HTTPError:
        return
    if answer.status_code == httpx.codes.CREATED:
        answered.append(email)


def _kill_a_web_worker(up: Running) -> None:
    web = up.child("fastgen_backend.web")
    workers = children_of(web) if web else []
    if workers:
        os.kill(workers[-1], signal.SIGKILL)


@pytest.fixture
def up(start: Callable[..., Running]) -> Running:
    """An `up` that does not mind sixty sign-ups from one address."""
    running = start(THROTTLES="off")
    assert wait_for(running.is_ready), running.err.read_text()
    return running


@pytest.fixture
def developer(up: Running, database_url: str) -> Iterator[httpx.Client]:
    command = [sys.executable, str(PROJECT / "manage.py"), "create_api_key", "chaos", "--scope", "*"]
    variables = environment({"DATABASE_URL": database_url})
    key = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout.strip()
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{up.url}/api/v1", headers=headers, timeout=30) as client:
        yield client


def test_nobody_who_was_answered_is_lost(up: Running, developer: httpx.Client, receiver: Receiver) -> None:
    developer.post("/webhooks", json={"url": f"{receiver.url}/hook", "events": ["auth.user_signedUp"]})
    answered: list[str] = []
    threads = [threading.Thread(target=_sign_up, args=[up, number, answered]) for number in range(SIGN_UPS)]

    for count, thread in enumerate(threads, start=1):
        thread.start()
        time.sleep(PAUSE_SECONDS)  # so that the kills fall amid sign-ups, and not before the first is answered
        if count % (SIGN_UPS // KILLS) == SIGN_UPS // KILLS // 2:
            _kill_a_web_worker(up)
    for thread in threads:
        thread.join()

    assert wait_for(lambda: _answers(developer))
    assert answered
    log = _signed_up(developer)
    assert set(answered) <= set(log)
    assert len(log) == len(set(log))
    assert wait_for(lambda: _heard(receiver) >= set(log), seconds=30)
    assert _heard(receiver) == set(log)


def _answers(developer: httpx.Client) -> bool:
    try:
        return developer.get("/events?limit=1").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _signed_up(developer: httpx.Client) -> list[str]:
    """The addresses of the log, once everything that was committed has its position."""
    seen: list[str] = []

    def is_settled() -> bool:
        before = list(seen)
        seen[:] = [
            item["data"]["email"]
            for item in developer.get("/events?types=auth.user_signedUp&limit=200").json()["items"]
        ]
        return bool(seen) and seen == before

    assert wait_for(is_settled)
    return seen


def _heard(receiver: Receiver) -> set[str]:
    return {json.loads(call.body)["data"]["email"] for call in receiver.calls}
