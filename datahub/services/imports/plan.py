"""How the cells of a file become the columns of one version of a table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import chain
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from datahub.column_types import Relation
from datahub.column_types.documents import Json
from datahub.dynamic import Definition, Member, table_by_number
from datahub.import_files import Batch, Cells, RowFile
from datahub.import_flaws import Flaw, kept, kept_record
from datahub.import_values import CellReader, Column
from datahub.models import Import
from datahub.names import no_such_columns
from datahub.row_ids import ids_of, new_seed, now_tick
from datahub.row_sizes import is_too_large, may_be_too_large
from datahub.services import references
from datahub.services.bulk import insert_columns
from datahub.services.imports.upload import NOWHERE, OWNER, SYSTEMS_OWN, is_export
from datahub.services.owners import known_people
from datahub.services.row_locks import too_large
from datahub.wire import wire_value
from fastgen_backend.errors import pointer_part

REJECTS_MAX = 1000  # kept; all are counted
Reason = tuple[int, str, str]  # why a row is not fit: its index, the pointer of what is to blame, a sentence


class NotPossible(Exception):
    """The import can't go on; says why."""


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A header and the member that its cells go to."""

    header: str
    member: Member
    reader: CellReader


@dataclass(slots=True)
class Converted:
    """A batch for the database: whole columns, the rows of them that are fit so far, and what is wrong with others."""

    batch: Batch
    fit: list[int]
    columns: dict[str, Column] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)  # of any number the first
    texts_of: Callable[[int], list[str] | None] = lambda _index: None  # the cells of a row as they stand in the file

    def refuse(self, reasons: Iterable[Reason]) -> None:
        """These rows are not fit."""
        unfit: set[int] = set()

        def noted() -> Iterator[Reason]:
            for reason in reasons:
                unfit.add(reason[0])
                yield reason

        self.reasons = nsmallest(REJECTS_MAX, chain(self.reasons, noted()))
        self.fit = [index for index in self.fit if index not in unfit]

    @property
    def flaws(self) -> list[Flaw]:
        """What is wrong with rows, in their order."""
        texts = {index: self.texts_of(index) for index, _pointer, _detail in self.reasons}
        lines = self.batch.lines
        return [Flaw(lines[index], pointer, detail, texts[index]) for index, pointer, detail in self.reasons]


class Plan:
    """For one import and one version of its table. Raises `NotPossible` where what the file names is gone."""

    def __init__(self, definition: Definition, source: Import, *, is_text: bool | None = None) -> None:
        """The cells are texts as those of a CSV are, unless told otherwise by the file's format."""
        self.definition = definition
        self._source = source
        self._is_text = source.format == Import.Format.CSV if is_text is None else is_text
        self._owner = source.owner  # of rows that name none, as long as this person is there
        by_id = {str(each.column.uid): each for each in definition.own.values() if each.column}
        by_id[OWNER] = definition.members[OWNER]
        self._places = []
        for header, target in zip(source.headers, source.targets, strict=True):
            if target == NOWHERE:
                continue
            if target not in by_id:
                raise NotPossible(_("The column ‘%(header)s’ was deleted meanwhile.") % {"header": header})
            self._places.append(self._place(header, by_id[target]))
        used = {place.member.key for place in self._places}
        if missing := definition.required - used:
            detail = _("The column ‘%(key)s’ needs a value in each row; the file has none.")
            raise NotPossible(detail % {"key": min(missing)})

    def _place(self, header: str, member: Member) -> _Place:
        wants_values = not member.column or member.column.unique or isinstance(member.type, Relation)
        return _Place(header, member, CellReader(member, is_text=self._is_text, wants_values=wants_values))

    def convert(self, file: RowFile, batch: Batch) -> Converted:
        """The batch as the database takes it; without regard to other rows."""
        return self.convert_cells(file.cells(batch, self._source.headers), batch)

    def convert_cells(self, columns: Sequence[Cells], batch: Batch) -> Converted:
        """The same of cells that are given column by column, in the order of the headers."""
        headers = self._source.headers
        cells = dict(zip(headers, columns, strict=True))
        texts_of = self._texts_of_csv(columns) if self._is_text else self._texts_of_json(batch)
        converted = Converted(batch, list(range(len(batch.lines))), texts_of=texts_of)
        for place in self._places:
            key, column = place.member.key, place.reader.read(cells[place.header])
            converted.columns[key] = column
            if column.flaws:  # which are let go of before the next column has as many
                pointer = _pointer(key)
                converted.refuse((index, pointer, detail) for index, detail in column.flaws.items())
                column.flaws = {}
        if not self._is_text:
            converted.refuse(_unknown_members(batch, headers))
            converted.refuse(self._shadowed_members(batch))
        if may_be_too_large(self.definition.members.values()):
            converted.refuse(_too_large(converted))
        return converted

    def _texts_of_csv(self, columns: Sequence[Cells]) -> Callable[[int], list[str] | None]:
        return lambda index: kept([cells[index] for cells in columns], len(columns))

    def _texts_of_json(self, batch: Batch) -> Callable[[int], list[str] | None]:
        json = {place.header for place in self._places if isinstance(place.member.type, Json)}
        return lambda index: kept_record(batch.records[index], self._source.headers, json.__contains__)

    def _shadowed_members(self, batch: Batch) -> Iterator[Reason]:
        """What is called like a column, and is no column's key but a member of every row; exports have all of those."""
        columns = [each.column for each in self.definition.own.values() if each.column]
        targets = zip(self._source.headers, self._source.targets, strict=True)
        passed_over = {header for header, target in targets if target == NOWHERE and header in SYSTEMS_OWN}
        keys = {column.name: column.key for column in columns if column.name in passed_over}
        detail = _("‘%(name)s’ is each row’s own; the column that is called so has the key ‘%(key)s’.")
        for index, record in enumerate(batch.records) if keys else ():
            if not is_export(record.keys()):
                for name in keys.keys() & record.keys():
                    yield index, _pointer(name), detail % {"name": name, "key": keys[name]}

    def refuse_conflicts(self, converted: Converted) -> None:
        """Leave out rows whose unique value another has, and those that name rows or people who are not there."""
        self._refuse_unknown_owners(converted)
        for place in self._places:
            if isinstance(place.member.type, Relation):
                _refuse_missing(place, place.member.type, converted)
        uniques = [place for place in self._places if place.member.column and place.member.column.unique]
        if uniques and converted.fit:
            _refuse_taken(self.definition, uniques, converted)

    def _refuse_unknown_owners(self, converted: Converted) -> None:
        """Leave out rows of people who are not there; those who are stay until the commit."""
        values = converted.columns[OWNER].values if OWNER in converted.columns else ()
        named = [(index, values[index]) for index in converted.fit if values and values[index] is not None]
        wanted = {owner for _index, owner in named} | ({self._source.owner} if self._source.owner else set())
        known = known_people(wanted) if wanted else set()
        self._owner = self._source.owner if self._source.owner in known else None
        detail = _("There is no such person.")
        if unknown := [(index, f"/{OWNER}", detail) for index, owner in named if owner not in known]:
            converted.refuse(unknown)

    def insert(self, converted: Converted, after: int, attempt: Callable[[Callable[[], None]], str]) -> "Inserted":
        """Insert the fit rows, with ids later than the tick `after`; those the database itself refuses are left out.

        `attempt` does a piece of work as a whole or not at all, and tells why not.
        """
        made = Inserted(max(now_tick(), after), new_seed(), len(converted.fit))
        names, values = self._columns(converted, made)
        reasons: list[tuple[int, str, str]] = []

        def insert(start: int, end: int) -> None:
            if start == end:
                return
            part = values if end - start == made.count else [each[start:end] for each in values]
            flaw = attempt(lambda: insert_columns(self.definition.table.db_table, names, part))
            if flaw and end - start == 1:
                reasons.append((converted.fit[start], "", flaw))
            elif flaw:
                middle = (start + end) // 2
                insert(start, middle)
                insert(middle, end)

        insert(0, made.count)
        if reasons:
            converted.refuse(reasons)
        return made

    def _columns(self, converted: Converted, made: "Inserted") -> tuple[list[str], list[Sequence[Any]]]:
        """Physical names, and the values of the fit rows for each."""
        system = {key: self.definition.members[key] for key in ("id", "createdAt", "updatedAt", "revision", OWNER)}
        fields = {key: member.type.field() for key, member in system.items()}
        count, every = made.count, made.count == len(converted.batch.lines)
        moment = wire_value(fields["createdAt"], timezone.now())
        columns: dict[str, Sequence[Any]] = {
            "id": ids_of(made.tick, made.seed, count),
            "createdAt": [moment] * count,
            "updatedAt": [moment] * count,
            "revision": [wire_value(fields["revision"], 1)] * count,
            OWNER: [wire_value(fields[OWNER], self._owner)] * count,
        }
        for key, column in converted.columns.items():
            columns[key] = column.wire if every else [column.wire[index] for index in converted.fit]
        if OWNER in converted.columns and self._owner:
            default = wire_value(fields[OWNER], self._owner)
            columns[OWNER] = [default if value is None else value for value in columns[OWNER]]
        members = self.definition.members
        return [members[key].attribute for key in columns], list(columns.values())


@dataclass(frozen=True, slots=True)
class Inserted:
    """What makes the ids of the rows of a batch again; `count` may be more than there are."""

    tick: int
    seed: bytes
    count: int


def _too_large(converted: Converted) -> Iterator[Reason]:
    """The rows that hold more than a row may."""
    detail = too_large()
    for index in converted.fit:
        values = [column.wire[index] for column in converted.columns.values()]
        if is_too_large(sum(len(value.encode()) for value in values if isinstance(value, str))):
            yield index, "", detail


def _unknown_members(batch: Batch, headers: Sequence[str]) -> Iterator[Reason]:
    known, detail = frozenset(headers), no_such_columns(headers)
    for index, record in enumerate(batch.records):
        if not record.keys() <= known:
            yield from ((index, _pointer(key), detail) for key in record if key not in known)


def _refuse_missing(place: _Place, relation: Relation, converted: Converted) -> None:
    column, key = place.member.column, place.member.key
    values = converted.columns[key].values
    named = [(index, id) for index in converted.fit if values[index] is not None for id in relation.ids(values[index])]
    if not named or column is None or column.target_id is None:
        return
    gone = references.missing(table_by_number(column.target_id), {id for _index, id in named})
    detail = _("There is no row %(id)s in the table that this refers to.")
    if reasons := [(index, _pointer(key), detail % {"id": id}) for index, id in named if id in gone]:
        converted.refuse(reasons)


def _refuse_taken(definition: Definition, places: Sequence[_Place], converted: Converted) -> None:
    """Of two rows with the same value, the one that is there before stays, or else the one that stands first."""
    values = {place: converted.columns[place.member.key].values for place in places}
    taken = {
        place: _there(definition, place.member, [values[place][index] for index in converted.fit]) for place in places
    }
    reasons = []
    for index in converted.fit:
        own = [(place, values[place][index]) for place in places if values[place][index] is not None]
        conflicts = [(place, value) for place, value in own if value in taken[place]]
        for place, value in conflicts:
            detail = _("Another row has the %(key)s ‘%(value)s’.")
            written = place.member.type.write(value)[:100]
            reasons.append((index, _pointer(place.member.key), detail % {"key": place.member.key, "value": written}))
        if not conflicts:
            for place, value in own:
                taken[place].add(value)
    if reasons:
        converted.refuse(reasons)


def _there(definition: Definition, member: Member, values: Sequence[Any]) -> set[Any]:
    """Those of the values that rows have."""
    asked = [value for value in values if value is not None]
    rows = definition.rows().filter(models.Q(**{f"{member.attribute}__in": asked}))
    return set(rows.values_list(member.attribute, flat=True)) if asked else set()


def _pointer(key: str) -> str:
    return "/" + pointer_part(key)
