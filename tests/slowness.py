"""Statements that take their time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection, connections
from django.test import override_settings

from fastgen_backend.time_limits import limit_statements

SECONDS = 0.5  # that a statement may take
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE NOT is_time()) SELECT max(i) FROM n"


@contextmanager
def hurry(seconds: float = SECONDS) -> Iterator[None]:
    """Limit the statements of this thread as the web process does, but to less."""
    with mock.patch.dict(connections.settings["default"]), override_settings(WEB_STATEMENT_SECONDS=seconds):
        limit_statements()
        connection.close()
        yield
    connection.close()


def run_long(share: float = 100) -> None:
    """A statement that takes this share of the time it may take."""
    with connection.cursor() as cursor:
        run_long_on(cursor, share)


def run_long_on(cursor: Any, share: float = 100) -> None:
    """The same, on a cursor that there is."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_sleep(%s)", [share * SECONDS])
        return
    ends_at = time.monotonic() + share * SECONDS
    connection.connection.create_function("is_time", 0, lambda: time.monotonic() > ends_at)
    cursor.execute(COUNTING)
    cursor.fetchall()
