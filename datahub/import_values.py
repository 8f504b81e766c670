"""The cells of a file as a database takes them, a whole column at a time.

Where all cells of a column are plain, which one look at each tells, they go to the database as they are. Else each
is read as `ColumnType` reads it, and what it refuses is told.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from datahub.column_types import Unfit
from datahub.column_types.moments import Date, DateTime
from datahub.column_types.numbers import DECIMAL_DIGITS, Fixed, Integer
from datahub.column_types.switches import Boolean
from datahub.column_types.texts import LongText, Text
from datahub.dynamic import Member
from datahub.import_files import Cells, is_utf8
from datahub.wire import wire_value

Quick = Callable[[Cells], "list[Any] | None"]  # None: they need a closer look

PLAIN_INTEGER = re.compile(r"(?:-?[1-9][0-9]{0,17}|0)?")
PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PLAIN_MOMENT = re.compile(r"(?:[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z)?")


@dataclass(slots=True)
class Column:
    """One column of a batch: what the database takes, what Python makes of it if that was asked for, what is unfit."""

    wire: Sequence[Any]
    values: Sequence[Any] = ()
    flaws: Mapping[int, str] = field(default_factory=dict)


class CellReader:
    """Reads the cells of one column. An empty text is no value in a CSV; in JSON null is none."""

    def __init__(self, member: Member, *, is_text: bool, wants_values: bool) -> None:
        self._member = member
        self._is_text = is_text
        self._field = member.type.field()
        self._quick = None if wants_values else _quick_reader(member, is_text=is_text)

    def read(self, cells: Cells) -> Column:
        """The column as the database takes it; None stands in the place of an unfit cell."""
        wire = self._quick(cells) if self._quick else None
        column = Column(wire) if wire is not None else self._one_by_one(cells)
        if self._is_required and None in column.wire:
            missing = _("This column needs a value.")
            gaps = {index: missing for index, value in enumerate(column.wire) if value is None}
            column.flaws = {**gaps, **column.flaws}
        return column

    @property
    def _is_required(self) -> bool:
        return self._member.column is not None and self._member.column.required

    def _one_by_one(self, cells: Cells) -> Column:
        flaws: dict[int, str] = {}
        values = []
        known: dict[str, tuple[Any, str]] = {}
        for index, cell in enumerate(cells):
            if not self._is_text:
                value, flaw = self._value(cell)
            elif (found := known.get(cell)) is not None:
                value, flaw = found
            else:
                value, flaw = known[cell] = self._value(cell)
            if flaw:
                flaws[index] = flaw
            values.append(value)
        return Column([wire_value(self._field, value) for value in values], values, flaws)

    def _value(self, cell: Any) -> tuple[Any, str]:
        if cell is None or (self._is_text and not cell):
            return None, ""
        try:
            return (self._member.type.parse if self._is_text else self._member.type.read)(cell), ""
        except Unfit as unfit:
            return None, unfit.reason if not self._is_text or is_utf8(cell) else _("This is not UTF-8.")


def _quick_reader(member: Member, *, is_text: bool) -> Quick | None:
    type_ = member.type
    if type(type_) in (Text, LongText):
        longest = type_.schema()["maxLength"]
        return (lambda cells: _texts(cells, longest)) if is_text else (lambda cells: _json_texts(cells, longest))
    if not is_text or type_.options.get("min") is not None or type_.options.get("max") is not None:
        return None
    if isinstance(type_, Fixed):
        return _fixed_reader(type_.options["scale"])
    return READERS.get(type(type_))


def _texts(cells: Cells, longest: int) -> list[Any] | None:
    return [cell or None for cell in cells] if _are_storable(cells, longest) else None


def _json_texts(cells: Cells, longest: int) -> list[Any] | None:
    if not {str, type(None)}.issuperset(map(type, cells)):
        return None
    return list(cells) if _are_storable([cell for cell in cells if cell is not None], longest) else None


def _are_storable(cells: Sequence[str], longest: int) -> bool:
    if max(map(len, cells), default=0) > longest:
        return False
    together = "".join(cells)
    return "\0" not in together and is_utf8(together)


def _integers(cells: Cells) -> list[Any] | None:
    return [cell or None for cell in cells] if all(map(PLAIN_INTEGER.fullmatch, cells)) else None


def _fixed_reader(scale: int) -> Quick:
    fraction = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
    plain = re.compile(rf"(?:(?!-0)-?(?:0|[1-9][0-9]{{0,{DECIMAL_DIGITS - scale - 1}}}){fraction})?")
    return lambda cells: [cell or None for cell in cells] if all(map(plain.fullmatch, cells)) else None


def _booleans(cells: Cells) -> list[Any] | None:
    words = BOOLEANS if connection.vendor == "postgresql" else SQLITE_BOOLEANS
    return list(map(words.get, cells)) if words.keys() >= set(cells) else None


BOOLEANS: Mapping[str, Any] = {"true": "t", "false": "f", "": None}
SQLITE_BOOLEANS: Mapping[str, Any] = {"true": 1, "false": 0, "": None}


def _days(cells: Cells) -> list[Any] | None:
    days = set(cells)
    days.discard("")
    try:
        if all(map(PLAIN_DAY.fullmatch, days)) and all(map(date.fromisoformat, days)):
            return [cell or None for cell in cells]
    except ValueError:
        pass
    return None


def _moments(cells: Cells) -> list[Any] | None:
    if not all(map(PLAIN_MOMENT.fullmatch, cells)):
        return None
    try:
        moments = [datetime.fromisoformat(cell[:-1]) if cell else None for cell in cells]
    except ValueError:
        return None
    if connection.vendor == "postgresql":
        return [cell or None for cell in cells]
    return [moment and str(moment) for moment in moments]


READERS: Mapping[type, Quick] = {Integer: _integers, Boolean: _booleans, Date: _days, DateTime: _moments}
