"""Lets go of database connections that are of no use any more: cut while they lay idle, or with outdated plans."""

import select
import sys
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
