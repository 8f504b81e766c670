"""Values as a database takes them past Django's ORM."""

import json
from typing import Any

from django.db import connection, models

from datahub.column_types.stored import DocumentField


def wire_value(field: "models.Field[Any, Any]", value: Any) -> Any:
    """A value of this field in bulk: for PostgreSQL the text that it reads, for SQLite what it stores."""
    if connection.vendor == "postgresql":
        return text_value(field, value)
    return None if value is None else field.get_db_prep_save(value, connection)


def text_value(field: "models.Field[Any, Any]", value: Any) -> str | None:
    """How PostgreSQL reads the value from text."""
    if value is None:
        return None
    if isinstance(field, DocumentField):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return repr(value)
    return str(value)
