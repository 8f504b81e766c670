"""What is done with locked or new rows, within the caller’s transaction, and told by their events."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import models

from datahub import signals
from datahub.dynamic import Definition
from datahub.filters import Condition
from datahub.models import Column, Table
from datahub.row_shapes import Row, shown
from datahub.services import references
from datahub.services.row_locks import large_rows, refuse_too_large, refuse_unless
from datahub.services.row_writing import delete_ids, insert_rows, update_row
from fastgen_backend.origin import Origin


def insert(definition: Definition, rows: Sequence[Row], condition: Condition, origin: Origin) -> None:
    """Insert rows, as far as the condition holds for them, and tell it."""
    insert_rows(definition, _in_order_of_uniques(definition, rows))
    refuse_unless(definition, condition, rows)
    refuse_too_large(definition, rows, {})
    _tell_all(signals.row_created, definition, rows, origin)


def merged(rows: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """The rows as they are to be."""
    return [{**row, **values} for row, values in zip(rows, new, strict=True)]


def update(
    definition: Definition, rows: Sequence[Row], new: Sequence[Row], condition: Condition, origin: Origin
) -> None:
    """Give each of the locked `rows` its new values, as far as the condition holds afterwards as well, and tell it."""
    before = large_rows(definition, rows)
    _free_uniques(definition, rows, new)
    for row, values in zip(rows, new, strict=True):
        changed = [key for key, value in values.items() if not _is_same(row[key], value)]
        row.update(values)
        if changed:
            update_row(definition, row, changed)
            if definition.table.row_events:
                tell_row(signals.row_updated, definition, row, changed, origin)
    refuse_unless(definition, condition, rows)
    refuse_too_large(definition, rows, before)


def needed_to_delete(definition: Definition) -> Collection[str]:
    """The members that `delete_locked` needs of rows: what they hold may be large."""
    return definition.members.keys() if definition.table.row_events else ("id", "revision")


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


def tell_row(signal: Any, definition: Definition, row: Row, keys: Iterable[str], origin: Origin) -> None:
    """A row's signal, with the values of these members."""
    members = [definition.members[key] for key in keys]
    values = shown(members, [row[member.key] for member in members])
    signal.send(sender=Table, table_id=definition.table.uid, row_id=row["id"], values=values, origin=origin)


def _in_order_of_uniques(definition: Definition, rows: Sequence[Row]) -> Sequence[Row]:
    """So that two who insert the same values don't wait for each other."""
    keys = [member.key for member in definition.uniques]
    return sorted(rows, key=lambda row: [str(row[key]) for key in keys]) if keys and len(rows) > 1 else rows


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


def _is_same(before: Any, after: Any) -> bool:
    """Whether nothing was changed: 1 is not true, though Python finds them equal, within JSON as well."""
    if type(before) is not type(after) or before != after:
        return False
    if not isinstance(after, dict | list):
        return True
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)  # the order of members is none


def _tell_all(signal: Any, definition: Definition, rows: Sequence[Row], origin: Origin) -> None:
    if definition.table.row_events:
        for row in rows:
            tell_row(signal, definition, row, definition.own, origin)
