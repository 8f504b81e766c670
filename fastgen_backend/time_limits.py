"""How long a statement of the web process may take, so that no request holds a thread and the database for minutes.

Changes that rightly take longer lift the limit. The worker and the commands have none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connection, connections
from django.db.backends.signals import connection_created
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fastgen_backend.errors import DomainError

QUERY_CANCELED = "57014"  # PostgreSQL's SQLSTATE
LIMIT = "STATEMENT_SECONDS"  # what a database's settings call it; none where statements are not limited


class QueryTooSlow(DomainError):
    """The database stopped a statement because its time was up. To ask the same again would cost the same again."""

    status = 503
    code = "query-too-slow"
    title = gettext_lazy("The query takes too long")

    def __init__(self) -> None:
        detail = _(
            "It was stopped after %(seconds)g seconds. Ask for less: narrow the filter, "
            "and filter and sort by columns that are indexed."
        )
        super().__init__(detail % {"seconds": settings.WEB_STATEMENT_SECONDS})

    @staticmethod
    def is_meant_by(error: Exception) -> bool:
        """Whether this is how the database says so."""
        cause = error.__cause__
        is_stopped = getattr(cause, "sqlstate", "") == QUERY_CANCELED
        is_stopped |= getattr(cause, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
        return isinstance(error, OperationalError) and is_stopped


def limit_statements() -> None:
    """Give each statement of this process `WEB_STATEMENT_SECONDS`, on connections that are made from now on."""
    connections.settings[DEFAULT_DB_ALIAS][LIMIT] = settings.WEB_STATEMENT_SECONDS
    connection_created.connect(_tell_limit)


@contextmanager
def unlimited() -> Iterator[None]:
    """Let this thread's statements take the time they need; within a transaction of PostgreSQL, to the end of that."""
    seconds = connection.settings_dict.get(LIMIT)
    if seconds is None:
        yield
    elif connection.vendor == "sqlite":
        wrapper: Any = connection
        with wrapper.unlimited():
            yield
    elif connection.in_atomic_block:
        _run("SET LOCAL statement_timeout = 0")
        yield
    else:
        _run("SET statement_timeout = 0")
        try:
            yield
        finally:
            _set_back(seconds)


def _tell_limit(*, connection: Any, **_: Any) -> None:
    """Tell PostgreSQL, once per connection; not by its `options`, which a pooler may leave out."""
    if connection.vendor == "postgresql" and LIMIT in connection.settings_dict:
        with connection.cursor() as cursor:
            cursor.execute(_limit_of(connection.settings_dict[LIMIT]))


def _set_back(seconds: float) -> None:
    """Limit the connection again; one that does not take it is good for nothing."""
    try:
        _run(_limit_of(seconds))
    except Error:
        connection.close()


def _limit_of(seconds: float) -> str:
    return f"SET statement_timeout = {int(seconds * 1000)}"


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
