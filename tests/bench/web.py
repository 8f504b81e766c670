"""What the web server does in a second: sign-ups and logins beside the bare hash, session checks beside a bare view."""

import contextlib
import http.client
import itertools
import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.bench.hashing import BareHash
from tests.bench.load import Answered, Load, http_request
from tests.bench.places import new_database, running
from tests.processes import free_port, wait_for

ROUNDS = 3
HASH_SECONDS = 3.0  # of each measurement that hashes
CHECK_SECONDS = 2.0
PEOPLE = 8  # who log in at once: enough that no process runs out of them
LINES = 32  # of programs that check a session
SETTLE_SECONDS = 1.0  # for the worker, to tell of what the last people did
ACCOUNTS = 40
PASSWORD = "correct horse battery staple"
START_SECONDS = 30


@dataclass(frozen=True)
class Site:
    """A running `up`, people who have an account there and the access token of one."""

    port: int
    emails: list[str]
    token: str


def measure(database: str, server: str) -> Iterator[Figure]:
    """Every figure of the web server."""
    with new_database(server) as url, up(url) as port:
        site = _populate(port)
        yield from _hashing(database, site)
        yield from _session_check(database, site)


def _hashing(database: str, site: Site) -> Iterator[Figure]:
    with BareHash() as bare:
        rounds = [
            (bare.per_second(HASH_SECONDS), _log_in(site), bare.per_second(HASH_SECONDS), _sign_up(site))
            for _ in range(ROUNDS)
        ]
    before_login, logins, before_sign_up, sign_ups = zip(*rounds, strict=True)
    yield _of_answers(database, "log in", logins, "bare hash", before_login, 0.8)
    yield _of_answers(database, "sign up", sign_ups, "bare hash", before_sign_up, 0.75)


def _session_check(database: str, site: Site) -> Iterator[Figure]:
    check = http_request("GET", "/api/v1/auth/me", Authorization=f"Bearer {site.token}")
    view = http_request("GET", "/bare")
    with bare_view() as bare_port:
        rounds = [(_check(bare_port, view).per_second, _check(site.port, check)) for _ in range(ROUNDS + 1)][1:]
    bare, checks = zip(*rounds, strict=True)
    yield _of_answers(database, "check a session", checks, "bare Django view", bare, 0.3)


def _of_answers(
    database: str, work: str, answered: tuple[Answered, ...], against: str, yardstick: tuple[float, ...], aim: float
) -> Figure:
    refused = sum(each.turned_away for each in answered)
    values = [each.per_second for each in answered]
    note = f"{refused} turned away as too many at once" if refused else ""
    return Figure(database, work, "/s", values, against, list(yardstick), least_ratio=aim, note=note)


def _log_in(site: Site) -> Answered:
    requests = (_post("login", email) for email in itertools.cycle(site.emails))
    return _people_come(site, requests)


def _sign_up(site: Site) -> Answered:
    requests = (_post("signup", _new_email()) for _ in itertools.count())
    return _people_come(site, requests)


def _people_come(site: Site, requests: Iterator[bytes]) -> Answered:
    answered = Load(site.port, requests, lines=PEOPLE, fresh=True).run(HASH_SECONDS)
    time.sleep(SETTLE_SECONDS)
    return answered


def _check(port: int, request: bytes) -> Answered:
    return Load(port, itertools.repeat(request), lines=LINES).run(CHECK_SECONDS)


def _post(journey: str, email: str) -> bytes:
    return http_request("POST", f"/api/v1/auth/{journey}", _body(email), Connection="close")


def _body(email: str) -> bytes:
    return json.dumps({"email": email, "password": PASSWORD}).encode()


def _new_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def _populate(port: int) -> Site:
    emails = [_new_email() for _ in range(ACCOUNTS)]
    tokens = [sign_up_one(port, email) for email in emails]
    return Site(port, emails, tokens[0])


def sign_up_one(port: int, email: str) -> str:
    """The access token of a new account."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    server.request("POST", "/api/v1/auth/signup", _body(email), {"Content-Type": "application/json"})
    answer = server.getresponse()
    text = answer.read()
    assert answer.status == http.HTTPStatus.CREATED, text
    server.close()
    return str(json.loads(text)["session"]["accessToken"])


@contextlib.contextmanager
def up(url: str) -> Iterator[int]:
    """The port of an `up` with this database."""
    port = free_port()
    # What it says of people turned away is counted here.
    with running("manage.py", "up", "--port", str(port), err=subprocess.DEVNULL, DATABASE_URL=url):
        _wait(port, "/healthz")
        time.sleep(1)  # the worker starts beside it
        yield port


@contextlib.contextmanager
def bare_view() -> Iterator[int]:
    """The port of a bare Django view."""
    port = free_port()
    with running("-m", "tests.bench.bare", str(port)):
        _wait(port, "/bare")
        yield port


def _wait(port: int, path: str) -> None:
    if not wait_for(lambda: _answers(port, path), START_SECONDS):
        raise TimeoutError(f"Nothing answers at {path}.")


def _answers(port: int, path: str) -> bool:
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        server.request("GET", path)
        return server.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        server.close()
