"""Reading a whole database as it was at one moment, while others write."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def snapshot(*, holding: Sequence[str] = ()) -> Iterator[None]:
    """A transaction that only reads, sees one moment however long it takes, and holds up no writer.

    `holding` are tables that nobody empties or alters until it ends: PostgreSQL shows one that was emptied meanwhile as
    empty, whatever the moment, so they are held before that begins ("MVCC caveats" in its documentation).
    Within a transaction it is that one. Nothing may be written inside.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            _run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if holding:
                _run(f"LOCK TABLE {', '.join(map(connection.ops.quote_name, holding))} IN ACCESS SHARE MODE")
            yield
    else:
        wrapper: Any = connection
        with wrapper.reading(), transaction.atomic():
            _run("SELECT 1 FROM sqlite_master")  # the moment is that of the first look
            yield


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
