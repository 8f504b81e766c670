"""Tells the worker early that there may be work. Hints only: whoever misses one finds the work by looking."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from enum import Enum

import psycopg
from django.db import connection

from events.services.sequencing import CHANNEL

LOOK_SECONDS = 0.02
RECONNECT_SECONDS = 1


class Hint(Enum):
    """What another connection seems to have done."""

    COMMITTED = "committed something"
    SEQUENCED = "sequenced events, so that deliveries may be due"


def seconds_between_looks() -> float:
    """How often to look for events and requests without a hint: SQLite tells of every commit, PostgreSQL of batches."""
    return 0.1 if connection.vendor == "postgresql" else 1


async def watch(on_hint: Callable[[Hint], None]) -> None:
    """Call `on_hint` whenever another connection may have made work for us, until cancelled."""
    await (_watch_postgresql(on_hint) if connection.vendor == "postgresql" else _watch_sqlite(on_hint))


async def _watch_sqlite(on_hint: Callable[[Hint], None]) -> None:
    """SQLite's data version changes with every commit of another connection; reading it takes no lock and no disk."""
    with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"])) as watcher:
        known = None
        while True:
            (version,) = watcher.execute("PRAGMA data_version").fetchone()
            if version != known:
                known = version
                on_hint(Hint.COMMITTED)
            await asyncio.sleep(LOOK_SECONDS)


async def _watch_postgresql(on_hint: Callable[[Hint], None]) -> None:
    """The sequencer notifies once per batch."""
    params = connection.get_connection_params()
    del params["cursor_factory"]  # Django's own are not asynchronous
    while True:
        with contextlib.suppress(psycopg.Error):
            async with await psycopg.AsyncConnection.connect(**params, autocommit=True) as listener:
                await listener.execute(f"LISTEN {CHANNEL}")
                async for _ in listener.notifies():
                    on_hint(Hint.SEQUENCED)
        await asyncio.sleep(RECONNECT_SECONDS)
