"""Notices a database connection that was cut while it lay idle, before a request trusts it."""

import select
from typing import Any

from django.db import connection


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
