"""The filter language of rows: conditions, and how the database is asked for what meets them.

A condition is true or false, never unknown: an absent value is equal to nothing, so `ne` and `nin` hold for it, and
no comparison does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q

from datahub.column_types.stored import ListField
from datahub.dynamic import Member
from datahub.several import Several

SWITCHES = frozenset({"isnull", "empty"})  # whose operand is true or false
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
    if operator == "in":
        operand = Several(tuple(place(field) for _operand in operand) if place else operand)
    elif place:
        operand = place(field)
    return Q(**{f"{name}__{lookup}": operand})


LOOKUPS = {"eq": "exact", "in": "among", "contains": "holds", "icontains": "holds_folded"}
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
