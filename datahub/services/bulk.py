"""Many values at once, past Django's ORM: what conversions and imports write."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models

from datahub.column_types.stored import DocumentField


def write_values(db_table: str, field: "models.Field[Any, Any]", values: Sequence[tuple[UUID, Any]]) -> None:
    """Set one column of many rows: `values` are ids with what each gets. Revisions stay as they are."""
    if not values:
        return
    table, column = connection.ops.quote_name(db_table), connection.ops.quote_name(str(field.column))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            kind = field.db_parameters(connection)["type"]
            ids, texts = [id for id, _value in values], [_as_text(field, value) for _id, value in values]
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


def _as_text(field: "models.Field[Any, Any]", value: Any) -> str | None:
    """How PostgreSQL reads the value from text."""
    if value is None:
        return None
    if isinstance(field, DocumentField):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return repr(value)
    return str(value)
