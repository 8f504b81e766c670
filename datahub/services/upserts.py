"""Rows that are created, or else found by a unique column and changed or left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, models
from django.utils.translation import gettext as _

from datahub.access import Caller, permitted
from datahub.dynamic import Definition, Member
from datahub.errors import UniqueConflict
from datahub.filters import as_q
from datahub.models import Table, Verb
from datahub.row_shapes import Row, read_values
from datahub.services import rows as services
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.origin import Origin

TRIES = 3


class Resolution(StrEnum):
    """What becomes of a row that is there: it takes the members that were sent, or stays as it is."""

    MERGE = "merge"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class _Item:
    """One row of the request: what was sent, and its value in the unique column."""

    index: int
    given: Any
    value: Any


def upsert_rows(
    *,
    table: Table,
    items: Sequence[Any],
    on_conflict: str,
    resolution: Resolution,
    caller: Caller,
    origin: Origin,
    is_bulk: bool = True,
) -> services.Written:
    """Create each row, or resolve the conflict where one with the same value in `on_conflict` is there.

    Rows that are there need the right to be updated (`merge`) or read (`ignore`); where the caller has none it is a
    `UniqueConflict`, as it would be without. Raises what `create_rows` raises, too.
    """
    services.check_number(items)
    for tries_left in reversed(range(TRIES)):
        try:
            return _upsert(table, items, on_conflict, resolution, caller, origin, is_bulk)
        except (IntegrityError, UniqueConflict) as conflict:  # another was quicker: then there is one to resolve
            if not tries_left or isinstance(conflict, _NotForYou):
                raise
    raise AssertionError("unreachable")


class _NotForYou(UniqueConflict):
    """The row that is there is none of the caller's; trying again is of no use."""


def _upsert(
    table: Table,
    items: Sequence[Any],
    on_conflict: str,
    resolution: Resolution,
    caller: Caller,
    origin: Origin,
    is_bulk: bool,
) -> services.Written:
    with services.clear_refusals(is_bulk) as attempt, services.open_for_writing(table) as definition:
        attempt.definition = definition
        member = _unique_member(definition, on_conflict)
        wanted = _read_items(definition, member, items, is_bulk)
        there = _find(definition, member, [item.value for item in wanted if item.value is not None])
        result: dict[int, Row] = {}
        old = [item for item in wanted if item.value in there]
        new = [item for item in wanted if item.value not in there]
        attempt.rows = services.read_new_rows(definition, [item.given for item in new], caller, is_bulk)
        if new:
            services.insert(definition, attempt.rows, caller, origin, is_bulk)
            result.update({item.index: row for item, row in zip(new, attempt.rows, strict=True)})
        if old:
            kept = [there[item.value] for item in old]
            attempt.rows = kept
            _resolve(definition, member, old, kept, resolution, caller, origin, is_bulk)
            result.update({item.index: row for item, row in zip(old, kept, strict=True)})
    return services.Written(definition, [result[index] for index in range(len(items))])


def _resolve(
    definition: Definition,
    member: Member,
    items: Sequence[_Item],
    rows: Sequence[Row],
    resolution: Resolution,
    caller: Caller,
    origin: Origin,
    is_bulk: bool,
) -> None:
    verb = Verb.UPDATE if resolution is Resolution.MERGE else Verb.READ
    condition = permitted(definition, verb, caller)
    ids = [row["id"] for row in rows]
    allowed = set(definition.rows().filter(as_q(condition), pk__in=ids).values_list("pk", flat=True))
    if hidden := [item for item, row in zip(items, rows, strict=True) if row["id"] not in allowed]:
        detail = _("There is a row with this value, and it is not yours to change.")
        places = [f"{services.pointer(item.index, is_bulk)}/{member.key}" for item in hidden]
        raise _NotForYou(detail, [FieldError(place, UniqueConflict.code, detail) for place in places], len(hidden))
    if resolution is Resolution.IGNORE:
        return
    errors: list[FieldError] = []
    new = [
        read_values(
            definition,
            item.given,
            services.pointer(item.index, is_bulk),
            errors,
            owner_too=caller.writes_all,
            is_new=False,
        )
        for item in items
    ]
    if errors:
        raise InvalidInput(errors)
    services.refuse_missing_targets(definition, new, is_bulk)
    services.update(definition, rows, new, condition, origin)


def _unique_member(definition: Definition, key: str) -> Member:
    for member in definition.uniques:
        if member.key == key:
            return member
    known = ", ".join(member.key for member in definition.uniques) or _("none")
    detail = _("This must name a unique column; of this table: %(known)s.") % {"known": known}
    raise InvalidInput([FieldError("/onConflict", "not-unique", detail)])


def _read_items(definition: Definition, member: Member, items: Sequence[Any], is_bulk: bool) -> list[_Item]:
    """The items with their values; raises `InvalidInput` where two have the same."""
    errors: list[FieldError] = []
    read: list[_Item] = []
    seen: set[Any] = set()
    for index, item in enumerate(items):
        place = services.pointer(index, is_bulk)
        given = {member.key: item[member.key]} if isinstance(item, dict) and member.key in item else item
        only = {} if isinstance(given, dict) and member.key not in given else given
        value = read_values(definition, only, place, errors, owner_too=True, is_new=False).get(member.key)
        if value is not None and value in seen:
            errors.append(FieldError(f"{place}/{member.key}", "repeated", _("Another row of the request has it, too.")))
        seen.add(value)
        read.append(_Item(index, item, value))
    if errors:
        raise InvalidInput(errors)
    return read


def _find(definition: Definition, member: Member, values: Sequence[Any]) -> dict[Any, Row]:
    """The rows that have one of the values, locked."""
    if not values:
        return {}
    found = services.locked_rows(definition, models.Q(**{f"{member.attribute}__in": values}))
    return {row[member.key]: row for row in found}
