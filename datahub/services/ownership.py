"""Rows and the people they belong to: what becomes of them when a person is deleted."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Q

from datahub import locks, signals
from datahub.dynamic import Definition, definition_of, table_by_number
from datahub.errors import NoSuchTable
from datahub.models import Column, Table
from datahub.row_sizes import number_that_fits
from datahub.services import references
from datahub.services.row_changes import delete_locked, needed_to_delete, tell_row
from datahub.services.row_locks import locked_rows
from datahub.services.row_writing import update_row
from fastgen_backend.origin import Origin
from fastgen_backend.time_limits import unlimited

BATCH = 1000
NEEDED_TO_CLEAR = ("id", "revision", "updatedAt", "owner")


def treat_rows_of(*, user_id: UUID, origin: Origin) -> None:
    """Keep, clear or delete the rows of a person who is deleted, as each table says. In the caller's transaction.

    Raises `RowInUse` where other rows must not be without one of them.
    """
    tables = list(Table.objects.exclude(on_owner_delete=Table.OnOwnerDelete.KEEP).order_by("id"))
    with locks.writing({table.pk for table in tables} | _beside(_referring(tables))), unlimited():
        referring = _referring(tables)  # anew: others may have changed what refers to them before we had our share
        locks.share(_beside(referring))
        definitions = [definition for number in referring if (definition := _definition(number))]
        going = {
            definition.table.pk: Q(owner=user_id)
            for definition in definitions
            if definition.table.on_owner_delete == Table.OnOwnerDelete.DELETE
        }
        for definition in definitions:
            if definition.table.pk in going:
                _lock(definition, user_id)
        for definition in definitions:
            _treat(definition, user_id, referring[definition.table.pk], going, origin)


def _referring(tables: Sequence[Table]) -> dict[int, list[Column]]:
    return {table.pk: references.referring_to(table) for table in tables}


def _beside(referring: Mapping[int, Sequence[Column]]) -> set[int]:
    return {column.table_id for columns in referring.values() for column in columns}


def _definition(number: int) -> Definition | None:
    try:
        return definition_of(table_by_number(number))
    except NoSuchTable:
        return None


def _lock(definition: Definition, user_id: UUID) -> None:
    """Keep the person's rows theirs until they are deleted: what they refer to may be gone before."""
    if connection.vendor == "postgresql":
        table = connection.ops.quote_name(definition.table.db_table)
        rows = f"SELECT 1 FROM {table} WHERE owner = %s ORDER BY id FOR UPDATE"  # noqa: S608  a name of ours
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({rows}) AS own", [user_id])  # noqa: S608  the same


def _treat(
    definition: Definition, user_id: UUID, referring: list[Column], going: Mapping[int, Q], origin: Origin
) -> None:
    how, own = definition.table.on_owner_delete, Q(owner=user_id)
    keys = needed_to_delete(definition) if how == Table.OnOwnerDelete.DELETE else NEEDED_TO_CLEAR
    members, every = [definition.members[key] for key in keys], definition.rows().filter(own).order_by("pk")
    while how != Table.OnOwnerDelete.KEEP and (
        rows := locked_rows(definition, own, number_that_fits(every, members, BATCH), keys=keys)
    ):
        if how == Table.OnOwnerDelete.DELETE:
            delete_locked(definition, rows, referring, origin, going)
            continue
        for row in rows:
            row["owner"] = None
            update_row(definition, row, ["owner"])
            if definition.table.row_events:
                tell_row(signals.row_updated, definition, row, ["owner"], origin)
