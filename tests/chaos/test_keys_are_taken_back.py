"""A key leaked, and new ones sign amid refreshes, in several processes: what is signed then is good in all of them.

And whoever reads the JWKS then finds the key, whichever process answers.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest
from joserfc import jws

from tests.conftest import PASSWORD
from tests.processes import PATIENCE, Running, query, run, wait_for

PEOPLE = 3


@pytest.fixture
def up(start: Callable[..., Running]) -> Running:
    running = start(THROTTLES="off")
    assert wait_for(running.is_ready), running.err.read_text()
    return running


@dataclass
class Person:
    """Somebody whose app refreshes all the time, and uses what it gets; each request may meet another process."""

    client: httpx.Client
    session: dict[str, str]
    statuses: list[int] = field(default_factory=list)
    published: list[bool] = field(default_factory=list)

    def work(self, until: threading.Event) -> None:
        while not until.wait(0.05):
            body = {"refreshToken": self.session["refreshToken"]}
            self.session = self.client.post("/auth/refresh", json=body).raise_for_status().json()["session"]
            self.statuses.append(self.status_of(self.session["accessToken"]))
            self.published.append(self.is_published(self.session["accessToken"]))

    def status_of(self, token: str) -> int:
        return self.client.get("/auth/me", headers={"authorization": f"Bearer {token}"}).status_code

    def is_published(self, token: str) -> bool:
        """Whether the JWKS has the key that signed it."""
        kid = jws.extract_compact(token.encode()).headers()["kid"]
        url = self.client.base_url.join("/.well-known/jwks.json")
        keys = self.client.get(url).raise_for_status().json()["keys"]
        return kid in [key["kid"] for key in keys]


def _sign_up(up: Running, number: int) -> Person:
    client = httpx.Client(base_url=f"{up.url}/api/v1", headers={"connection": "close"}, timeout=PATIENCE)
    body = {"email": f"user{number}@example.com", "password": PASSWORD}
    return Person(client, client.post("/auth/signup", json=body).raise_for_status().json()["session"])


def test_nobody_is_refused_who_comes_with_what_was_just_signed(up: Running, database_url: str) -> None:
    people = [_sign_up(up, number) for number in range(PEOPLE)]
    leaked, done = people[0].session["accessToken"], threading.Event()
    threads = [threading.Thread(target=person.work, args=[done]) for person in people]
    for thread in threads:
        thread.start()

    told = run("rotate_signing_keys", "--now", DATABASE_URL=database_url)

    assert wait_for(lambda: all(people[0].status_of(leaked) == 401 for _ in range(10)))
    assert wait_for(lambda: all(len(person.statuses) > 20 for person in people))
    done.set()
    for thread in threads:
        thread.join()
    assert told.returncode == 0, told.stderr
    assert {status for person in people for status in person.statuses} == {200}
    assert all(all(person.published) for person in people)
    assert query(database_url, "SELECT count(*) FROM authpages_signingkey") == [(2,)]
