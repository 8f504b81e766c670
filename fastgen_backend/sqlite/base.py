"""Django's SQLite, for many writers: they take turns, and what a statement looks like to SQLite is worked out once.

In a process that limits statements, one whose time is up is stopped. Django asks for a module of this name.
"""

import math
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from fastgen_backend.sqlite.turns import turns_of

WAIT_SECONDS = 10  # for a turn and for SQLite's own lock together
LEAST_WAIT_SECONDS = 1  # for the latter, where there was no turn
LONGEST_KEPT = 10_000  # characters of a statement
LOOK_STEPS = 100_000  # of SQLite's virtual machine, between two looks at the clock: some milliseconds


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of a thread."""

    transaction_mode: str | None
    _has_turn = False
    _statement_seconds = math.inf
    _ends_at = math.inf  # what the newest statement does

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        _make_private(conn_params["database"])
        made = super().get_new_connection(conn_params)
        self._statement_seconds = self.settings_dict.get("STATEMENT_SECONDS", math.inf)
        if self._statement_seconds < math.inf:
            made.set_progress_handler(self._is_over, LOOK_STEPS)
        return made

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self.connection.cursor(factory=Cursor)
        cursor.database = self
        return cursor

    def start_clock(self) -> None:
        """A statement begins."""
        self._ends_at = time.monotonic() + self._statement_seconds

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Let statements take the time they need."""
        self.ensure_connection()  # which comes with a limit
        before, self._statement_seconds = self._statement_seconds, math.inf
        try:
            yield
        finally:
            self._statement_seconds = before

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let transactions begin as readers, which take no turn and wait for nobody."""
        self.ensure_connection()  # which comes with its mode
        usual, self.transaction_mode = self.transaction_mode, "DEFERRED"
        try:
            yield
        finally:
            self.transaction_mode = usual

    def _is_over(self) -> bool:
        """Asked by SQLite, which stops the statement where it is so."""
        return time.monotonic() > self._ends_at

    def _start_transaction_under_autocommit(self) -> None:
        begins_at = time.monotonic()
        if not self.is_in_memory_db() and self.transaction_mode != "DEFERRED":
            self._has_turn = self._turns.take(WAIT_SECONDS)
        try:
            with self._waiting_at_most(WAIT_SECONDS - (time.monotonic() - begins_at)):
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_back()
            raise

    @contextmanager
    def _waiting_at_most(self, seconds: float) -> Iterator[None]:
        """For SQLite's own lock; with a turn it is hardly ever waited for."""
        if self._has_turn or self.is_in_memory_db():
            yield
            return
        usual = self.connection.execute("PRAGMA busy_timeout").fetchone()[0]
        least = min(usual, round(1000 * max(seconds, LEAST_WAIT_SECONDS)))
        self.connection.execute(f"PRAGMA busy_timeout = {least}")
        try:
            yield
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {usual}")

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # unknown to the stubs
        self._give_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._give_back()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._give_back()

    @property
    def _turns(self) -> Any:
        return turns_of(str(self.settings_dict["NAME"]))

    def _give_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.give_back()


def _make_private(name: str | Path) -> None:
    """Make a file that there is not yet its owner's alone: it holds addresses and hashes. SQLite makes it anybody's.

    Those beside it get the same rights. Why a file can't be made is SQLite's to say.
    """
    if not str(name).startswith((":memory:", "file:")):
        with suppress(OSError):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


class Cursor(base.SQLiteCursorWrapper):
    """A cursor that converts each statement to SQLite's style once, and starts the clock for each."""

    database: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        self.database.start_clock()
        return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        """As Django's, but for many rows that come one by one: of those it would hold on to each."""
        self.database.start_clock()
        rows = iter(param_list)
        first = list(islice(rows, 1))
        every = chain(first, rows)
        if first and isinstance(first[0], Mapping):
            return super().executemany(query, every)
        return sqlite3.Cursor.executemany(self, self.convert_query(query), every)

    def convert_query(self, query: str, *, param_names: Sequence[str] | None = None) -> str:
        if param_names is not None or len(query) > LONGEST_KEPT:
            return str(super().convert_query(query, param_names=param_names))
        return _converted(query)


@lru_cache(maxsize=2000)
def _converted(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
