"""What requests say of rows: how many, which values, of whom; refused with a pointer to each flaw."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from datahub.access import Caller
from datahub.column_types import Relation
from datahub.dynamic import Definition, table_by_number
from datahub.row_shapes import Row, read_values
from datahub.services import references
from datahub.services.owners import refuse_unknown_owners
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.ids import uuid7

ROWS_MAX = 1000  # in one call


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise `InvalidInput` where there are errors."""
    if errors:
        raise InvalidInput(errors)


def check_number(items: Sequence[Any]) -> None:
    """Raise `InvalidInput` unless these are 1 to 1,000."""
    if not 1 <= len(items) <= ROWS_MAX:
        detail = _("Send 1 to %(max)s rows at once; these are %(count)s.")
        raise InvalidInput([FieldError("", "invalid", detail % {"max": f"{ROWS_MAX:,}", "count": f"{len(items):,}"})])


def places_of(items: Sequence[Any], is_bulk: bool) -> list[str]:
    """Where each row stands in the request, as a JSON Pointer: `/0`, `/1` and so on, or the whole of it."""
    return [f"/{index}" for index in range(len(items))] if is_bulk else [""] * len(items)


def read_new_rows(definition: Definition, items: Sequence[Any], places: Sequence[str], caller: Caller) -> list[Row]:
    """Whole rows from JSON objects, owned by the caller. Raises `InvalidInput`."""
    errors: list[FieldError] = []
    now = timezone.now()
    rows = []
    for item, place in zip(items, places, strict=True):
        values = read_values(definition, item, place, errors, owner_too=caller.writes_all, is_new=True)
        system = {"id": uuid7(), "createdAt": now, "updatedAt": now, "revision": 1, "owner": caller.user_id}
        rows.append({**system, **values})
    refuse(errors)
    refuse_unknown_owners(definition, rows, places, caller)
    return rows


def read_changes(definition: Definition, items: Sequence[Any], places: Sequence[str], caller: Caller) -> list[Row]:
    """What JSON objects change of rows. Raises `InvalidInput`."""
    errors: list[FieldError] = []
    new = [
        read_values(definition, item, place, errors, owner_too=caller.writes_all, is_new=False)
        for item, place in zip(items, places, strict=True)
    ]
    refuse(errors)
    refuse_unknown_owners(definition, new, places, caller)
    return new


def refuse_repeated(ids: Sequence[UUID], places: Sequence[str]) -> None:
    seen: set[UUID] = set()
    errors = []
    for id, place in zip(ids, places, strict=True):
        if id in seen:
            errors.append(FieldError(f"{place}/id", "repeated-row", _("This row stands twice; name each once.")))
        seen.add(id)
    refuse(errors)


def missing_targets(definition: Definition, rows: Sequence[Row], places: Sequence[str]) -> list[FieldError]:
    """Where relations name rows that are not there; the others stay until the commit.

    To be asked before rows are locked, as whoever deletes a target does, and told after the rules are held: who may
    not write learns nothing of other tables.
    """
    errors: list[FieldError] = []
    for member in definition.relations:
        type, column = member.type, member.column
        if not isinstance(type, Relation) or column is None or column.target_id is None:
            continue
        named = [
            (place, type.ids(row[member.key])) for row, place in zip(rows, places, strict=True) if row.get(member.key)
        ]
        if not named:
            continue
        gone = references.missing(table_by_number(column.target_id), {id for _place, ids in named for id in ids})
        for place, ids in named:
            for id in gone.intersection(ids):
                detail = _("There is no row %(id)s in the table that this refers to.") % {"id": id}
                errors.append(FieldError(f"{place}/{member.key}", "no-such-row", detail))
    return errors
