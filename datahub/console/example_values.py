"""Values for examples: such as this table's columns take, and which nothing in it has where they must be unique."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from datahub.column_types import ColumnType, Relation, Unfit
from datahub.dynamic import Definition, Member, definition_of
from datahub.errors import NoSuchTable

COLUMNS_MAX = 6  # in an example; those that are required come on top
UUID_BEGIN = 0x019AA0C17F7E7C319D2A5B8E1F4A6C00
TRIES = 40  # to find a value that no row has
NAMES = ("Ann", "Bela", "Chidi", "Dora", "Emile")


class Examples:
    """Rows that could be created one after another, each with other values in unique columns."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._given = 0  # of those tries

    def row(self) -> dict[str, Any]:
        """A new row, as JSON; without the columns for which there can be no example."""
        for number in range(self._given, self._given + TRIES):
            values = {member: self._read(member, number) for member in self._members()}
            if not any(self._is_taken(member, value) for member, value in values.items()):
                self._given = number + 1
                break
        return {member.key: value for member, value in values.items() if value is not None}

    def missing(self, row: dict[str, Any]) -> list[Member]:
        """The required columns for which the row has no value: there is no row yet that they could refer to."""
        return [member for key, member in self._definition.own.items() if key in self._definition.required - row.keys()]

    def change(self, row: dict[str, Any]) -> dict[str, Any]:
        """One member of the row with another value; nothing where the table has none that could change."""
        for member in self._definition.own.values():
            if member.key in row and not (member.column and member.column.unique):
                for number in range(1, TRIES):
                    value = self._read(member, number)
                    if value not in (None, row[member.key]):
                        return {member.key: value}
        return {member: row[member] for member in list(row)[:1]}

    def written(self, row: dict[str, Any]) -> list[str]:
        """The values as the cells of a CSV file."""
        own = self._definition.own
        return [own[key].type.write(own[key].type.read(value)) for key, value in row.items()]

    def _members(self) -> list[Member]:
        """What is required, or a key to look up by, and some more, in the order of the columns."""
        own = list(self._definition.own.values())
        needed = [member for member in own if member.column and (member.column.required or member.column.unique)]
        others = [member for member in own if member not in needed and not isinstance(member.type, Relation)]
        chosen = needed + others[: max(0, COLUMNS_MAX - len(needed))]
        return [member for member in own if member in chosen]

    def _is_taken(self, member: Member, value: Any) -> bool:
        """Whether the column is unique, and a row has this value."""
        if value is None or member.column is None or not member.column.unique:
            return False
        return bool(self._definition.rows().filter(**{member.attribute: member.type.read(value)}).exists())

    def _read(self, member: Member, number: int) -> Any:
        """A value of the column, such that the column takes it; None where there is none."""
        if isinstance(member.type, Relation):
            return _related(member)
        for value in _candidates(member.type, number):
            try:
                return member.type.show(member.type.read(value))
            except Unfit:
                continue
        return None


def _related(member: Member) -> Any:
    """A row that is there to be referred to; None where the other table has none."""
    target = member.column.target if member.column else None
    try:
        id = definition_of(target).rows().order_by("pk").values_list("pk", flat=True).first() if target else None
    except NoSuchTable:
        return None
    options = member.type.options
    return None if id is None else [str(id)] if options["many"] else str(id)


def _candidates(type: ColumnType, number: int) -> list[Any]:
    """Some values, one of which will do, in the sense of the type; other ones for each number."""
    name = NAMES[number % len(NAMES)] + (str(number // len(NAMES) + 1) if number >= len(NAMES) else "")
    make = MAKERS.get(type.name)
    if make:
        return make(type.options, number, name.lower())
    return [name, name[: type.options.get("maxLength", len(name))], str(number)]


MAKERS: Mapping[str, Callable[[Mapping[str, Any], int, str], list[Any]]] = {
    "integer": lambda options, number, _name: [_between(options["min"], options["max"], number)],
    "decimal": lambda options, number, _name: [f"{12 + number}.5", str(12 + number), options["min"], options["max"]],
    "float": lambda options, number, _name: [1.5 + number, options["min"], options["max"]],
    "boolean": lambda _options, number, _name: [number % 2 == 0],
    "date": lambda _options, number, _name: [f"2026-11-{1 + number % 28:02d}"],
    "dateTime": lambda _options, number, _name: [f"2026-11-{1 + number % 28:02d}T09:30:00Z"],
    "choice": lambda options, number, _name: [options["choices"][number % len(options["choices"])]],
    "multiChoice": lambda options, number, _name: [[options["choices"][number % len(options["choices"])]]],
    "email": lambda _options, _number, name: [f"{name}@example.com"],
    "url": lambda _options, _number, name: [f"https://example.com/{name}"],
    "json": lambda _options, _number, name: [{"note": name}],
    "uuid": lambda _options, number, _name: [str(UUID(int=UUID_BEGIN + number))],
}


def _between(low: int | None, high: int | None, number: int) -> int:
    value = 18 + number if low is None else max(18, low) + number
    return value if high is None else min(value, high)
