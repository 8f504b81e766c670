"""While the database is away, whoever asks is told to come back, and the log tells why, once for each request."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import InterfaceError, OperationalError, connection

from fastgen_backend.connections import DatabaseUnavailable
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api
from tests.processes import free_port

pytestmark = pytest.mark.django_db(transaction=True)
LOG_IN = {"email": "ann@example.com", "password": PASSWORD}


@pytest.fixture
def away(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Nothing listens where the server was; the file can't be opened."""
    nowhere = {"NAME": str(tmp_path / "missing" / "database")}
    if connection.vendor == "postgresql":
        nowhere = {"HOST": "127.0.0.1", "PORT": str(free_port())}
    connection.close()
    with mock.patch.dict(connection.settings_dict, nowhere):
        yield
    connection.close()


@pytest.fixture
def locked(transactional_db: None) -> Iterator[None]:
    """Somebody holds SQLite's write lock for longer than we wait."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
    connection.close()


def _hang_up() -> None:
    """What PostgreSQL does to those who are at work when it is shut down."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _assert_is_told(answer: Any) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "database-unavailable")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "5"


def test_a_program_is_told_to_come_back(api: Api, away: None):
    _assert_is_told(api.post("/auth/login", LOG_IN))


def test_a_person_is_told_to_come_back(away: None):
    answer = Visitor().get("/login")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database is not available" in answer.content.decode()


def test_the_log_tells_why_once_and_callers_are_not_told(api: Api, away: None, caplog: pytest.LogCaptureFixture):
    answer = api.post("/auth/login", LOG_IN)

    [told] = [
        record for record in caplog.records if record.levelno >= logging.ERROR and record.name != "django.request"
    ]
    reference = answer["X-Request-Id"]
    assert told.getMessage() == f"503 POST /api/v1/auth/login, the database is not available, request {reference}"
    assert told.exc_info
    assert isinstance(told.exc_info[1], OperationalError)
    assert str(connection.settings_dict["NAME"]) not in answer.content.decode()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could hang up")
def test_a_request_that_postgresql_hangs_up_on_is_told_and_the_next_one_is_served(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr("authpages.models.HostedAuthSettings.load", _hang_up)
        _assert_is_told(api.post("/auth/signup", LOG_IN))

    connection.close()  # as the end of every request does, but for those of the test client
    assert api.post("/auth/signup", LOG_IN).status_code == 201


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL locks no database as a whole")
def test_who_waited_for_sqlite_in_vain_is_told(api: Api, locked: None):
    _assert_is_told(api.post("/auth/signup", LOG_IN))


def _caused(kind: type[Exception], **known: Any) -> Exception:
    error = kind("no")
    error.__cause__ = type("OfDriver", (Exception,), known)()
    return error


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (_caused(OperationalError, sqlstate=None), True),  # no connection, or one that broke
        (_caused(OperationalError, sqlstate="57P01"), True),  # admin_shutdown
        (_caused(OperationalError, sqlstate="57P03"), True),  # cannot_connect_now
        (_caused(OperationalError, sqlstate="53300"), True),  # too_many_connections
        (_caused(OperationalError, sqlstate="08006"), True),  # connection_failure
        (_caused(InterfaceError, sqlstate=None), True),
        (_caused(OperationalError, sqlite_errorname="SQLITE_IOERR_READ"), True),
        (_caused(OperationalError, sqlstate="57014"), False),  # query_canceled
        (_caused(OperationalError, sqlstate="54000"), False),  # program_limit_exceeded
        (_caused(OperationalError, sqlite_errorname="SQLITE_ERROR"), False),  # no such table
        (_caused(InterfaceError, sqlite_errorname="SQLITE_MISUSE"), False),
        (OperationalError("no"), False),
        (ValueError("no"), False),
    ],
)
def test_what_says_that_the_database_is_away(error: Exception, is_away: bool):
    assert DatabaseUnavailable.is_meant_by(error) == is_away
