"""What SQLite lacks: letter case for all of Unicode, and sums that are exact."""

from decimal import Decimal
from typing import Any

from datahub.column_types.stored import folded


class ExactSum:
    """The sum of whole and decimal numbers without rounding, as text; SQLite adds the latter as doubles."""

    def __init__(self) -> None:
        self._sum = Decimal(0)
        self._has_any = False

    def step(self, value: Any) -> None:
        if value is not None:
            self._has_any = True
            self._sum += Decimal(repr(value) if isinstance(value, float) else value)

    def finalize(self) -> str | None:
        return f"{self._sum:f}" if self._has_any else None


def register_functions(*, connection: Any, **_: Any) -> None:
    """Give a new connection our functions; Django tells of each."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("fastgen_folded", 1, folded, deterministic=True)
        connection.connection.create_aggregate("fastgen_sum", 1, ExactSum)
