"""Rows that are created, or else found by a unique column and changed or left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from datahub.access import Caller, permitted
from datahub.dynamic import Definition, Member
from datahub.errors import UniqueConflict
from datahub.filters import ALWAYS, Condition, as_q
from datahub.models import Table, Verb
from datahub.names import first_of
from datahub.row_shapes import Row, read_values
from datahub.services.row_changes import insert, merged, update
from datahub.services.row_input import check_number, missing_targets, places_of, read_changes, read_new_rows, refuse
from datahub.services.row_locks import locked_rows, readable
from datahub.services.row_transactions import clear_refusals, open_for_writing
from datahub.services.rows import Written
from datahub.services.unique_values import refuse_beyond_rule, refuse_repeated
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.origin import Origin

TRIES = 3


class Resolution(StrEnum):
    """What becomes of a row that is there: it takes the members that were sent, or stays as it is."""

    MERGE = "merge"
    IGNORE = "ignore"


VERBS = {Resolution.MERGE: Verb.UPDATE, Resolution.IGNORE: Verb.READ}  # what that needs the right to


@dataclass(frozen=True, slots=True)
class _Item:
    """One row of the request: where it stands, what was sent, and its value in the unique column."""

    place: str
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
) -> Written:
    """Create each row, or resolve the conflict where one with the same value in `on_conflict` is there.

    That needs the right to create rows and to update (`merge`) or read (`ignore`) them, whatever rows there are: the
    answer must not tell. A row that is there, but hidden from the caller, is a `UniqueConflict`, as it would be
    without. Raises what `create_rows` raises, too.
    """
    check_number(items)
    for tries_left in reversed(range(TRIES)):
        try:
            return _upsert(table, items, on_conflict, resolution, caller, origin, is_bulk)
        except UniqueConflict as conflict:  # another was quicker: then there is one to resolve
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
) -> Written:
    with clear_refusals() as attempt, open_for_writing(table, by_name=True) as definition:
        creating = permitted(definition, Verb.CREATE, caller)
        resolving = permitted(definition, VERBS[resolution], caller)
        member = _unique_member(definition, on_conflict)
        wanted = _read_items(definition, member, items, places_of(items, is_bulk))
        there, reached = _find(definition, member, [each.value for each in wanted if each.value is not None], resolving)
        old = [item for item in wanted if there.get(item.value) in reached]
        new = [item for item in wanted if there.get(item.value) not in reached]
        hidden = [item for item in new if item.value in there]  # of which nobody learns before all the rest is good
        ids = [there[item.value] for item in old]
        rows = read_new_rows(definition, _given(new), _places(new), caller)
        sent = read_changes(definition, _given(old), _places(old), caller) if resolution is Resolution.MERGE else []
        missing = missing_targets(definition, rows, _places(new))
        missing += missing_targets(definition, sent, _places(old if sent else []))
        kept = _lock(definition, member, old, ids, resolving)
        if sent:  # first, for a new row may have a value that one of these lets go of
            attempt.on(definition, merged(kept, sent), _places(old), resolving)
            update(definition, kept, sent, resolving, origin)
            kept = readable(definition, kept, sent, resolving, caller)
        attempt.on(definition, rows, _places(new), creating)
        if hidden:
            refuse_repeated(definition, rows, _places(new))
            refuse_beyond_rule(definition, rows, creating)
            refuse(missing)
            raise _not_for_you(hidden, member, resolution)
        if new:
            insert(definition, rows, creating, origin)
        refuse(missing)
        result = {item.place: row for item, row in zip([*new, *old], [*rows, *kept], strict=True)}
    return Written(definition, [result[item.place] for item in wanted])


def _not_for_you(items: Sequence[_Item], member: Member, resolution: Resolution) -> _NotForYou:
    detail = _("There is a row with this value, and it is not yours to change.")
    if resolution is Resolution.IGNORE:
        detail = _("There is a row with this value, and it is not yours to see.")
    errors = [FieldError(f"{item.place}/{member.key}", UniqueConflict.code, detail) for item in items]
    return _NotForYou(detail, errors, len(items))


def _given(items: Sequence[_Item]) -> list[Any]:
    return [item.given for item in items]


def _places(items: Sequence[_Item]) -> list[str]:
    return [item.place for item in items]


def _unique_member(definition: Definition, key: str) -> Member:
    for member in definition.uniques:
        if member.key == key:
            return member
    known = first_of([member.key for member in definition.uniques])
    detail = _("This must name a unique column; of this table: %(known)s.") % {"known": known}
    raise InvalidInput([FieldError("/onConflict", "not-unique", detail)])


def _read_items(definition: Definition, member: Member, items: Sequence[Any], places: Sequence[str]) -> list[_Item]:
    """The items with their values; raises `InvalidInput` where two have the same."""
    errors: list[FieldError] = []
    read: list[_Item] = []
    seen: set[Any] = set()
    for item, place in zip(items, places, strict=True):
        key = {member.key: item[member.key]} if isinstance(item, dict) and member.key in item else {}
        value = read_values(definition, key, place, errors, owner_too=False, is_new=False).get(member.key)
        if value is not None and value in seen:
            errors.append(FieldError(f"{place}/{member.key}", "repeated", _("Another row of the request has it, too.")))
        seen.add(value)
        read.append(_Item(place, item, value))
    if errors:
        raise InvalidInput(errors)
    return read


def _find(
    definition: Definition, member: Member, values: Sequence[Any], condition: Condition
) -> tuple[dict[Any, UUID], set[UUID]]:
    """The ids of the rows that have one of the values, by value; and of those for which the condition holds."""
    if not values:
        return {}, set()
    rows = definition.rows().filter(**{f"{member.attribute}__in": values})
    if condition == ALWAYS:
        there = dict(rows.values_list(member.attribute, "pk"))
        return there, set(there.values())
    holds = models.Case(models.When(as_q(condition), then=True), default=False, output_field=models.BooleanField())
    found = list(rows.values_list(member.attribute, "pk", holds))
    return {value: id for value, id, _holds in found}, {id for _value, id, holds in found if holds}


def _lock(
    definition: Definition, member: Member, items: Sequence[_Item], ids: Sequence[UUID], condition: Condition
) -> list[Row]:
    """The rows of the items, locked. Raises `UniqueConflict` where one has another value by now, or was hidden."""
    if not items:
        return []
    q = models.Q(pk__in=ids) if condition == ALWAYS else models.Q(pk__in=ids) & as_q(condition)
    found = {row[member.key]: row for row in locked_rows(definition, q, len(ids), keeps_keys=True)}
    if any(item.value not in found for item in items):
        raise UniqueConflict(_("Rows with these values are being changed by others right now; try again."))
    return [found[item.value] for item in items]
