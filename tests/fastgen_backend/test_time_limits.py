"""Which processes limit the time of their statements, and how a connection gets over one that was stopped."""

import subprocess
import sys
import time
from contextlib import nullcontext

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction

from authpages.models import Role
from fastgen_backend.time_limits import QueryTooSlow, unlimited
from tests.fastgen_backend.conftest import settings_of
from tests.processes import PATIENCE, PROJECT, environment
from tests.slowness import SECONDS, hurry, run_long, run_long_on

pytestmark = pytest.mark.django_db(transaction=True)
ASK = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    if connection.vendor == "sqlite":
        print(connection._statement_seconds)
    else:
        print(cursor.execute("SHOW statement_timeout").fetchone()[0])
"""


def _limit_in(module: str, database_url: str) -> str:
    """What a process that imports this module says of its connections."""
    variables = {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "fastgen_backend.settings"}
    line = [sys.executable, "-c", f"import {module}\n{ASK}"]
    told = subprocess.run(
        line, env=environment(variables), cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return told.stdout.strip()


def test_the_web_process_limits_its_statements(database_url: str):
    assert _limit_in("fastgen_backend.wsgi", database_url) in {"30s", "30"}


def test_commands_and_the_worker_do_not(database_url: str):
    assert _limit_in("django", database_url) in {"0", "inf"}


@pytest.mark.parametrize("seconds", ["14", "3601", "soon"])
def test_a_limit_that_is_shorter_than_waits_for_locks_or_no_limit_is_refused(seconds: str):
    with pytest.raises(ImproperlyConfigured, match="WEB_STATEMENT_SECONDS"):
        settings_of(WEB_STATEMENT_SECONDS=seconds)


def test_a_slow_statement_is_stopped(hurried: None):
    with pytest.raises(OperationalError) as stopped:
        run_long()

    assert QueryTooSlow.is_meant_by(stopped.value)


def test_an_error_of_another_kind_is_no_slow_statement():
    assert not QueryTooSlow.is_meant_by(OperationalError("no such table: roles"))


def test_the_connection_goes_on_after_a_slow_statement(hurried: None):
    connection.ensure_connection()
    raw = connection.connection

    with pytest.raises(OperationalError):
        run_long()

    assert Role.objects.count() == 0
    assert connection.connection is raw


def test_a_transaction_is_undone_where_a_statement_was_too_slow(hurried: None):
    @transaction.atomic
    def write_slowly() -> None:
        Role.objects.create(name="a", name_key="a")
        run_long()

    with pytest.raises(OperationalError):
        write_slowly()

    with transaction.atomic():
        Role.objects.create(name="b", name_key="b")
    assert list(Role.objects.values_list("name", flat=True)) == ["b"]


def test_many_quick_statements_may_take_longer_together():
    with hurry(4 * SECONDS):
        for _ in range(6):
            run_long(share=0.8)


def test_the_time_of_a_statement_begins_with_it():
    with hurry(4 * SECONDS), connection.cursor() as cursor:
        time.sleep(4.2 * SECONDS)
        run_long_on(cursor, share=0.3)


@pytest.mark.parametrize("in_transaction", [False, True])
def test_the_limit_is_lifted_and_comes_back(hurried: None, in_transaction: bool):
    with transaction.atomic() if in_transaction else nullcontext(), unlimited():
        run_long(share=2)

    with pytest.raises(OperationalError):
        run_long()


def test_the_limit_comes_back_after_an_error(hurried: None):
    with pytest.raises(ValueError, match="no"), unlimited():
        raise ValueError("no")

    with pytest.raises(OperationalError):
        run_long()


def test_where_there_is_no_limit_none_comes_back():
    with unlimited():
        pass

    run_long(share=2)
