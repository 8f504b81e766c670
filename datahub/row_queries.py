"""What a list of rows is asked for: filter, order, fields, expansion, page; from parameters or JSON."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from datahub.column_types import Relation, Unfit
from datahub.dynamic import Definition, Member
from datahub.filter_reading import condition_from_json, condition_from_parameters, search
from datahub.filters import ALWAYS, Condition, Every
from datahub.names import no_such_column
from fastgen_backend.errors import MOST_ERRORS, FieldError, InvalidInput, pointer_part
from fastgen_backend.limits import PAGE_DEFAULT, PAGE_MAX

COUNTS = ("none", "estimated", "exact")
ORDER_MAX = 5
LONGEST_SEARCH = 200
LIMIT = re.compile(r"[0-9]{1,9}")
OPTIONS = ("q", "order", "fields", "expand", "limit", "cursor", "count")


@dataclass(frozen=True, slots=True)
class Ordering:
    """A member to sort by; absent values are smaller than all others."""

    member: Member
    descending: bool


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A question for rows, checked against the definition of their table."""

    condition: Condition = ALWAYS
    search: Condition = ALWAYS
    order: tuple[Ordering, ...] = ()
    fields: tuple[Member, ...] = ()
    expand: tuple[Member, ...] = ()
    limit: int = PAGE_DEFAULT
    cursor: str = ""
    count: str = "none"

    @property
    def where(self) -> Condition:
        """The filter and the search together."""
        return Every((self.condition, self.search))


def query_from_parameters(
    parameters: Mapping[str, str],
    definition: Definition,
    options: Sequence[str] = OPTIONS,
    read_elsewhere: Sequence[str] = (),
) -> RowQuery:
    """From `age__gte=18&order=-age,name&limit=50`; what is no option and not `read_elsewhere` is a filter.

    Raises `InvalidInput`.
    """
    given: dict[str, Any] = {name: parameters[name] for name in options if name in parameters}
    for name in ("order", "fields", "expand"):
        if name in given:
            given[name] = [part for part in given[name].split(",") if part]
    if "limit" in given:
        given["limit"] = int(given["limit"]) if LIMIT.fullmatch(given["limit"]) else None
    reader = _Reader(definition)
    known = (*options, *read_elsewhere)
    filters = {name: text for name, text in parameters.items() if name not in known}
    condition = reader.collect(lambda: condition_from_parameters(filters, definition.members, known))
    return reader.query(condition, given)


def query_from_json(body: Any, definition: Definition) -> RowQuery:
    """From `{"filter", "q", "order", "fields", "expand", "limit", "cursor", "count"}`. Raises `InvalidInput`."""
    if not isinstance(body, dict):
        raise InvalidInput([FieldError("", "not-an-object", _("This must be a JSON object."))])
    reader = _Reader(definition)
    known = ("filter", *OPTIONS)
    detail = _("There is no such member; there are: %(known)s.") % {"known": ", ".join(known)}
    for name in islice((name for name in body if name not in known), MOST_ERRORS + 1):
        reader.refuse(name, "unknown-member", detail)
    condition: Condition = ALWAYS
    if "filter" in body:
        condition = reader.collect(lambda: condition_from_json(body["filter"], definition.members))
    return reader.query(condition, {name: body[name] for name in OPTIONS if name in body})


class _Reader:
    """Reads the parts of a query, and collects what is wrong with them."""

    def __init__(self, definition: Definition) -> None:
        self._members = definition.members
        self._errors: list[FieldError] = []

    def refuse(self, name: str, code: str, detail: str) -> None:
        self._errors.append(FieldError(f"/{pointer_part(name)}", code, detail))

    def collect(self, read: Any) -> Condition:
        try:
            found: Condition = read()
        except InvalidInput as refusal:
            self._errors += refusal.errors
            return ALWAYS
        return found

    def query(self, condition: Condition, given: Mapping[str, Any]) -> RowQuery:
        query = RowQuery(
            condition=condition,
            search=self._search(given.get("q")),
            order=self._order(given.get("order", [])),
            fields=self._fields(given.get("fields")),
            expand=self._expand(given.get("expand", [])),
            limit=self._limit(given.get("limit", PAGE_DEFAULT)),
            cursor=self._text("cursor", given.get("cursor", "")),
            count=self._count(given.get("count", "none")),
        )
        if self._errors:
            raise InvalidInput(self._errors)
        return query

    def _search(self, text: Any) -> Condition:
        if text is None or text == "":
            return ALWAYS
        if isinstance(text, str) and len(text) > LONGEST_SEARCH:
            detail = _("This may have %(count)d characters at most.") % {"count": LONGEST_SEARCH}
            self.refuse("q", "too-long", detail)
            return ALWAYS
        try:
            return search(text, list(self._members.values()))
        except Unfit as unfit:
            self.refuse("q", unfit.code, unfit.reason)
            return ALWAYS

    def _order(self, names: Any) -> tuple[Ordering, ...]:
        order = []
        for name in self._names("order", names, ORDER_MAX):
            member = self._member("order", name.removeprefix("-"))
            if member and not member.type.is_sortable:
                self.refuse("order", "not-sortable", _("‘%(name)s’ can’t be sorted by.") % {"name": member.key})
            elif member:
                order.append(Ordering(member, name.startswith("-")))
        if len({each.member.key for each in order}) < len(order):
            self.refuse("order", "repeated", _("A column stands twice."))
        return tuple(order)

    def _fields(self, names: Any) -> tuple[Member, ...]:
        if names is None:
            return tuple(self._members.values())
        found = [self._member("fields", name) for name in self._names("fields", names, len(self._members))]
        members = tuple(dict.fromkeys(member for member in found if member))
        if not members and not self._errors:
            self.refuse("fields", "empty", _("Name one member at least."))
        return members

    def _expand(self, names: Any) -> tuple[Member, ...]:
        found = []
        for name in self._names("expand", names, 20):
            member = self._member("expand", name)
            if member and (isinstance(member.type, Relation) or member.key == "owner"):
                found.append(member)
            elif member:
                self.refuse("expand", "not-a-relation", _("‘%(name)s’ is no relation.") % {"name": name})
        return tuple(dict.fromkeys(found))

    def _limit(self, limit: Any) -> int:
        if type(limit) is int and 1 <= limit <= PAGE_MAX:
            return limit
        self.refuse("limit", "invalid", _("This must be a number from 1 to %(max)d.") % {"max": PAGE_MAX})
        return PAGE_DEFAULT

    def _count(self, count: Any) -> str:
        if count in COUNTS:
            return str(count)
        self.refuse("count", "invalid", _("This must be none, estimated or exact."))
        return "none"

    def _text(self, name: str, text: Any) -> str:
        if isinstance(text, str):
            return text
        self.refuse(name, "not-a-string", _("This must be a string."))
        return ""

    def _names(self, option: str, names: Any, most: int) -> list[str]:
        if isinstance(names, list) and len(names) <= most and all(isinstance(name, str) for name in names):
            return names
        if isinstance(names, list) and len(names) > most:
            self.refuse(option, "too-many", _("Name %(count)d columns at most.") % {"count": most})
        else:
            self.refuse(option, "not-names", _('Name columns by an array of strings, as in ["name"].'))
        return []

    def _member(self, option: str, key: str) -> Member | None:
        member = self._members.get(key)
        if member is None:
            self.refuse(option, "unknown-member", no_such_column(key, self._members))
        return member
