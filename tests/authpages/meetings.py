"""Two who want the same rows: one stands still in the middle until the other has come."""

from concurrent.futures import Future, wait
from typing import Any

from django.db import connection

from tests.processes import wait_for

PATIENCE = 60  # seconds
A_WHILE = 0.7  # seconds in which somebody comes to the lock that they wait for

WAITING = """
    SELECT count(*) FROM pg_locks AS waiting JOIN pg_locks AS here USING (pid) WHERE NOT waiting.granted
    AND here.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def comes_to_a_lock(coming: Future[Any]) -> bool:
    """Whether who comes along waits for a lock before they are done; on SQLite, whether they are not done soon."""
    if connection.vendor != "postgresql":
        wait([coming], A_WHILE)
    else:
        assert wait_for(lambda: coming.done() or _somebody_waits(), PATIENCE)
    return not coming.done()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])
