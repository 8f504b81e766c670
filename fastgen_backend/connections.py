"""The connections to the database: which are of no use any more, what a request says that got none, and when PostgreSQL
may keep a statement's plan.
"""

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import InterfaceError, NotSupportedError, OperationalError, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fastgen_backend.errors import DomainError

RETRY_SECONDS = 5
AWAY_STATES = ("08", "53", "57P")  # how SQLSTATEs of PostgreSQL begin: connections, resources, shutting down
AWAY_NAMES = ("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR")  # and names of SQLite's errors


class DatabaseUnavailable(DomainError):
    """The database can't be reached, hung up, or was locked for too long. Nothing is wrong with what was asked."""

    status = 503
    code = "database-unavailable"
    title = gettext_lazy("The database is not available")

    def __init__(self) -> None:
        detail = _("Please try again in a moment. If you were changing something, look first whether it was done.")
        super().__init__(detail, retry_after=RETRY_SECONDS)

    @staticmethod
    def is_meant_by(error: Exception) -> bool:
        """Whether this is how the driver or the database says so; psycopg has no SQLSTATE where no server spoke."""
        if not isinstance(error, (OperationalError, InterfaceError)):
            return False
        cause = error.__cause__
        state = getattr(cause, "sqlstate", "")
        name = getattr(cause, "sqlite_errorname", "")
        return state is None or state.startswith(AWAY_STATES) or name.startswith(AWAY_NAMES)


def close_if_dropped(**_: Any) -> None:
    """Close this thread's connection if its server has hung up, so that the next query opens a new one.

    An idle connection has nothing to read; where there is something, it is the end, or a notice of it. A look at the
    socket costs microseconds, where Django's health check asks the server with each request.
    """
    raw = connection.connection
    if raw is None or connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    if raw.closed:
        connection.close()
        return
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    if poll.poll(0):
        connection.close()


def close_if_outdated(**_: Any) -> None:
    """Close this thread's connection after a request failed by "cached plan must not change result type".

    PostgreSQL says so of a prepared statement once the type of one of its columns was changed, each time anew.
    """
    if isinstance(sys.exc_info()[1], NotSupportedError) and not connection.in_atomic_block:
        connection.close()


@contextmanager
def planned_for_its_values() -> Iterator[None]:
    """Have PostgreSQL plan each statement for its very values, instead of keeping one plan for whatever they are.

    That costs a fraction of a millisecond. It is for statements whose best plan hangs on them: of people with a role
    that everybody has the newest are found among all, of those with a rare one by the role; the wrong way round it
    takes a thousand times as long.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    if connection.vendor != "postgresql":
        yield
        return
    before, raw.prepare_threshold = raw.prepare_threshold, None
    try:
        yield
    finally:
        raw.prepare_threshold = before
