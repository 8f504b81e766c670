"""The filter language of rows: conditions as parameters or JSON give them, and as the database is asked.

A condition is true or false, never unknown: an absent value is equal to nothing, so `ne` and `nin` hold for it, and
no comparison does. What a column's type doesn't know as an operator is refused.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from datahub.column_types import Unfit
from datahub.column_types.column_type import checked_text
from datahub.column_types.stored import ListField
from datahub.dynamic import Member
from fastgen_backend.errors import FieldError, InvalidInput, pointer_part

OPERATORS = frozenset(
    [
        "eq",
        "ne",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "nin",
        "between",
        "contains",
        "icontains",
        "startswith",
        "isnull",
        "empty",
    ]
)
SWITCHES = frozenset({"isnull", "empty"})  # whose operand is true or false
LISTS = frozenset({"in", "nin", "between"})
DEEPEST = 8
CONDITIONS_MAX = 200
OPERANDS_MAX = 1000  # of one test
ALL_OPERANDS_MAX = 10_000  # PostgreSQL takes 65,535 in a statement, and SQLite 32,766
LAST_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Comparison:
    """One member compared with an operand of its type; a list for `in`, `nin` and `between`."""

    member: Member
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Every:
    """All of these; where there are none, true."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of these at least; where there are none, false."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Opposite:
    """What is not so."""

    part: "Condition"


Condition = Comparison | Every | Either | Opposite
ALWAYS = Every(())
NEVER = Either(())


# Reading -----------------------------------------------------------------------------------------------------------


def condition_from_parameters(parameters: Mapping[str, str], members: Mapping[str, Member]) -> Condition:
    """All of `age__gte=18&city=Rome`; a list is parted by commas, as in a line of CSV. Raises `InvalidInput`."""
    parts: list[Condition] = []
    errors: list[FieldError] = []
    for name, text in parameters.items():
        key, _separator, operator = name.partition("__")
        try:
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
        raise Unfit(_("There is no column or parameter ‘%(key)s’.") % {"key": key[:100]}, "unknown-member")
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
        return _list(operator, [member.type.operand_from_text(operator, item) for item in _items(text)])
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
        return _list(operator, [member.type.operand(operator, item) for item in value])
    if value is None:
        raise Unfit(_("Nothing is equal to null; ask with isnull."), "null")
    return member.type.operand(operator, value)


def _list(operator: str, items: list[Any]) -> tuple[Any, ...]:
    if operator == "between" and len(items) != 2:
        raise Unfit(_("Name two values: from and to, both included."), "not-two-values")
    if len(items) > OPERANDS_MAX:
        raise Unfit(_("Name %(count)d values at most.") % {"count": OPERANDS_MAX}, "too-many-values")
    return tuple(items)


def search(text: str, members: Sequence[Member]) -> Condition:
    """Rows that hold `text` in any of their texts, whatever the letter case. Raises `Unfit`."""
    part = checked_text(text)
    return Either(tuple(Comparison(member, "icontains", part) for member in members if member.type.is_searched))


# Asking ------------------------------------------------------------------------------------------------------------

Place = Callable[["models.Field[Any, Any]"], Any]  # where an operand of this field's type is to stand


def simplified(condition: Condition) -> Condition:
    """The same in fewer words, so that each operand is asked as it is: no `ne`, `nin`, `between` or `startswith`."""
    match condition:
        case Every(parts):
            return Every(tuple(map(simplified, parts)))
        case Either(parts):
            return Either(tuple(map(simplified, parts)))
        case Opposite(part):
            return Opposite(simplified(part))
        case Comparison():
            return _in_fewer_words(condition)


def _in_fewer_words(test: Comparison) -> Condition:
    member, operand = test.member, test.operand
    match test.operator:
        case "ne":
            return Opposite(Comparison(member, "eq", operand))
        case "nin":
            return Opposite(_in_fewer_words(Comparison(member, "in", operand)))
        case "in" if not operand:
            return NEVER
        case "between":
            return Every((Comparison(member, "gte", operand[0]), Comparison(member, "lte", operand[1])))
        case "startswith":
            return _begins(member, operand)
    return test


def shape(condition: Condition) -> tuple[Any, ...]:
    """What is left of a simplified condition without its operands; two of one shape are asked by one statement."""
    match condition:
        case Every(parts) | Either(parts):
            return (type(condition), *map(shape, parts))
        case Opposite(part):
            return (Opposite, shape(part))
        case Comparison(member, operator, operand):
            return (member, operator, operand if operator in SWITCHES else len(operand) if operator == "in" else None)


def operands(condition: Condition) -> list[Any]:
    """The operands of a simplified condition, in the order in which `as_q` places them."""
    match condition:
        case Every(parts) | Either(parts):
            return [operand for part in parts for operand in operands(part)]
        case Opposite(part):
            return operands(part)
        case Comparison(_, operator, operand):
            return [] if operator in SWITCHES else list(operand) if operator == "in" else [operand]


def as_q(condition: Condition, place: Place | None = None) -> Q:
    """The condition as Django asks it; with `place`, a simplified one with places instead of its operands."""
    return _q(simplified(condition), place, negated=False)


def _q(condition: Condition, place: Place | None, *, negated: bool) -> Q:
    """Negation goes down to the single tests: there Django minds absent values, above it would not."""
    match condition:
        case Opposite(part):
            return _q(part, place, negated=not negated)
        case Every(parts) | Either(parts):
            connector = Q.AND if isinstance(condition, Every) is not negated else Q.OR
            if not parts:
                return ~NOTHING if connector == Q.AND else NOTHING
            return Q(*(_q(part, place, negated=negated) for part in parts), _connector=connector)
        case Comparison():
            return ~_asked(condition, place) if negated else _asked(condition, place)


def _asked(test: Comparison, place: Place | None) -> Q:
    member, operator, operand = test.member, test.operator, test.operand
    name, field = member.attribute, member.type.field()
    if operator == "isnull":
        return Q(**{f"{name}__isnull": operand})
    if operator == "empty":
        return _is_empty(member) if operand else ~_is_empty(member)
    if operator == "contains" and isinstance(field, ListField):
        field, lookup = models.TextField(), "has_item"
    else:
        lookup = LOOKUPS.get(operator, operator)
    if place and operator == "in":
        operand = [place(field) for _operand in operand]
    elif place:
        operand = place(field)
    return Q(**{f"{name}__{lookup}": operand})


LOOKUPS = {"eq": "exact", "contains": "holds", "icontains": "holds_folded"}
NOTHING = Q(pk__in=())  # and its opposite: everything; Django forgets an empty Q, even where one makes all true


def _is_empty(member: Member) -> Q:
    is_text = "startswith" in member.type.operators
    nothing = {member.attribute: ""} if is_text else {f"{member.attribute}__is_empty": True}
    return Q(**{f"{member.attribute}__isnull": True}) | Q(**nothing)


def _begins(member: Member, beginning: str) -> Condition:
    """As a range, which an index answers: from the beginning itself to the first text beyond all that begin so."""
    after = beginning.rstrip(chr(LAST_CODE_POINT))
    begins = Comparison(member, "gte", beginning)
    if not after:
        return begins
    return Every((begins, Comparison(member, "lt", after[:-1] + _next_character(after[-1]))))


def _next_character(character: str) -> str:
    following = ord(character) + 1
    return chr(0xE000 if following == 0xD800 else following)  # surrogates are no characters
