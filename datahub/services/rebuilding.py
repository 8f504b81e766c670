"""Physical tables that run out of columns: PostgreSQL counts those that were dropped, too, and has 1,600 in all."""

from django.db import connection
from django.utils.translation import gettext as _

from datahub import ddl
from datahub.dynamic import field_of, named_system_fields
from datahub.errors import TooManyColumns
from datahub.models import Column, Table
from datahub.services.indexes import create_indexes, create_owner_index

REBUILT_AFTER = 1200  # columns that were ever made
ATTRIBUTES_MAX = 1500


def refuse_exhausted(table: Table) -> None:
    """Raise `TooManyColumns` where the physical table has no room for another column."""
    if table.attributes_used >= ATTRIBUTES_MAX:
        raise TooManyColumns(_("Deleted columns take up the room of this table; purge some of them."))


def drop_physical_column(table: Table, column: Column) -> None:
    """Drop it; in SQLite that makes room for another."""
    ddl.drop_column(table.db_table, column.db_column)
    if connection.vendor == "sqlite":
        table.attributes_used -= 1
        table.save()


def rebuild_if_worn(table: Table) -> None:
    """Copy the rows into a new physical table once too many columns of the old one were dropped.

    Alone with the table; who reads it by its old name is told to look again.
    """
    if connection.vendor == "postgresql" and table.attributes_used > REBUILT_AFTER:
        rebuild(table)


def rebuild(table: Table) -> None:
    """Copy the rows into a new physical table that has just the columns in use."""
    columns = list(Column.objects.filter(table=table))
    fields = [*named_system_fields(), *map(field_of, columns)]
    old = table.db_table
    table.generation += 1
    table.attributes_used = len(fields)
    ddl.create_table(table.db_table, fields)
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{table.db_table}" ({names}) SELECT {names} FROM "{old}"')  # noqa: S608  ours
    ddl.drop_table(old)
    create_owner_index(table)
    for column in columns:
        if column.hidden_at is None:
            create_indexes(table, column)
    table.save()
