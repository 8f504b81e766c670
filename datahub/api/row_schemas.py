"""The JSON of rows as OpenAPI tells it: of all tables in general, and of one with its own columns."""

from collections.abc import Iterable, Mapping
from typing import Any

from datahub.dynamic import SYSTEM_MEMBERS, Definition, Member
from datahub.row_queries import COUNTS, ORDER_MAX
from fastgen_backend.limits import PAGE_DEFAULT, PAGE_MAX

Schema = dict[str, Any]


def object_of(properties: Mapping[str, Any], required: Iterable[str] = (), *, others: bool = False) -> Schema:
    """An object with these members; with `others` as well."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    if names := list(required):
        schema["required"] = names
    return {**schema, "additionalProperties": others}


def array_of(items: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": items, **({"maxItems": most} if most else {})}


def or_null(schema: Schema) -> Schema:
    """The same, or null: in OpenAPI 3.1 that is one more type; what has none may be null already."""
    if "type" not in schema:
        return schema
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **choices}


def member_schema(member: Member) -> Schema:
    """What a member of a row is, or null where it may be absent."""
    schema = member.type.schema()
    return or_null(schema) if member.is_nullable else schema


TEXT: Schema = {"type": "string"}
SYSTEM = {member.key: member_schema(member) for member in SYSTEM_MEMBERS}
ROW = object_of(SYSTEM, others=True)
VALUES: Schema = {"type": "object", "description": "Values by the keys of the table’s columns."}
ROWS = object_of({"items": array_of(ROW)}, ["items"])
CURSOR: Schema = or_null(TEXT)


def page_of(item: Schema, **more: Schema) -> Schema:
    """A page of a list."""
    return object_of({"items": array_of(item), "nextCursor": CURSOR, **more}, ["items", "nextCursor"])


PAGE = page_of(ROW, count={"type": "integer"})
CHANGES = array_of(object_of({"id": SYSTEM["id"]}, ["id"], others=True), 1000)
DELETED = object_of({"deleted": {"type": "integer"}}, ["deleted"])
FIGURES = object_of({"items": array_of({"type": "object"}), "nextCursor": CURSOR}, ["items"])
QUERY = object_of(
    {
        "filter": {
            "type": "object",
            "description": '`{"field", "op", "value"}`, or such within `{"and": […]}`, `{"or": […]}`, `{"not": …}`.',
        },
        "q": TEXT,
        "order": array_of(TEXT, ORDER_MAX),
        "fields": array_of(TEXT),
        "expand": array_of(TEXT),
        "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
        "cursor": TEXT,
        "count": {"type": "string", "enum": list(COUNTS)},
    }
)


COUNT: Schema = {"type": "integer"}
_progress: dict[str, Schema] = {
    "id": SYSTEM["id"],
    "table": TEXT,
    "createdAt": {**TEXT, "format": "date-time"},
    "state": {**TEXT, "enum": ["running", "done", "failed"]},
    "rowsRead": COUNT,
    "rowsImported": COUNT,
    "rowsRejected": COUNT,
    "undone": or_null(object_of({"rowsDeleted": COUNT, "rowsKept": COUNT}, ["rowsDeleted", "rowsKept"])),
}
_filled = {"key": TEXT, "name": TEXT, "type": TEXT, "options": {"type": "object"}}
_rejected = {"line": COUNT, "pointer": TEXT, "detail": TEXT}
_import: dict[str, Schema] = {
    **_progress,
    "columns": or_null(array_of(object_of(_filled, _filled))),
    "ignored": or_null(array_of(TEXT)),
    "rejects": array_of(object_of(_rejected, _rejected)),
}
IMPORT_PROGRESS = object_of({**_progress, "detail": TEXT}, _progress)
IMPORT = object_of({**_import, "detail": TEXT}, _import)


def row_of(definition: Definition) -> Schema:
    """A whole row of this table."""
    members = definition.members
    return object_of({key: member_schema(member) for key, member in members.items()}, members)


def part_of_row(definition: Definition) -> Schema:
    """Those of its members that were asked for or may be seen, and the rows that it refers to."""
    members = {key: member_schema(member) for key, member in definition.members.items()}
    return object_of({**members, "expand": {"type": "object"}})


def named_change_of(definition: Definition) -> Schema:
    """What changes one of several rows of this table."""
    change = values_of(definition, is_new=False)
    return object_of({"id": SYSTEM["id"], **change["properties"]}, ["id"])


def values_of(definition: Definition, *, is_new: bool) -> Schema:
    """What creates a row of this table, or changes one."""
    own = {key: member_schema(member) for key, member in definition.own.items()}
    for key in definition.required:
        own[key] = definition.own[key].type.schema()
    return object_of({**own, "owner": SYSTEM["owner"]}, sorted(definition.required) if is_new else ())
