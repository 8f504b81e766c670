"""Runs database work beside an asyncio loop, and notices when the database is away."""

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, NotSupportedError, OperationalError, connection

log = logging.getLogger("fastgen.worker")
P = ParamSpec("P")
T = TypeVar("T")
AWAY = (OperationalError, InterfaceError)
CLOSE_SECONDS = 1


class DatabaseThreads:
    """A few threads with a connection each; after an error of one, all are opened anew before their next use."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="database")
        self._local = threading.local()
        self._epoch = 0
        self._is_away = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work` in a thread; raises what it raises, one of `AWAY` where the database can't be reached."""
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(self._pool, functools.partial(self._call, work, *args, **kwargs))
        except AWAY as error:
            self._note(away=True, reason=str(error))
            raise
        self._note(away=False)
        return result

    async def close(self) -> None:
        """Close every thread's connection, within a second; those that are still at work are left behind."""
        loop = asyncio.get_running_loop()
        together = threading.Barrier(self._number, timeout=CLOSE_SECONDS)  # one task for each thread
        closing = [loop.run_in_executor(self._pool, self._close_one, together) for _ in range(self._number)]
        await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _close_one(self, together: threading.Barrier) -> None:
        connection.close()
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait()

    def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if getattr(self._local, "epoch", 0) != self._epoch:
            connection.close()
        self._local.epoch = epoch = self._epoch
        try:
            return work(*args, **kwargs)
        except (*AWAY, NotSupportedError):  # the latter: a prepared statement outlived a change of its columns' types
            self._epoch = epoch + 1
            raise

    def _note(self, *, away: bool, reason: str = "") -> None:
        """One line when the database goes, one when it is back."""
        if away and not self._is_away:
            log.warning("The database does not answer; trying again until it does. (%s)", " ".join(reason.split()))
        if self._is_away and not away:
            log.warning("The database answers again.")
        self._is_away = away
