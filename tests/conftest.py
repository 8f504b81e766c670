"""What every test stands on: cheap hashes, a database file of its own, and a caller for the REST API."""

import fcntl
import json
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import connections
from django.test import Client, TransactionTestCase
from joserfc.jwk import RSAKey

from authpages.services.api_keys import create_api_key
from authpages.tokens import forget_keys
from datahub.dynamic import forget_definitions
from events.models import Event, EventSecret
from events.services.secrets import open_secret
from fastgen_backend.time_limits import LIMIT
from tests.emptying import empty_the_database
from tests.slowness import hurry

PASSWORD = "correct horse battery staple"
DIFFERENT_KEYS = 4
AT_ONCE = 12  # threads that race


def pytest_configure() -> None:
    """What costs too much in a test is made cheap, and what gives up after a while has patience with a busy machine."""
    settings.ARGON2_MEMORY_KIB = 64  # a hash that costs nothing; what it costs in earnest is measured by the bench
    settings.ARGON2_TIME_COST = 1
    settings.WHITENOISE_AUTOREFRESH = True  # or each new `Client` would look through all static files first
    hypothesis.settings.register_profile("patient", hypothesis.settings.default, deadline=None)
    hypothesis.settings.load_profile("patient")
    if connections["default"].vendor == "postgresql":
        connections["default"].settings_dict["OPTIONS"]["connect_timeout"] = 60  # of all threads: they share this
    TransactionTestCase._fixture_teardown = empty_the_database  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what is tried on SQLite alone."""
    if connections["default"].vendor != "postgresql":
        return
    left_out = [item for item in items if item.get_closest_marker("whichever_database")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("whichever_database")]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in earnest: in memory, threads would not meet each other's locks."""
    database = connections["default"]
    if database.vendor == "sqlite":
        database.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    else:
        request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """PostgreSQL drops no database that is in use, and a thread of a worker may outlive its test by a moment."""
    yield
    if connections["default"].vendor != "postgresql":
        return
    with django_db_blocker.unblock(), connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session", autouse=True)
def _signing_keys_made_before() -> Iterator[None]:
    """To make a key takes as long as all the rest of a test, to read it half of that; so a few go round."""
    make, made = rsa.generate_private_key, deque[rsa.RSAPrivateKey]()

    def next_key(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        if len(made) < DIFFERENT_KEYS:
            made.append(make(public_exponent, key_size))
        made.rotate()
        return made[0]

    @cache
    def read(pem: bytes) -> RSAKey:
        return RSAKey.import_key(pem)

    class ReadOnce(RSAKey):
        @classmethod
        def import_key(cls, value: Any, parameters: Any = None, password: Any = None) -> Any:
            native = read(value).raw_value
            return RSAKey(native, native, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa, "generate_private_key", next_key)
        patch.setattr("authpages.signing_keys.RSAKey", ReadOnce)
        yield


@pytest.fixture(autouse=True)
def _new_signing_keys() -> None:
    forget_keys()


@pytest.fixture(autouse=True)
def _remember_no_table() -> None:
    """Of the test before, whose tables were rolled back."""
    forget_definitions()


@pytest.fixture(autouse=True)
def _no_web_process() -> None:
    """Whose statements are limited, as soon as a test imports the WSGI application."""
    connections.settings["default"].pop(LIMIT, None)


@pytest.fixture(autouse=True)
def _no_tables_of_users_left(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """Where a test commits, its rows are taken out afterwards, but not what it created: `dh_7` of the Datahub."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        return
    with django_db_blocker.unblock(), connections["default"].cursor() as cursor:
        for name in connections["default"].introspection.table_names(cursor):
            if name.startswith("dh_"):
                cursor.execute(f"DROP TABLE {name}")


@pytest.fixture
def hurried(transactional_db: None) -> Iterator[None]:
    """Statements are limited as the web process limits them, to half a second."""
    with hurry():
        yield


class Api:
    """Calls `/api/v1` as a program does."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(headers={"host": "127.0.0.1:8000"}, raise_request_exception=False)
        self.token = token

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        """The answer; `body` is sent as JSON, `raw` as it is."""
        if self.token:
            headers.setdefault("authorization", f"Bearer {self.token}")
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        return self.client.generic(method, f"/api/v1{path}", data, "application/json", headers=headers)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.call("POST", path, body, **options)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def sign_up(self, email: str = "ann@example.com", password: str = PASSWORD) -> Any:
        """Sign up, and call as that person from now on; the answer's JSON."""
        answer = self.post("/auth/signup", {"email": email, "password": password})
        assert answer.status_code == 201, answer.content
        self.token = answer.json()["session"]["accessToken"]
        return answer.json()

    def log_in(self, email: str = "ann@example.com", password: str = PASSWORD) -> Any:
        return self.post("/auth/login", {"email": email, "password": password})


@pytest.fixture
def api(db: None) -> Api:
    """A caller without credentials."""
    return Api()


@pytest.fixture
def key(db: None) -> Callable[..., Api]:
    """Makes a caller that has an API key with the given scopes."""

    def make(*scopes: str) -> Api:
        return Api(create_api_key(name="test", scopes=list(scopes))[1])

    return make


@pytest.fixture
def told(db: None) -> Callable[[], list[str]]:
    """The events so far, in the order they were recorded: `type` or `type:stage`."""

    def types() -> list[str]:
        return [f"{event.type}:{event.stage}".rstrip(":") for event in Event.objects.order_by("id")]

    return types


@pytest.fixture
def mailed(db: None) -> Callable[[str], str]:
    """The token of the newest event of a type that has one, as its mail would carry it."""

    def token(type: str) -> str:
        secret = EventSecret.objects.filter(event__type=type).order_by("-event_id").first()
        assert secret is not None
        return str(open_secret(bytes(secret.sealed))["token"])

    return token


@pytest.fixture
def many_connections() -> Iterator[None]:
    """Of the tests that take a good part of the connections PostgreSQL gives, one runs at a time on this machine."""
    with (Path(tempfile.gettempdir()) / f"fastgen-many-connections-{os.getuid()}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def together(call: Callable[[int], Any], count: int = AT_ONCE) -> list[Any]:
    """What so many threads get that begin at the same moment."""
    start, answers = threading.Barrier(count), []

    def run(number: int) -> None:
        start.wait()
        try:
            answers.append(call(number))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def looked_up() -> Iterator[threading.Event]:
    """What look-ups of names that hang wait for: the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def is_required() -> bool:
    """Whether a missing browser, database or package makes tests fail instead of being left out."""
    return bool(os.environ.get("REQUIRE_ALL"))


PROJECT = Path(__file__).resolve().parent.parent
