"""Values on their way from one database to another: what each kind of column is in an archive, as JSON.

uuid: 32 hexadecimal digits; json: its text; moment: `2026-11-27 12:00:00.123456` in UTC, without a fraction of zero;
day: `2026-11-27`; decimal: its digits as text; bytes: base64; boolean, integer, float and text: as JSON has them.
"""

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connection, models

OF_FIELDS = {
    "UUIDField": "uuid",
    "JSONField": "json",
    "DateTimeField": "moment",
    "DateField": "day",
    "DecimalField": "decimal",
    "BinaryField": "bytes",
    "BooleanField": "boolean",
    "FloatField": "float",
    "CharField": "text",
    "TextField": "text",
    "GenericIPAddressField": "text",
}
AS_TEXT = {  # what a database tells in its own way otherwise
    "sqlite": {"moment": "CAST({} AS TEXT)", "day": "CAST({} AS TEXT)"},
    "postgresql": {
        "moment": "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
        "day": "to_char({}, 'YYYY-MM-DD')",
        "json": "{}::text",
    },
}
NO_FRACTION = ".000000"

Conversion = Callable[[Any], Any]


def kind_of(field: "models.Field[Any, Any]") -> str:
    """The kind of the column that stores this field; every one that is not named is a whole number."""
    while field.remote_field:
        field = field.target_field  # type: ignore[attr-defined]  # of a foreign key
    name = field.get_internal_type()
    return OF_FIELDS.get(name, "integer") if not name.endswith("IntegerField") else "integer"


def selected(column: str, kind: str) -> str:
    """What is selected of a column, so that `to_json` of its kind takes it."""
    return AS_TEXT[connection.vendor].get(kind, "{}").format(connection.ops.quote_name(column))


def to_json(kind: str) -> Conversion | None:
    """From what the database gave to what an archive holds; None where these are the same."""
    return {"uuid": _hex, "moment": _shortest, "decimal": _digits, "bytes": _base64}.get(kind)


def from_json(kind: str) -> Conversion | None:
    """From what an archive holds to what this database takes."""
    if kind == "bytes":
        return base64.b64decode
    if connection.vendor == "postgresql":
        return _in_utc if kind == "moment" else None
    return int if kind == "boolean" else None


def _hex(value: Any) -> str:
    return value if isinstance(value, str) else str(value.hex)


def _shortest(text: str) -> str:
    return text.removesuffix(NO_FRACTION)


def _digits(value: Any) -> str:
    """SQLite keeps doubles, of which 15 digits are exact."""
    return f"{Decimal(repr(value) if isinstance(value, float) else value):f}"


def _base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode()


def _in_utc(text: str) -> str:
    return f"{text}+00"
