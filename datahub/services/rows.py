"""Rows: creating, changing and deleting them, one or many, all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.access import Caller, both, permitted
from datahub.dynamic import Definition
from datahub.errors import (
    RevisionConflict,
    TooManyAffected,
)
from datahub.filters import Condition, as_q
from datahub.models import Table, Verb
from datahub.row_shapes import Row, written
from datahub.services.row_changes import delete_locked, insert, merged, needed_to_delete, update
from datahub.services.row_input import (
    ROWS_MAX,
    check_number,
    missing_targets,
    places_of,
    read_changes,
    read_new_rows,
    refuse,
    refuse_repeated,
)
from datahub.services.row_locks import lock_rows, locked_rows, readable
from datahub.services.row_transactions import clear_refusals, open_for_deletion, open_for_writing
from fastgen_backend.errors import FieldError
from fastgen_backend.origin import Origin

AFFECTED_MAX = 10_000  # rows that one request may delete: so long may others have to wait for it


@dataclass(frozen=True, slots=True)
class Written:
    """Rows as they are now, with the definition they are rows of."""

    definition: Definition
    rows: Sequence[Row]

    def shown(self) -> list[dict[str, Any]]:
        """The rows as JSON shows them, for orjson."""
        members = self.definition.members
        return [written([members[key] for key in row], list(row.values())) for row in self.rows]


def create_rows(*, table: Table, items: Sequence[Any], caller: Caller, origin: Origin, is_bulk: bool = True) -> Written:
    """New rows from JSON objects, owned by the caller; in order, all or nothing.

    Raises `InvalidInput` with pointers such as `/1/age` (without the number where it is no bulk), `UniqueConflict`,
    `AccessDenied` or `CallerMissing`.
    """
    check_number(items)
    places = places_of(items, is_bulk)
    with clear_refusals() as attempt, open_for_writing(table, by_name=True) as definition:
        condition = permitted(definition, Verb.CREATE, caller)
        rows = read_new_rows(definition, items, places, caller)
        attempt.on(definition, rows, places, condition)
        missing = missing_targets(definition, rows, places)
        insert(definition, rows, condition, origin)
        refuse(missing)
    return Written(definition, rows)


def update_rows(
    *,
    table: Table,
    changes: Sequence[tuple[UUID, Any]],
    caller: Caller,
    origin: Origin,
    is_bulk: bool = True,
    revisions: Sequence[int | None] | None = None,
) -> Written:
    """Change rows, each by a JSON object of the members to change; a row that is what it should be is left alone.

    `revisions` are those the caller saw, None where that does not matter: raises `RevisionConflict` where one is
    another by now. Raises `NoSuchRow` too, and what `create_rows` raises.
    """
    check_number(changes)
    places = places_of(changes, is_bulk)
    ids, items = [id for id, _values in changes], [values for _id, values in changes]
    refuse_repeated(ids, places)
    with clear_refusals() as attempt, open_for_writing(table, by_name=True) as definition:
        condition = permitted(definition, Verb.UPDATE, caller)
        new = read_changes(definition, items, places, caller)
        missing = missing_targets(definition, new, places)
        rows = lock_rows(definition, ids, condition, caller, is_bulk, keeps_keys=True)
        _refuse_outdated(rows, revisions or [None] * len(rows), places)
        attempt.on(definition, merged(rows, new), places, condition)
        update(definition, rows, new, condition, origin)
        refuse(missing)
        return Written(definition, readable(definition, rows, new, condition, caller))


def delete_row(*, table: Table, id: UUID, caller: Caller, origin: Origin, revision: int | None = None) -> None:
    """Delete a row. Raises `NoSuchRow`, `RevisionConflict`, `RowInUse`, `AccessDenied` or `CallerMissing`."""
    with open_for_deletion(table, caller, by_name=True) as (definition, referring):
        condition = permitted(definition, Verb.DELETE, caller)
        rows = lock_rows(definition, [id], condition, caller, is_bulk=False, keys=needed_to_delete(definition))
        _refuse_outdated(rows, [revision], [""])
        delete_locked(definition, rows, referring, origin)


def delete_rows(
    *,
    table: Table,
    where: Callable[[Definition], Condition],
    caller: Caller,
    origin: Origin,
    most: int = ROWS_MAX,
) -> int:
    """Delete all rows that meet a condition; tells how many. Raises `TooManyAffected` beyond `most`, `RowInUse`.

    `where` makes the condition from the table as it is by then, and may raise. It reaches only rows that the caller
    may list: how many there are would tell of the others.
    """
    with open_for_deletion(table, caller, by_name=True) as (definition, referring):
        rules = [permitted(definition, verb, caller) for verb in (Verb.DELETE, Verb.LIST)]
        condition = both(*rules, where(definition))
        rows = locked_rows(definition, as_q(condition), limit=most + 1, keys=needed_to_delete(definition))
        if len(rows) > most:
            detail = _("More than %(count)d rows match; narrow the filter or raise maxAffected.")
            if most == AFFECTED_MAX:
                detail = _("More than %(count)d rows match, which is more than one request deletes; narrow the filter.")
            raise TooManyAffected(detail % {"count": most})
        delete_locked(definition, rows, referring, origin)
    return len(rows)


def _refuse_outdated(rows: Sequence[Row], seen: Sequence[int | None], places: Sequence[str]) -> None:
    """Raise `RevisionConflict` where a row is not what the caller saw."""
    detail = _("The row has the revision %(revision)d by now; read it again, and decide anew.")
    outdated = [
        (place, detail % {"revision": row["revision"]})
        for row, revision, place in zip(rows, seen, places, strict=True)
        if revision not in (None, row["revision"])
    ]
    if outdated:
        errors = [FieldError(place, RevisionConflict.code, told) for place, told in outdated if place]
        raise RevisionConflict(outdated[0][1], errors)
