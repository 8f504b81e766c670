"""Questions for rows, compiled once for each version of a table and each shape, then asked with new values.

Django builds the SQL, from the same conditions for every path; to do so costs it a millisecond, ten times what the
database needs to answer. What comes back is shown without a detour by way of Python's types, where there is one.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

from datahub.column_types.documents import Json
from datahub.column_types.numbers import Fixed
from datahub.column_types.stored import DocumentField, NumberDecoder
from datahub.dynamic import Definition, Member, OutdatedDefinition, identity_sql, is_now
from datahub.filters import Condition, as_q, operands, shape, simplified
from datahub.row_queries import Ordering
from datahub.row_sizes import size_of
from fastgen_backend.prepared import Parameter

STATEMENTS_MAX = 200  # of one version of a table
KEPT_OPERANDS_MAX = 50  # of a statement that is kept; longer ones come in too many lengths, and are large
LONG_NUMBER = re.compile(r"[0-9]{19}")  # as PostgreSQL writes 1e300, in full
WHOLE_SECONDS, MICROSECONDS = len("00:00:00"), len("00:00:00.000000")
RAW_JSON = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC  # how what `shower` gives is written
Values = tuple[Any, ...]  # of the members, and the identity of the definition


def select(
    definition: Definition, members: Sequence[Member], condition: Condition, order: Sequence[Ordering], limit: int
) -> "Found":
    """The first `limit` rows that meet the condition, in this order."""
    return _ask(Select, definition, members, condition, order, limit)


def sizes(
    definition: Definition, members: Sequence[Member], condition: Condition, order: Sequence[Ordering], limit: int
) -> list[int]:
    """How many bytes each of the rows that `select` would give has, about."""
    return [size for size, _identity in _ask(Sizes, definition, members, condition, order, limit).rows]


def _ask(
    kind: "type[Select]",
    definition: Definition,
    members: Sequence[Member],
    condition: Condition,
    order: Sequence[Ordering],
    limit: int,
) -> "Found":
    condition = simplified(condition)
    values = operands(condition)
    if len(values) > KEPT_OPERANDS_MAX:
        return kind(definition, members, condition, order, limit).ask(values)
    key = (kind, tuple(members), shape(condition), tuple(order), limit)
    statement: Select | None = definition.statements.get(key)
    if statement is None:
        if len(definition.statements) >= STATEMENTS_MAX:
            definition.statements.clear()
        statement = definition.statements[key] = kind(definition, members, condition, order, limit)
    return statement.ask(values)


class Found:
    """Rows as the database gave them."""

    def __init__(self, statement: "Select", rows: list[Values]) -> None:
        self._statement = statement
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def drop_last(self) -> None:
        """Forget the last row, which only told that there is more."""
        del self.rows[-1]

    def values(self, index: int) -> Values:
        """One row in Python's own types."""
        return self._statement.converted(self.rows[index])

    def by_key(self, index: int, members: Sequence[Member]) -> dict[str, Any]:
        """These members of a row in Python's own types, by their keys."""
        values = self._statement.converted(self.rows[index], members)
        return dict(zip([member.key for member in members], values, strict=True))

    def shown(self, members: Sequence[Member]) -> list[dict[str, Any]]:
        """All rows as objects of these members, to be written by orjson with `RAW_JSON`."""
        return self._statement.shown(self.rows, members)


class Select:
    """One statement, with places for the operands of its condition."""

    def __init__(
        self,
        definition: Definition,
        members: Sequence[Member],
        condition: Condition,
        order: Sequence[Ordering],
        limit: int,
    ) -> None:
        numbers = count()

        def place(field: "models.Field[Any, Any]") -> Parameter:
            return Parameter(str(next(numbers)), field)

        rows = definition.rows().filter(as_q(condition, place)).order_by(*map(sorting, order))
        identity = RawSQL(identity_sql(definition.table.pk), (), models.TextField())  # noqa: S611  ours
        compiler = rows.values_list(*self._expressions(members), identity)[:limit].query.get_compiler("default")
        self._places = {member: index for index, member in enumerate(members)}
        self._showers = [shower(member) for member in members]
        self._sql = ""
        try:
            self._sql, self._params = compiler.as_sql()
        except EmptyResultSet:
            return
        columns = [expression for expression, _sql, _alias in compiler.select or ()]
        self._converters = compiler.get_converters(columns)
        self._moments = {place for place, member in enumerate(members) if _comes_as_text(member)}

    def _expressions(self, members: Sequence[Member]) -> list[Any]:
        return [_selected(member) for member in members]

    def ask(self, values: Sequence[Any]) -> Found:
        """The rows for these operands."""
        if not self._sql:
            return Found(self, [])
        given = {str(number): value for number, value in enumerate(values)}
        params = [each.value(given, connection) if isinstance(each, Parameter) else each for each in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            return Found(self, cursor.fetchall())

    def converted(self, row: Values, members: Sequence[Member] | None = None) -> Values:
        """These members of a row, or all, in Python's own types."""
        places = self._places.values() if members is None else [self._places[member] for member in members]
        return tuple([self._converted(place, row[place]) for place in places])

    def _converted(self, place: int, value: Any) -> Any:
        converters, expression = self._converters.get(place, ((), None))
        for convert in converters:
            value = convert(value, expression, connection)
        if value and place in self._moments:
            return datetime.fromisoformat(value.removesuffix("+00") + "+00")
        return value

    def shown(self, rows: Sequence[Values], members: Sequence[Member]) -> list[dict[str, Any]]:
        places = [self._places[member] for member in members]
        keys = [member.key for member in members]
        showers = [(member.key, show) for member in members if (show := self._showers[self._places[member]])]
        items = []
        for row in rows:
            item = dict(zip(keys, [row[place] for place in places], strict=True))
            for key, show in showers:
                if (value := item[key]) is not None:
                    item[key] = show(value)
            items.append(item)
        return items


class Sizes(Select):
    """The same rows, of which it is only asked how large they are."""

    def _expressions(self, members: Sequence[Member]) -> list[Any]:
        return [size_of(members)]


def refuse_outdated(definition: Definition, found: Sequence[Found]) -> None:
    """Raise `OutdatedDefinition` unless these rows were read while the table had this definition.

    Rows tell it themselves: each comes with the identity of the definition that the table had by then.
    """
    identities = {each.rows[0][-1] for each in found if each.rows}
    if identities != {definition.identity} if identities else not is_now(definition):
        raise OutdatedDefinition


def sorting(each: Ordering) -> Any:
    """Absent values are smaller than all others, on every database."""
    name = models.F(each.member.attribute)
    if not each.member.is_nullable:
        return name.desc() if each.descending else name.asc()
    return name.desc(nulls_last=True) if each.descending else name.asc(nulls_first=True)


def shower(member: Member) -> Callable[[Any], Any] | None:
    """How a value as the database gives it is shown; None where our JSON writer knows."""
    field = member.type.field()
    if isinstance(member.type, Fixed):
        scale = member.type.options["scale"]
        return lambda value: f"{value:.{scale}f}"
    if isinstance(member.type, Json):
        return _document(member.type)
    if isinstance(field, DocumentField):
        return orjson.Fragment
    if _comes_as_text(member):
        return _utc
    return _dashed if isinstance(field, models.UUIDField) and connection.vendor == "sqlite" else None


def _document(type: Json) -> Callable[[str], orjson.Fragment]:
    """As the text that comes, but for numbers that a database writes in another way than we do."""

    def show(text: str) -> orjson.Fragment:
        if not LONG_NUMBER.search(text):
            return orjson.Fragment(text)
        return orjson.Fragment(type.write(json.loads(text, cls=NumberDecoder)))

    return show


def _comes_as_text(member: Member) -> bool:
    """Moments: as the text that databases give anyway, which drivers take long to understand."""
    return isinstance(member.type.field(), models.DateTimeField)


def _selected(member: Member) -> Any:
    return Cast(member.attribute, models.TextField()) if _comes_as_text(member) else member.attribute


def _utc(moment: str) -> str:
    time = moment[11:].removesuffix("+00")  # PostgreSQL says it is UTC; SQLite says nothing
    return f"{moment[:10]}T{time if len(time) == WHOLE_SECONDS else time.ljust(MICROSECONDS, '0')}Z"


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
