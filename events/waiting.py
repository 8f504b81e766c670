"""Waiting, in a worker that may be told to stop meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from events.database_threads import AWAY

BACK_OFF_SECONDS = 1


async def first_of(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but not longer than this."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def until_it_works(work: Callable[[], Awaitable[object]], stopping: asyncio.Event) -> None:
    """Try again for as long as the database is away; raises one of `AWAY` when the worker is to stop."""
    while True:
        try:
            await work()
        except AWAY:
            if stopping.is_set():
                raise
            await first_of(stopping, BACK_OFF_SECONDS)
        else:
            return
