"""The indexes of a column: one where it is unique or indexed, and one for every relation, for deletions look there."""

from datahub import ddl
from datahub.column_types import Relation, column_type
from datahub.models import Column, Table


def create_indexes(table: Table, column: Column) -> None:
    """Those that the column has by now; those that are there already must be dropped before."""
    type = column_type(column.type, column.options)
    is_relation = isinstance(type, Relation)
    if column.unique:
        ddl.create_index(_name(table, column, "u"), table.db_table, [column.db_column], unique=True)
    elif isinstance(type, Relation) and type.many:
        ddl.create_index(_name(table, column, "i"), table.db_table, [column.db_column], of_lists=True)
    elif column.indexed or is_relation:
        ddl.create_index(_name(table, column, "i"), table.db_table, [column.db_column, "id"])


def create_owner_index(table: Table) -> None:
    """The one by which a person's rows are found; rows without an owner are not in it."""
    ddl.create_index(f"{table.db_table}_owner", table.db_table, ["owner", "id"], partial=True)


def drop_indexes(table: Table, column: Column) -> None:
    """Those that there are."""
    for ending in ("u", "i"):
        ddl.drop_index(_name(table, column, ending))


def _name(table: Table, column: Column, ending: str) -> str:
    return f"{table.db_table}_{column.db_column}_{ending}"
