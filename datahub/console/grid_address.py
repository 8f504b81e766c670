"""What the address of the grid says: filters, sort, search and hidden columns, and how each is changed.

The parameters are those of `GET /tables/{t}/rows`, and two of the console's own, whose hyphens no column's key has.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from datahub.console.cells import operand_text
from datahub.dynamic import Definition, Member
from datahub.filters import SWITCHES
from fastgen_backend.console import WHAT_DONE

HIDDEN, FROM = "hide-columns", "from-row"
OWN = (HIDDEN, FROM)
PLACES = ("cursor", FROM)  # of a page, which another filter or order doesn't have
OPTIONS = ("q", "order", *PLACES, HIDDEN)
ADDED = ("filter-column", "filter-op", "filter-value", "sort-column", "sort-direction")  # by forms; then part of these
SHOWN = "shown-columns"  # by the page that is scrolled: their ids, in its order
NOT_ASKED = (*ADDED, WHAT_DONE, SHOWN)
OPERATORS: Mapping[str, str | Promise] = {
    "eq": _("is"),
    "ne": _("is not"),
    "contains": _("contains"),
    "icontains": _("contains (any case)"),
    "startswith": _("begins with"),
    "gt": _("is more than"),
    "gte": _("is at least"),
    "lt": _("is less than"),
    "lte": _("is at most"),
    "between": _("is between"),
    "in": _("is one of"),
    "nin": _("is none of"),
    "isnull": _("has no value"),
    "empty": _("is empty"),
}
SAID = {
    "isnull": ("isnull", "true"),
    "hasvalue": ("isnull", "false"),
    "empty": ("empty", "true"),
    "filled": ("empty", "false"),
}
OPPOSITES: Mapping[str, str | Promise] = {"isnull": _("has a value"), "empty": _("is not empty")}


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that the address asks for, in words, and the address without it."""

    text: str
    url: str


class GridAddress:
    """The parameters of one address of the grid."""

    def __init__(self, path: str, parameters: Mapping[str, str]) -> None:
        self._path = path
        self._added = {name: parameters[name] for name in ADDED if name in parameters}
        self.parameters = {
            name: value
            for name, value in parameters.items()
            if name not in NOT_ASKED and (value or name not in OPTIONS)
        }

    @property
    def is_being_changed(self) -> bool:
        """Whether a form has sent a filter or a sort to be added."""
        return bool(self._added)

    def changed(self, definition: Definition) -> str:
        """The address with what the form has sent."""
        added, address = self._added, GridAddress(self._path, self.parameters)
        if key := added.get("sort-column"):
            return address.sorted_by(key, descending=added.get("sort-direction") == "descending")
        key, operator = added.get("filter-column", ""), added.get("filter-op", "eq")
        operator, text = SAID.get(operator, (operator, added.get("filter-value", "")))
        if member := definition.members.get(key):
            text = operand_text(member.type, operator, text)
        return address.url(**{key if operator == "eq" else f"{key}__{operator}": text}) if key else address.url()

    @property
    def hidden(self) -> list[str]:
        """The keys of the columns that are not shown."""
        return [key for key in self.parameters.get(HIDDEN, "").split(",") if key]

    @property
    def order(self) -> list[str]:
        """The keys that rows are sorted by, each with a hyphen before it where the largest come first."""
        return [key for key in self.parameters.get("order", "").split(",") if key]

    @property
    def first(self) -> int:
        """The number of the first row."""
        text = self.parameters.get(FROM, "")
        return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text) else 1

    @property
    def filters(self) -> dict[str, str]:
        """What is neither an option nor a place."""
        return {name: value for name, value in self.parameters.items() if name not in OPTIONS}

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What another filter, sort or search leaves as it is."""
        return [(name, value) for name, value in self.parameters.items() if name not in PLACES]

    @property
    def query(self) -> str:
        """What is filtered and searched, as the end of an address."""
        asked = {name: value for name, value in self.parameters.items() if name in self.filters or name == "q"}
        return f"?{urlencode(asked, safe=',:@-')}" if asked else ""

    @property
    def asked(self) -> dict[str, str]:
        """What lists and exports of the API understand as well."""
        return {name: value for name, value in self.parameters.items() if name not in OWN}

    def url(self, /, **changes: str | None) -> str:
        """The address with these parameters, from its first page on; None takes one out."""
        return self.with_parameters({**changes, **dict.fromkeys(PLACES)})

    def with_parameters(self, changes: Mapping[str, str | None]) -> str:
        merged: dict[str, Any] = {**self.parameters, **changes}
        query = urlencode({name: value for name, value in merged.items() if value is not None}, safe=",:@-")
        return f"{self._path}?{query}" if query else self._path

    def export(self, definition: Definition, members: Sequence[Member]) -> str:
        """Where the rows that are asked for come as CSV, with the columns that are shown."""
        asked = {name: value for name, value in self.asked.items() if name != "cursor"}
        fields = ",".join(["id", *(member.key for member in members)])
        query = urlencode({**asked, "fields": fields}, safe=",:@-") if self.hidden else urlencode(asked, safe=",:@-")
        return f"/api/v1/tables/{definition.table.key}/rows.csv" + (f"?{query}" if query else "")

    def next_page(self, cursor: str, count: int) -> str:
        """The address of the page after this one, which has `count` rows."""
        return self.with_parameters({"cursor": cursor, FROM: str(self.first + count)})

    def sorted_by(self, key: str, *, descending: bool) -> str:
        """Sorted by this column first, and then as before."""
        others = [each for each in self.order if each.removeprefix("-") != key]
        return self.url(order=",".join([f"-{key}" if descending else key, *others][:5]))

    def without(self, key: str) -> str:
        """This column hidden; nothing asks for it any more but a filter."""
        return self.with_parameters({HIDDEN: ",".join([*self.hidden, key])})

    def showing(self, keys: Collection[str]) -> str:
        """Of the hidden columns these are shown."""
        left = [key for key in self.hidden if key not in keys]
        return self.with_parameters({HIDDEN: ",".join(left) or None})


def chips_of(address: GridAddress, definition: Definition) -> tuple[list[Chip], list[Chip]]:
    """What is filtered, and what is sorted by."""
    members = definition.members
    filters = [
        Chip(_filter_in_words(name, value, members), address.url(**{name: None}))
        for name, value in address.filters.items()
    ]
    orders = []
    for key in address.order:
        rest = ",".join(each for each in address.order if each != key) or None
        arrow = "↓" if key.startswith("-") else "↑"
        orders.append(Chip(f"{name_of(members, key.removeprefix('-'))} {arrow}", address.url(order=rest)))
    return filters, orders


def name_of(members: Mapping[str, Member], key: str) -> str:
    """What a member is called; by its key, where it is the system's or none."""
    member = members.get(key)
    if member is not None and member.column is not None:
        return member.column.name
    return str(SYSTEM_NAMES.get(key, key))


SYSTEM_NAMES: Mapping[str, str | Promise] = {
    "id": _("Id"),
    "createdAt": _("Created"),
    "updatedAt": _("Changed"),
    "revision": _("Revision"),
    "owner": _("Owner"),
}


def _filter_in_words(name: str, value: str, members: Mapping[str, Member]) -> str:
    key, _separator, operator = name.partition("__")
    operator = operator or "eq"
    words = OPPOSITES if operator in SWITCHES and value == "false" else OPERATORS
    shown = "" if operator in SWITCHES else f" {value if len(value) <= 40 else value[:39] + '…'}"
    return f"{name_of(members, key)} {words.get(operator, operator)}{shown}"
