"""Conditions as callers write them: read from parameters or JSON, and checked against the members there are.

What a column's type doesn't know as an operator is refused.
"""

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from datahub.column_types import Unfit
from datahub.column_types.column_type import checked_text
from datahub.dynamic import Member
from datahub.filters import NEVER, SWITCHES, Comparison, Condition, Either, Every, Opposite, operands, simplified
from datahub.names import no_such_column, no_such_parameter
from fastgen_backend.errors import FieldError, InvalidInput, pointer_part

LISTS = frozenset({"in", "nin", "between"})
DEEPEST = 8
CONDITIONS_MAX = 200
OPERANDS_MAX = 1000  # of one test
ALL_OPERANDS_MAX = 10_000  # PostgreSQL takes 65,535 in a statement, and SQLite 32,766


def condition_from_parameters(
    parameters: Mapping[str, str], members: Mapping[str, Member], options: Collection[str] = ()
) -> Condition:
    """All of `age__gte=18&city=Rome`; a list is parted by commas, as in a line of CSV. Raises `InvalidInput`.

    `options` are the parameters that are no filters, to be named to who sent one that is not taken here.
    """
    parts: list[Condition] = []
    errors: list[FieldError] = []
    for name, text in parameters.items():
        key, _separator, operator = name.partition("__")
        try:
            if key not in members:
                raise Unfit(no_such_parameter(key, options, members), "unknown-member")
            parts.append(_test(members, key, operator or "eq", text, _operand_from_text))
        except Unfit as unfit:
            errors.append(FieldError(f"/{pointer_part(name)}", unfit.code, unfit.reason))
    if errors:
        raise InvalidInput(errors)
    return _of_modest_size(Every(tuple(parts)), "")


def condition_from_json(value: Any, members: Mapping[str, Member], pointer: str = "/filter") -> Condition:
    """`{"and": [...]}`, `{"or": [...]}`, `{"not": {...}}` or `{"field", "op", "value"}`. Raises `InvalidInput`."""
    reader = _JsonReader(members)
    condition = reader.read(value, pointer, 0)
    if reader.errors:
        raise InvalidInput(reader.errors)
    return _of_modest_size(condition, pointer)


def _of_modest_size(condition: Condition, pointer: str) -> Condition:
    """The condition; raises `InvalidInput` where it has more parts than a statement of SQL should have."""
    if isinstance(condition, Every) and len(condition.parts) > CONDITIONS_MAX:
        detail = _("A filter may hold %(count)d conditions.") % {"count": CONDITIONS_MAX}
    elif len(operands(simplified(condition))) > ALL_OPERANDS_MAX:
        detail = _("A filter may name %(count)d values in all.") % {"count": ALL_OPERANDS_MAX}
    else:
        return condition
    raise InvalidInput([FieldError(pointer, "too-complex", detail)])


class _JsonReader:
    """Reads conditions and collects what is wrong with them."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members
        self._count = 0
        self.errors: list[FieldError] = []

    def read(self, value: Any, pointer: str, depth: int) -> Condition:
        self._count += 1
        if depth > DEEPEST or self._count > CONDITIONS_MAX:
            detail = _("A filter may hold %(count)d conditions, nested %(deep)d deep.")
            return self._refuse(pointer, "too-complex", detail % {"count": CONDITIONS_MAX, "deep": DEEPEST})
        match value:
            case {"and": list(parts), **rest} if not rest:
                return Every(self._each(parts, f"{pointer}/and", depth))
            case {"or": list(parts), **rest} if not rest:
                return Either(self._each(parts, f"{pointer}/or", depth))
            case {"not": part, **rest} if not rest:
                return Opposite(self.read(part, f"{pointer}/not", depth + 1))
            case {"field": str(key), "value": operand, **rest} if not set(rest) - {"op"}:
                return self._test(key, rest.get("op", "eq"), operand, pointer)
            case {"field": str(), **rest} if "value" not in rest and not set(rest) - {"op"}:
                return self._refuse(f"{pointer}/value", "required", _("Say what to compare with, as ‘value’."))
        detail = _('Write {"field", "op", "value"}, or {"and": [...]}, {"or": [...]} or {"not": {...}} around such.')
        return self._refuse(pointer, "malformed", detail)

    def _each(self, parts: list[Any], pointer: str, depth: int) -> tuple[Condition, ...]:
        read = []
        for index, part in enumerate(parts):
            if self._count > CONDITIONS_MAX:
                break
            read.append(self.read(part, f"{pointer}/{index}", depth + 1))
        return tuple(read)

    def _test(self, key: str, operator: Any, operand: Any, pointer: str) -> Condition:
        try:
            return _test(self._members, key, operator, operand, _operand_from_json)
        except Unfit as unfit:
            return self._refuse(pointer, unfit.code, unfit.reason)

    def _refuse(self, pointer: str, code: str, detail: str) -> Condition:
        self.errors.append(FieldError(pointer, code, detail))
        return NEVER


def _test(
    members: Mapping[str, Member], key: str, operator: Any, given: Any, operand: Callable[[Member, str, Any], Any]
) -> Comparison:
    member = members.get(key)
    if member is None:
        raise Unfit(no_such_column(key, members), "unknown-member")
    if not isinstance(operator, str) or operator not in member.type.operators:
        known = ", ".join(sorted(member.type.operators))
        detail = _("A column of the type %(type)s can be asked for: %(known)s.")
        raise Unfit(detail % {"type": member.type.name, "known": known}, "unknown-operator")
    return Comparison(member, operator, operand(member, operator, given))


def _operand_from_text(member: Member, operator: str, text: str) -> Any:
    if operator in SWITCHES:
        if text not in {"true", "false"}:
            raise Unfit(_("This must be true or false."), "not-a-boolean")
        return text == "true"
    if operator in LISTS:
        return _list(operator, _items(text), lambda item: member.type.operand_from_text(operator, item))
    return member.type.operand_from_text(operator, text)


def _items(text: str) -> list[str]:
    if "\n" in text or "\r" in text:  # which no line of CSV holds
        return [text]
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        raise Unfit(_("This is too long."), "too-long") from None


def _operand_from_json(member: Member, operator: str, value: Any) -> Any:
    if operator in SWITCHES:
        if type(value) is not bool:
            raise Unfit(_("This must be true or false."), "not-a-boolean")
        return value
    if operator in LISTS:
        if not isinstance(value, list):
            raise Unfit(_("This must be an array."), "not-an-array")
        return _list(operator, value, lambda item: member.type.operand(operator, item))
    if value is None:
        raise Unfit(_("Nothing is equal to null; ask with isnull."), "null")
    return member.type.operand(operator, value)


def _list(operator: str, items: list[Any], read: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The items read; how many there are is looked at before."""
    if operator == "between" and len(items) != 2:
        raise Unfit(_("Name two values: from and to, both included."), "not-two-values")
    if len(items) > OPERANDS_MAX:
        raise Unfit(_("Name %(count)d values at most.") % {"count": OPERANDS_MAX}, "too-many-values")
    return tuple(map(read, items))


def search(text: str, members: Sequence[Member]) -> Condition:
    """Rows that hold `text` in any of their texts, whatever the letter case. Raises `Unfit`."""
    part = checked_text(text)
    return Either(tuple(Comparison(member, "icontains", part) for member in members if member.type.is_searched))
