"""kill -9 of web processes amid sign-ups: who was answered is there, with their event, and the webhook hears of it."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from tests.chaos.conftest import LONGEST_WAIT_SECONDS
from tests.conftest import PASSWORD
from tests.processes import Running, calling, children_of, query, run, wait_for
from tests.receivers import Receiver

KILLS = 3
SIGN_UPS = 60
PAUSE_SECONDS = 0.05


@pytest.fixture
def up(start: Callable[..., Running]) -> Running:
    """An `up` that does not mind sixty sign-ups from one address."""
    running = start(THROTTLES="off")
    assert wait_for(running.is_ready), running.err.read_text()
    return running


@pytest.fixture
def developer(up: Running, database_url: str) -> Iterator[httpx.Client]:
    key = run("create_api_key", "chaos", "--scope", "*", DATABASE_URL=database_url).stdout.strip()
    with calling(up.url, key) as client:
        yield client


@dataclass
class Crowd:
    """People who sign up: who was told that they have, of how many that was noticed, and when each sent the form."""

    url: str
    promised: set[str] = field(default_factory=set)
    noticed: int = 0
    sent_at: dict[str, float] = field(default_factory=dict)

    def sign_up(self, number: int) -> None:
        email = f"user{number}@example.com"
        self.sent_at[email] = time.monotonic()
        try:
            body = {"email": email, "password": PASSWORD}
            answer = httpx.post(f"{self.url}/api/v1/auth/signup", json=body, timeout=10)
            if answer.status_code == httpx.codes.CREATED:
                self.promised.add(email)
        except httpx.HTTPError:
            return


def _a_worker(up: Running) -> int | None:
    server = up.child("fastgen_backend.web")
    return next(iter(children_of(server)), None) if server else None


def _the_server(up: Running) -> int | None:
    return up.child("fastgen_backend.web")


def _kill(victim: Callable[[Running], int | None], up: Running) -> int:
    """Kill this process as soon as it runs; its id."""
    assert wait_for(lambda: victim(up))
    pid = victim(up)
    assert pid
    os.kill(pid, signal.SIGKILL)
    return pid


@pytest.mark.parametrize("victim", [_a_worker, _the_server])
def test_nobody_who_was_answered_is_lost_and_nothing_waits_for_long(
    victim: Callable[[Running], int | None], up: Running, developer: httpx.Client, receiver: Receiver, database_url: str
) -> None:
    developer.post("/webhooks", json={"url": f"{receiver.url}/hook", "events": ["auth.user_signedUp"]})
    crowd = Crowd(up.url)
    killed: set[int] = set()

    with ThreadPoolExecutor(SIGN_UPS) as people:
        for number in range(SIGN_UPS):
            people.submit(crowd.sign_up, number)
            time.sleep(PAUSE_SECONDS)
            if number % (SIGN_UPS // KILLS) == SIGN_UPS // KILLS // 2:  # amid sign-ups, of which some were answered
                assert wait_for(lambda: len(crowd.promised) > crowd.noticed)
                crowd.noticed = len(crowd.promised)
                killed.add(_kill(victim, up))
                assert wait_for(lambda: _answers(developer))

    assert wait_for(lambda: _answers(developer))
    assert wait_for(lambda: sorted(_logged(developer)) == sorted(_users(database_url)))
    users = set(_users(database_url))
    assert len(killed) == KILLS
    assert crowd.promised
    assert crowd.promised <= users
    assert wait_for(lambda: _heard(receiver).keys() >= users)
    assert _heard(receiver).keys() == users
    assert max(heard_at - crowd.sent_at[email] for email, heard_at in _heard(receiver).items()) < LONGEST_WAIT_SECONDS


def _answers(developer: httpx.Client) -> bool:
    try:
        return developer.get("/events?limit=1").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _users(database_url: str) -> list[str]:
    """The addresses of the accounts there are."""
    return [row[0] for row in query(database_url, "SELECT email FROM authpages_user")]


def _logged(developer: httpx.Client) -> list[str]:
    """The addresses that signed up, as the log tells."""
    log = developer.get("/events", params={"types": "auth.user_signedUp", "limit": 200}).raise_for_status().json()
    return [event["data"]["email"] for event in log["items"]]


def _heard(receiver: Receiver) -> dict[str, float]:
    """The addresses that the webhook was told of, and when first."""
    calls = sorted(receiver.calls, key=lambda call: call.at, reverse=True)
    return {json.loads(call.body)["data"]["email"]: call.at for call in calls}
