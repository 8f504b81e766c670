"""Django's SQLite, for many writers: they take turns, and what a statement looks like to SQLite is worked out once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base

from fastgen_backend.sqlite.turns import turns_of

TURN_SECONDS = 10  # to wait; then SQLite's own lock decides, with its own patience
LONGEST_KEPT = 10_000  # characters of a statement


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of a thread."""

    _has_turn = False

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=Cursor)

    def _start_transaction_under_autocommit(self) -> None:
        if not self.is_in_memory_db():
            self._has_turn = self._turns.take(TURN_SECONDS)
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_back()
            raise

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


class Cursor(base.SQLiteCursorWrapper):
    """A cursor that converts each statement to SQLite's style once."""

    def convert_query(self, query: str, *, param_names: Sequence[str] | None = None) -> str:
        if param_names is not None or len(query) > LONGEST_KEPT:
            return str(super().convert_query(query, param_names=param_names))
        return _converted(query)


@lru_cache(maxsize=2000)
def _converted(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")
