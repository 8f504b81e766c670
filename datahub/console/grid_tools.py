"""What stands around the rows of the grid: the heads of columns with their menus, the choices of filters and sorts."""

import json
from collections.abc import Sequence
from typing import Any

from datahub.column_types import Relation
from datahub.column_types.documents import MultiChoice
from datahub.column_types.moments import Date, DateTime
from datahub.column_types.switches import Boolean
from datahub.column_types.texts import Choice
from datahub.console.cells import is_long, is_number
from datahub.console.grid_address import OPERATORS, OPPOSITES, SYSTEM_NAMES, Chip, GridAddress, name_of
from datahub.console.type_words import GLYPHS
from datahub.dynamic import SYSTEM_MEMBERS, Definition, Member


def headers_of(members: Sequence[Member], address: GridAddress) -> list[dict[str, Any]]:
    """Each column that is shown: what it is, how it is edited, and where its menu leads."""
    return [_header(index, member, address) for index, member in enumerate(members) if member.column]


def hidden_columns(definition: Definition, address: GridAddress) -> list[Chip]:
    """The columns that are not shown, and the addresses that show them."""
    there = [key for key in address.hidden if key in definition.own]
    return [Chip(name_of(definition.members, key), address.showing([key])) for key in there]


def filter_fields(definition: Definition) -> list[dict[str, Any]]:
    """What can be filtered by, with the tests that each takes, in words."""
    return [
        {"key": key, "name": name_of(definition.members, key), "tests": " ".join(_tests(member))}
        for key, member in _named(definition)
    ]


def sort_fields(definition: Definition) -> list[dict[str, Any]]:
    """What can be sorted by."""
    return [
        {"key": key, "name": name_of(definition.members, key)}
        for key, member in _named(definition)
        if member.type.is_sortable
    ]


def tests_in_words() -> list[tuple[str, Any]]:
    """All tests, as a form sends them."""
    words = dict(OPERATORS)
    return [*words.items(), ("hasvalue", OPPOSITES["isnull"]), ("filled", OPPOSITES["empty"])]


def editor_of(member: Member) -> str:
    """What a value is edited with: `text`, `lines`, `date`, `moment`, `switch`, `choice`, `choices`, `row`, `rows`."""
    type = member.type
    if isinstance(type, Relation):
        return "rows" if type.many else "row"
    for kind, editor in EDITORS.items():
        if isinstance(type, kind):
            return editor
    return "lines" if is_long(type) else "text"


EDITORS: dict[type, str] = {
    Date: "date",
    DateTime: "moment",
    Boolean: "switch",
    Choice: "choice",
    MultiChoice: "choices",
}


def _header(index: int, member: Member, address: GridAddress) -> dict[str, Any]:
    column, key = member.column, member.key
    choices = member.type.options.get("choices")
    return {
        "column": column,
        "menu": f"menu-{index}",
        "glyph": GLYPHS[member.type.name],
        "is_number": is_number(member.type),
        "editor": editor_of(member),
        "choices": json.dumps(list(choices), ensure_ascii=False) if choices else "",
        "direction": "ascending" if key in address.order else "descending" if f"-{key}" in address.order else "",
        "is_sortable": member.type.is_sortable,
        "ascending": address.sorted_by(key, descending=False),
        "descending": address.sorted_by(key, descending=True),
        "without": address.without(key),
        "is_first": index == 0,
    }


def _named(definition: Definition) -> list[tuple[str, Member]]:
    """Columns, and what the system keeps of each row; its id tells nothing to anyone."""
    system = [(member.key, member) for member in SYSTEM_MEMBERS if member.key in SYSTEM_NAMES]
    return [*definition.own.items(), *system]


def _tests(member: Member) -> list[str]:
    known = [operator for operator in OPERATORS if operator in member.type.operators]
    both = {"isnull": "hasvalue", "empty": "filled"}
    if not member.is_nullable:
        known = [operator for operator in known if operator != "isnull"]
    return known + [both[operator] for operator in known if operator in both]
