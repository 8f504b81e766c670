"""Rows: creating, changing and deleting them, one or many, all or nothing."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from datahub import signals
from datahub.access import Caller, both, permitted
from datahub.column_types import Relation
from datahub.dynamic import Definition, table_by_number
from datahub.errors import (
    AccessDenied,
    CallerMissing,
    NoSuchRow,
    RevisionConflict,
    TooManyAffected,
)
from datahub.filters import ALWAYS, NEVER, Condition, as_q
from datahub.models import Column, Table, Verb
from datahub.row_shapes import Row, read_values, shown_row, written
from datahub.services import references
from datahub.services.owners import refuse_unknown_owners
from datahub.services.row_transactions import clear_refusals, open_for_deletion, open_for_writing
from datahub.services.row_writing import delete_ids, insert_rows, update_row
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.ids import uuid7
from fastgen_backend.origin import Origin

ROWS_MAX = 1000  # in one call
SHOWN_ANYWAY = frozenset({"id", "revision", "updatedAt"})


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
        attempt.on(definition, rows, places)
        insert(definition, rows, places, condition, origin)
    return Written(definition, rows)


def update_rows(
    *,
    table: Table,
    changes: Sequence[tuple[UUID, Any]],
    caller: Caller,
    origin: Origin,
    is_bulk: bool = True,
    revision: int | None = None,
) -> Written:
    """Change rows, each by a JSON object of the members to change; a row that is what it should be is left alone.

    `revision` is the one the caller saw: raises `RevisionConflict` where it is another by now. Raises `NoSuchRow`
    too, and what `create_rows` raises.
    """
    check_number(changes)
    places = places_of(changes, is_bulk)
    ids, items = [id for id, _values in changes], [values for _id, values in changes]
    _refuse_repeated(ids, places)
    with clear_refusals() as attempt, open_for_writing(table, by_name=True) as definition:
        condition = permitted(definition, Verb.UPDATE, caller)
        new = read_changes(definition, items, places, caller)
        refuse_missing_targets(definition, new, places)
        rows = lock_rows(definition, ids, condition, caller, is_bulk, keeps_keys=True)
        if revision is not None and rows[0]["revision"] != revision:
            raise _outdated(rows[0]["revision"])
        attempt.on(definition, rows, places)
        update(definition, rows, new, condition, origin)
        return Written(definition, readable(definition, rows, new, condition, caller))


def delete_row(*, table: Table, id: UUID, caller: Caller, origin: Origin, revision: int | None = None) -> None:
    """Delete a row. Raises `NoSuchRow`, `RevisionConflict`, `RowInUse`, `AccessDenied` or `CallerMissing`."""
    with open_for_deletion(table, caller, by_name=True) as (definition, referring):
        condition = permitted(definition, Verb.DELETE, caller)
        rows = lock_rows(definition, [id], condition, caller, is_bulk=False)
        if revision is not None and rows[0]["revision"] != revision:
            raise _outdated(rows[0]["revision"])
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
        rows = locked_rows(definition, as_q(condition), limit=most + 1)
        if len(rows) > most:
            detail = _("More than %(count)d rows match; narrow the filter or raise maxAffected.")
            raise TooManyAffected(detail % {"count": most})
        delete_locked(definition, rows, referring, origin)
    return len(rows)


def check_number(items: Sequence[Any]) -> None:
    """Raise `InvalidInput` unless these are 1 to 1,000."""
    if not 1 <= len(items) <= ROWS_MAX:
        detail = _("Send 1 to %(max)s rows at once; these are %(count)s.")
        raise InvalidInput([FieldError("", "invalid", detail % {"max": f"{ROWS_MAX:,}", "count": f"{len(items):,}"})])


def refuse_missing_targets(definition: Definition, rows: Sequence[Row], places: Sequence[str]) -> None:
    """Raise `InvalidInput` where a relation names a row that is not there; the others stay until the commit."""
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
    if errors:
        raise InvalidInput(errors)


def places_of(items: Sequence[Any], is_bulk: bool) -> list[str]:
    """Where each row stands in the request, as a JSON Pointer: `/0`, `/1` and so on, or the whole of it."""
    return [f"/{index}" for index in range(len(items))] if is_bulk else [""] * len(items)


def lock_rows(
    definition: Definition,
    ids: Sequence[UUID],
    condition: Condition,
    caller: Caller,
    is_bulk: bool,
    *,
    keeps_keys: bool = False,
) -> list[Row]:
    """These rows in this order, kept from others until the commit; raises `NoSuchRow` or `AccessDenied`."""
    q = models.Q(pk__in=ids)
    q = q & as_q(condition) if condition != ALWAYS else q
    found = {row["id"]: row for row in locked_rows(definition, q, keeps_keys=keeps_keys)}
    missing = [(index, id) for index, id in enumerate(ids) if id not in found]
    if missing:
        _refuse_missing(definition, missing, caller, is_bulk)
    return [found[id] for id in ids]


def insert(
    definition: Definition, rows: Sequence[Row], places: Sequence[str], condition: Condition, origin: Origin
) -> None:
    """Insert rows, as far as the condition holds for them, and tell it."""
    refuse_missing_targets(definition, rows, places)
    insert_rows(definition, _in_order_of_uniques(definition, rows))
    _refuse_unless(definition, condition, rows)
    _tell_all(signals.row_created, definition, rows, origin)


def _in_order_of_uniques(definition: Definition, rows: Sequence[Row]) -> Sequence[Row]:
    """So that two who insert the same values don't wait for each other."""
    keys = [member.key for member in definition.uniques]
    return sorted(rows, key=lambda row: [str(row[key]) for key in keys]) if keys and len(rows) > 1 else rows


def update(
    definition: Definition, rows: Sequence[Row], new: Sequence[Row], condition: Condition, origin: Origin
) -> None:
    """Give each of the locked `rows` its new values, as far as the condition holds afterwards as well, and tell it."""
    _free_uniques(definition, rows, new)
    for row, values in zip(rows, new, strict=True):
        changed = [key for key, value in values.items() if not _is_same(row[key], value)]
        row.update(values)
        if changed:
            update_row(definition, row, changed)
            if definition.table.row_events:
                tell_row(signals.row_updated, definition, row, changed, origin)
    _refuse_unless(definition, condition, rows)


def _free_uniques(definition: Definition, rows: Sequence[Row], new: Sequence[Row]) -> None:
    """Where rows take each other's unique values, let go of all of them first: the database checks row by row."""
    for member in definition.uniques:
        key = member.key
        moving = [
            (row, values[key]) for row, values in zip(rows, new, strict=True) if values.get(key, row[key]) != row[key]
        ]
        held = {row[key] for row, _value in moving if row[key] is not None}
        if any(value in held for _row, value in moving):
            ids = [row["id"] for row, _value in moving]
            definition.rows().filter(pk__in=ids).update(**{member.attribute: None})


def readable(
    definition: Definition, rows: Sequence[Row], sent: Sequence[Row], condition: Condition, caller: Caller
) -> list[Row]:
    """Changed rows, for all of which `condition` holds, as the caller may see them.

    Of one that is hidden from reading that is what was sent, and its id and revision.
    """
    try:
        reading = permitted(definition, Verb.READ, caller)
    except (AccessDenied, CallerMissing):
        reading = NEVER
    if reading in (ALWAYS, condition):
        return list(rows)
    ids = [row["id"] for row in rows]
    seen = set(definition.rows().filter(as_q(reading), pk__in=ids).values_list("pk", flat=True))
    return [
        row if row["id"] in seen else {key: row[key] for key in row if key in values or key in SHOWN_ANYWAY}
        for row, values in zip(rows, sent, strict=True)
    ]


def read_new_rows(definition: Definition, items: Sequence[Any], places: Sequence[str], caller: Caller) -> list[Row]:
    """Whole rows from JSON objects, owned by the caller. Raises `InvalidInput`."""
    errors: list[FieldError] = []
    now = timezone.now()
    rows = []
    for item, place in zip(items, places, strict=True):
        values = read_values(definition, item, place, errors, owner_too=caller.writes_all, is_new=True)
        system = {"id": uuid7(), "createdAt": now, "updatedAt": now, "revision": 1, "owner": caller.user_id}
        rows.append({**system, **values})
    if errors:
        raise InvalidInput(errors)
    refuse_unknown_owners(definition, rows, places, caller)
    return rows


def read_changes(definition: Definition, items: Sequence[Any], places: Sequence[str], caller: Caller) -> list[Row]:
    """What JSON objects change of rows. Raises `InvalidInput`."""
    errors: list[FieldError] = []
    new = [
        read_values(definition, item, place, errors, owner_too=caller.writes_all, is_new=False)
        for item, place in zip(items, places, strict=True)
    ]
    if errors:
        raise InvalidInput(errors)
    refuse_unknown_owners(definition, new, places, caller)
    return new


def _refuse_repeated(ids: Sequence[UUID], places: Sequence[str]) -> None:
    seen: set[UUID] = set()
    errors = []
    for id, place in zip(ids, places, strict=True):
        if id in seen:
            errors.append(FieldError(f"{place}/id", "repeated-row", _("This row stands twice; name each once.")))
        seen.add(id)
    if errors:
        raise InvalidInput(errors)


def _is_same(before: Any, after: Any) -> bool:
    """Whether nothing was changed: 1 is not true, though Python finds them equal, within JSON as well."""
    if type(before) is not type(after) or before != after:
        return False
    if not isinstance(after, dict | list):
        return True
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)  # the order of members is none


def locked_rows(
    definition: Definition, q: models.Q, limit: int | None = None, *, keeps_keys: bool = False
) -> list[Row]:
    """The rows for which `q` holds, kept from others until the commit; with `keeps_keys` not from being referred to."""
    keys = list(definition.members)
    rows = definition.rows().filter(q).order_by("pk").select_for_update(no_key=keeps_keys)
    attributes = [member.attribute for member in definition.members.values()]
    values = rows.values_list(*attributes)
    return [dict(zip(keys, row, strict=True)) for row in (values[:limit] if limit else values)]


def _refuse_missing(definition: Definition, missing: Sequence[tuple[int, UUID]], caller: Caller, is_bulk: bool) -> None:
    """404, or 403 where the caller may see all of these rows."""
    ids = [id for _index, id in missing]
    try:
        readable = permitted(definition, Verb.READ, caller)
        seen = definition.rows().filter(as_q(readable), pk__in=ids).count()
    except (AccessDenied, CallerMissing):
        seen = 0
    if seen == len(ids):
        raise AccessDenied(_("You may see this row, but not do this with it."))
    detail = _("There is no row %(id)s, or not for you.") % {"id": ids[0]}
    raise NoSuchRow(detail, field=f"{missing[0][0]}/id" if is_bulk else "")


def _refuse_unless(definition: Definition, condition: Condition, rows: Sequence[Row]) -> None:
    """Raise `AccessDenied` where a row, as it is now, is none with which the caller may do this."""
    if condition == ALWAYS:
        return
    ids = [row["id"] for row in rows]
    if definition.rows().filter(as_q(condition), pk__in=ids).count() < len(ids):
        raise AccessDenied(_("The row would be outside of what the rules of this table let you write."))


def delete_locked(
    definition: Definition,
    rows: Sequence[Row],
    referring: Sequence[Column],
    origin: Origin,
    going_too: Mapping[int, models.Q] | None = None,
) -> None:
    """Delete locked rows, after what refers to them was treated, and tell it. Raises `RowInUse`.

    Those that `going_too` describes, by the number of their table, are about to be deleted as well.
    """
    ids = [row["id"] for row in rows]
    references.let_go(definition, ids, referring, origin, going_too)
    delete_ids(definition, ids)
    _tell_all(signals.row_deleted, definition, rows, origin)


def _tell_all(signal: Any, definition: Definition, rows: Sequence[Row], origin: Origin) -> None:
    if definition.table.row_events:
        for row in rows:
            tell_row(signal, definition, row, definition.own, origin)


def tell_row(signal: Any, definition: Definition, row: Row, keys: Iterable[str], origin: Origin) -> None:
    """A row's signal, with the values of these members."""
    everything = shown_row(definition, row)
    values = {key: everything[key] for key in keys}
    signal.send(sender=Table, table_id=definition.table.uid, row_id=row["id"], values=values, origin=origin)


def _outdated(revision: int) -> RevisionConflict:
    detail = _("The row has the revision %(revision)d by now; read it again, and decide anew.")
    return RevisionConflict(detail % {"revision": revision})
