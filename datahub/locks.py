"""Who may touch a table at the same time: writers beside each other, a change of its shape alone.

On PostgreSQL by advisory locks that end with the transaction; a writer takes its share before it reads the table's
version, so that what it read stays true until it has committed. SQLite has one writer at a time anyway.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from datahub.errors import TableBusy
from fastgen_backend.time_limits import unlimited

LOCK_CLASS = 0x6468  # "dh": the space of these locks among all advisory locks
WRITER_SECONDS = 10
CHANGE_SECONDS = 5  # while a change waits, those who come after it wait as well
RETRY_SECONDS = 2


@contextmanager
def writing(table_ids: Iterable[int]) -> Iterator[None]:
    """A transaction beside other writers of these tables. Raises `TableBusy` after 10 s of waiting for a change."""
    with _transaction():
        share(table_ids)
        yield


@contextmanager
def changing(table_ids: Iterable[int]) -> Iterator[None]:
    """A transaction alone with these tables. Raises `TableBusy` after 5 s of waiting.

    It takes the time it needs. Readers go on until the physical table is altered; on PostgreSQL they wait from then to
    the end.
    """
    with _transaction(), unlimited():
        _lock("pg_advisory_xact_lock", table_ids, CHANGE_SECONDS)
        yield


def share(table_ids: Iterable[int]) -> None:
    """Take a writer's share of these tables, in the caller's transaction."""
    _lock("pg_advisory_xact_lock_shared", table_ids, WRITER_SECONDS)


@contextmanager
def _transaction() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if _is_about_locks(error):
            busy = TableBusy(_("The table is being changed, or read at length; try again."), retry_after=RETRY_SECONDS)
            raise busy from error
        raise


def _lock(function: str, table_ids: Iterable[int], seconds: int) -> None:
    """Always in the same order, so that two who need the same tables don't wait for each other."""
    ids = sorted(set(table_ids))
    if connection.vendor != "postgresql" or not ids:
        return
    locks = ", ".join(f"{function}({LOCK_CLASS}, %s)" for _id in ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('lock_timeout', '{seconds}s', true), {locks}", ids)


def _is_about_locks(error: OperationalError) -> bool:
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)  # 55P03 lock_not_available, 40P01 deadlock_detected
    return state in {"55P03", "40P01"} or getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY")
