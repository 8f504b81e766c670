"""Six verbs that change the database itself, in the caller's transaction.

Not Django's `schema_editor`, which on SQLite refuses to work inside of one. Every name here is of our own making
(`dh_7`, `c12`), and every type is a field's own.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def create_table(name: str, fields: Iterable["models.Field[Any, Any]"]) -> None:
    """Create a table; the field that is a primary key becomes its."""
    definitions = ", ".join(_definition(field) for field in fields)
    _run(f"CREATE TABLE {_quoted(name)} ({definitions})")


def drop_table(name: str) -> None:
    """Drop a table with its indexes."""
    _run(f"DROP TABLE {_quoted(name)}")


def add_column(table: str, field: "models.Field[Any, Any]") -> None:
    """Add a column that has no value in any row; the database rewrites none of them for it."""
    _run(f"ALTER TABLE {_quoted(table)} ADD COLUMN {_definition(field)}")


def drop_column(table: str, column: str) -> None:
    """Drop a column, which no index may use any more."""
    _run(f"ALTER TABLE {_quoted(table)} DROP COLUMN {_quoted(column)}")


def create_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    of_lists: bool = False,
    partial: bool = False,
) -> None:
    """Index `columns`, absent values first; `partial` leaves those out, `of_lists` finds rows by an item of a list.

    SQLite has no index that looks into lists; none is made there.
    """
    is_postgresql = connection.vendor == "postgresql"
    if of_lists and not is_postgresql:
        return
    using = "USING gin " if of_lists else ""
    order = " NULLS FIRST" if is_postgresql and not of_lists else ""  # as SQLite has it
    parts = ", ".join(f"{_quoted(column)}{order}" for column in columns)
    where = f" WHERE {_quoted(columns[0])} IS NOT NULL" if partial else ""
    _run(f"CREATE {'UNIQUE ' if unique else ''}INDEX {_quoted(name)} ON {_quoted(table)} {using}({parts}){where}")


def drop_index(name: str) -> None:
    """Drop an index, if there is one of this name."""
    _run(f"DROP INDEX IF EXISTS {_quoted(name)}")


def _definition(field: "models.Field[Any, Any]") -> str:
    """What stands for a column between the parentheses of CREATE TABLE."""
    parameters = field.db_parameters(connection)
    parts = [_quoted(str(field.column)), str(parameters["type"])]
    if collation := parameters.get("collation"):
        parts.append(f"COLLATE {_quoted(collation)}")
    if not field.null:
        parts.append("NOT NULL")
    if field.primary_key:
        parts.append("PRIMARY KEY")
    return " ".join(parts)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
