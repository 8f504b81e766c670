"""How much the database has to look at, which no other work of the machine changes as it does a time."""

from collections.abc import Callable

from django.db import connection

STEPS = 100  # SQLite tells of so many at a time
ROWS_READ = """
SELECT
    (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
    + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)
"""


def effort_of(call: Callable[[], object]) -> int:
    """Of all statements of this call: entries of tables and indexes read, or on SQLite, steps of its machine."""
    if connection.vendor == "postgresql":
        before = _rows_read()
        call()
        return _rows_read() - before
    told: list[int] = []
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: told.append(STEPS), STEPS)
    try:
        call()
    finally:
        connection.connection.set_progress_handler(None, STEPS)
    return sum(told)


def _rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")  # of what this connection has counted until then
        cursor.execute(ROWS_READ)
        return int(cursor.fetchone()[0])
