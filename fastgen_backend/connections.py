"""The connections to the database: which are of no use any more, and when PostgreSQL may keep a statement's plan."""

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import NotSupportedError, connection


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
