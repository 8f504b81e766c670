"""Many values at once, past Django's ORM: what conversions and imports write."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models

from datahub.wire import text_value


def write_values(db_table: str, field: "models.Field[Any, Any]", values: Sequence[tuple[UUID, Any]]) -> None:
    """Set one column of many rows: `values` are ids with what each gets. Revisions stay as they are."""
    if not values:
        return
    table, column = connection.ops.quote_name(db_table), connection.ops.quote_name(str(field.column))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            kind = field.db_parameters(connection)["type"]
            ids, texts = [id for id, _value in values], [text_value(field, value) for _id, value in values]
            cursor.execute(
                f"UPDATE {table} SET {column} = new.value::{kind} "  # noqa: S608  names and types of ours
                f"FROM (SELECT unnest(%s::uuid[]) AS id, unnest(%s::text[]) AS value) AS new "
                f"WHERE {table}.id = new.id",
                [ids, texts],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET {column} = %s WHERE id = %s",  # noqa: S608  names of ours
                [(field.get_db_prep_save(value, connection), id.hex) for id, value in values],
            )


def insert_columns(db_table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
    """Insert whole rows that are given column by column, as `datahub.wire.wire_value` gives them."""
    names = ", ".join(map(connection.ops.quote_name, columns))
    table = connection.ops.quote_name(db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            lines = "\n".join(map("\t".join, zip(*map(_escaped, values), strict=True)))
            statement = f"COPY {table} ({names}) FROM STDIN"
            copying: Any = cursor.cursor
            with connection.wrap_database_errors, copying.copy(statement) as copy:
                copy.write(f"{lines}\n".encode())
        else:
            places = ", ".join(["%s"] * len(columns))
            rows: Any = zip(*values, strict=True)  # one by one
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608  names of ours
                rows,
            )


def delete_untouched(db_table: str, ids: Sequence[str]) -> int:
    """Delete those of the rows that nobody changed since they were made; tells how many. `ids` are 32 digits each."""
    table = connection.ops.quote_name(db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"DELETE FROM {table} WHERE id = ANY(%s::uuid[]) AND revision = 1",  # noqa: S608  a name of ours
                [list(ids)],
            )
        else:
            cursor.executemany(
                f"DELETE FROM {table} WHERE id = %s AND revision = 1",  # noqa: S608  a name of ours
                [(id,) for id in ids],
            )
        return int(cursor.rowcount)


ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _escaped(values: Sequence[str | None]) -> Sequence[str]:
    """The cells of a column in the text format of COPY."""
    together = "".join([value for value in values if value is not None])
    if any(character in together for character in "\\\t\n\r"):
        return ["\\N" if value is None else value.translate(ESCAPES) for value in values]
    return ["\\N" if value is None else value for value in values]
