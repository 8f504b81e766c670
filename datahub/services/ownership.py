"""Rows and the people they belong to: what becomes of them when a person is deleted."""

from uuid import UUID

from django.db.models import Q

from datahub import locks, signals
from datahub.dynamic import Definition, definition_of, table_by_number
from datahub.errors import NoSuchTable
from datahub.models import Column, Table
from datahub.services import references
from datahub.services.row_writing import update_row
from datahub.services.rows import delete_locked, locked_rows, tell_row
from fastgen_backend.origin import Origin

BATCH = 1000


def treat_rows_of(*, user_id: UUID, origin: Origin) -> None:
    """Keep, clear or delete the rows of a person who is deleted, as each table says. In the caller's transaction.

    Raises `RowInUse` where other rows must not be without one of them.
    """
    tables = list(Table.objects.exclude(on_owner_delete=Table.OnOwnerDelete.KEEP).order_by("id"))
    referring = {table.pk: references.referring_to(table) for table in tables}
    beside = {column.table_id for columns in referring.values() for column in columns}
    with locks.writing({*referring, *beside}):
        for number, columns in referring.items():
            try:
                definition = definition_of(table_by_number(number))
            except NoSuchTable:
                continue
            _treat(definition, user_id, columns, origin)


def _treat(definition: Definition, user_id: UUID, referring: list[Column], origin: Origin) -> None:
    how = definition.table.on_owner_delete
    while how != Table.OnOwnerDelete.KEEP and (rows := locked_rows(definition, Q(owner=user_id), limit=BATCH)):
        if how == Table.OnOwnerDelete.DELETE:
            delete_locked(definition, rows, referring, origin)
            continue
        for row in rows:
            row["owner"] = None
            update_row(definition, row, ["owner"])
            if definition.table.row_events:
                tell_row(signals.row_updated, definition, row, ["owner"], origin)
