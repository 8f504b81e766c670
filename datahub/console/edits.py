"""What was typed into cells, saved as far as it can be: what is refused is told cell by cell, and the rest goes in.

Columns are named by their ids, for keys may change while a page is open. Nothing that another has changed meanwhile is
overwritten unseen: each cell comes with what it showed before.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.access import Caller
from datahub.column_types import ColumnType, Unfit
from datahub.console.cells import is_text_of, text_of, value_of
from datahub.dynamic import Definition
from datahub.errors import NoSuchRow, RevisionConflict, RowsTooLarge, RowTooLarge
from datahub.models import Table
from datahub.row_shapes import Row
from datahub.services import rows
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import Origin

ATTEMPTS_MAX = 20  # each leaves out what was refused, of which a refusal names a hundred
Place = UUID | int  # the id of a row, or the number of a new one
Write = Callable[["Sequence[_Line]"], rows.Written]


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell: what it showed before, whole or sealed, and what was typed."""

    before: str
    text: str


@dataclass(slots=True)
class Change:
    """What was typed into a row, by the ids of columns."""

    id: UUID
    cells: Mapping[str, Typed]


@dataclass(frozen=True, slots=True)
class Refused:
    """A cell, or without a column a row, that was not saved, and why; `now` is what another has made of the cell."""

    row: Place
    column: str
    reason: str
    now: str | None = None


@dataclass(slots=True)
class Outcome:
    """Rows as they are now: those that were changed or looked at again, and new ones by their number."""

    definition: Definition
    saved: dict[UUID, Row] = field(default_factory=dict)
    created: dict[int, Row] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    """A row on its way into the database, its values by key as the services take them."""

    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    revision: int | None = None
    cells: Mapping[str, Typed] = field(default_factory=dict)
    is_out: bool = False  # nothing of it is to be written any more


class Saving:
    """Edits of one table by one caller."""

    def __init__(self, definition: Definition, caller: Caller, origin: Origin) -> None:
        self._table: Table = definition.table
        self._caller, self._origin = caller, origin
        self._keys = {str(column.uid): column.key for column in definition.columns}
        self._ids = {key: id for id, key in self._keys.items()}
        self.outcome = Outcome(definition)

    def change(self, changes: Sequence[Change]) -> None:
        """Change rows, as far as that can be."""

        def write(lines: Sequence[_Line]) -> rows.Written:
            return rows.update_rows(
                table=self._table,
                changes=[(_id(line), line.values) for line in lines],
                revisions=[line.revision for line in lines],
                caller=self._caller,
                origin=self._origin,
            )

        lines = [line for line in map(self._changed, changes) if line.values]
        self._compare(lines)
        for line, row in self._write([line for line in lines if not line.is_out], write):
            self.outcome.saved[_id(line)] = row

    def create(self, new: Sequence[Mapping[str, str]]) -> None:
        """Create rows, each as a whole or not at all."""

        def write(lines: Sequence[_Line]) -> rows.Written:
            items = [line.values for line in lines]
            return rows.create_rows(table=self._table, items=items, caller=self._caller, origin=self._origin)

        lines = [self._new(number, cells) for number, cells in enumerate(new)]
        for line, row in self._write([line for line in lines if not line.is_out], write):
            if isinstance(line.place, int):
                self.outcome.created[line.place] = row

    def _changed(self, change: Change) -> _Line:
        line = _Line(change.id)
        line.cells = {self._keys[id]: typed for id, typed in change.cells.items() if id in self._keys}
        self._read(line, {id: typed.text for id, typed in change.cells.items()})
        return line

    def _new(self, number: int, texts: Mapping[str, str]) -> _Line:
        line = _Line(number)
        line.is_out = not self._read(line, texts)
        return line

    def _read(self, line: _Line, texts: Mapping[str, str]) -> bool:
        """Make values of what was typed, by the ids of columns; what no column takes is refused. Whether all are."""
        is_whole = True
        for id, text in texts.items():
            try:
                if id not in self._keys:
                    raise Unfit(_("This column is gone; load the page again."))
                key = self._keys[id]
                line.values[key] = value_of(self.outcome.definition.own[key].type, text)
            except Unfit as unfit:
                is_whole = False
                self.outcome.refused.append(Refused(line.place, id, unfit.reason))
        return is_whole

    def _write(self, lines: Sequence[_Line], write: Write) -> list[tuple[_Line, Row]]:
        """Write what can be, in one transaction where that holds it, else in several; tells what the rows are now."""
        left = list(lines)
        for _attempt in range(ATTEMPTS_MAX):
            if not left:
                return []
            try:
                written = write(left)
            except DomainError as refusal:
                if isinstance(refusal, RowTooLarge | RowsTooLarge) and len(left) > 1:
                    half = len(left) // 2
                    return self._write(left[:half], write) + self._write(left[half:], write)
                self._heed(left, refusal)
            else:
                self.outcome.definition = written.definition
                return list(zip(left, written.rows, strict=True))
            left = [line for line in left if not line.is_out]
        for line in left:
            self._refuse(line, "", _("Too much of this was refused; mend that first."))
        return []

    def _heed(self, lines: Sequence[_Line], refusal: DomainError) -> None:
        """Leave out what the refusal blames; all of the lines where it is not about some of them."""
        if isinstance(refusal, RevisionConflict):
            self._compare([lines[int(error.pointer.removeprefix("/"))] for error in refusal.errors])
        elif isinstance(refusal, NoSuchRow):
            self._refuse_gone(lines)
        elif not self._leave_out(lines, refusal):
            for line in lines:
                self._refuse(line, "", refusal.detail)

    def _leave_out(self, lines: Sequence[_Line], refusal: DomainError) -> bool:
        """What the refusal blames: a cell of a row that is there, the whole of a new one. Whether it blames any."""
        blamed = 0
        for error in refusal.errors:
            index, _slash, below = error.pointer.removeprefix("/").partition("/")
            if not index.isdecimal() or int(index) >= len(lines):
                continue
            line, key, blamed = lines[int(index)], below.partition("/")[0], blamed + 1
            if isinstance(line.place, int):
                self._refuse(line, key, error.detail)
            elif key in line.cells:
                self._refuse_cell(line, key, error.detail)
            elif rivals := self._rivals(line, key, lines):
                for rival in rivals:
                    self._refuse_cell(rival, key, error.detail)
            else:
                self._refuse(line, "", error.detail)
        return blamed > 0

    def _refuse_cell(self, line: _Line, key: str, reason: str) -> None:
        """Leave it out, unless that was done before; a new row goes as a whole."""
        if isinstance(line.place, int):
            self._refuse(line, key, reason)
        elif key in line.values:
            del line.values[key]
            line.is_out = not line.values
            self._refuse(line, key, reason, is_out=False)

    def _rivals(self, line: _Line, key: str, lines: Sequence[_Line]) -> list[_Line]:
        """Those that are to get the value that this row has and nobody typed: they are refused, and not this one."""
        row = self.outcome.saved.get(_id(line))
        member = self.outcome.definition.own.get(key)
        if row is None or member is None or row[key] is None:
            return []
        shown = member.type.show(row[key])
        return [each for each in lines if each is not line and key in each.values and each.values[key] == shown]

    def _refuse_gone(self, lines: Sequence[_Line]) -> None:
        """Those whose rows were deleted meanwhile."""
        there = set(self._rows_of(lines).values_list("pk", flat=True))
        for line in lines:
            if line.place not in there:
                self._refuse(line, "", _("Somebody has deleted this row meanwhile."))

    def _compare(self, lines: Sequence[_Line]) -> None:
        """Look at the rows as they are: only cells that still are what was shown, or are what was typed, may change."""
        members = self.outcome.definition.members
        attributes = [member.attribute for member in members.values()]
        found = self._rows_of(lines).values_list(*attributes)
        now = {values[0]: dict(zip(members, values, strict=True)) for values in found}
        for line in lines:
            row = now.get(_id(line))
            if row is None:
                continue  # to write it will tell that it is gone
            line.revision = row["revision"]
            self.outcome.saved[_id(line)] = row
            for key in [key for key in line.values if key in members]:
                if not _may_change(members[key].type, row[key], line.cells[key].before, line.values[key]):
                    del line.values[key]
                    reason = _("Somebody else has changed this meanwhile.")
                    self._refuse(line, key, reason, text_of(members[key].type, row[key]), is_out=False)
            line.is_out = line.is_out or not line.values

    def _rows_of(self, lines: Sequence[_Line]) -> Any:
        return self.outcome.definition.rows().filter(pk__in=[line.place for line in lines])

    def _refuse(self, line: _Line, key: str, reason: str, now: str | None = None, *, is_out: bool = True) -> None:
        """Tell it of a cell, or of the whole row; with `is_out` nothing of the row is written."""
        line.is_out = line.is_out or is_out
        self.outcome.refused.append(Refused(line.place, self._ids.get(key, ""), reason, now))


def _id(line: _Line) -> UUID:
    assert isinstance(line.place, UUID)  # noqa: S101  only rows that are there are changed
    return line.place


def _may_change(type: ColumnType, now: Any, before: str, wanted: Any) -> bool:
    """Whether a value still is what was shown, however that was written, or is what it is to become."""
    shown = None if now is None else type.show(now)
    if is_text_of(before, text_of(type, now)) or _is_same(shown, wanted):
        return True
    try:
        return _is_same(shown, value_of(type, before))
    except Unfit:
        return False


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same as JSON, where 1 is not true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
