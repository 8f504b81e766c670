"""Events of the Datahub: its tables, their rows, imports."""

from events.catalog.event_kind import TEXT, TEXTS, UUID, EventKind, object_of
from events.catalog.event_types import EventType

TABLE = object_of(ID=UUID, Name=TEXT, Description=TEXT)
TABLE_EXAMPLE = {"ID": "019aa0d4-52aa-7d10-b3a4-7c1e5f9d2b33", "Name": "Test", "Description": ""}
IMPORT = object_of(ID=UUID, Name=TEXT, Description=TEXT, importId=UUID, rowsImported={"type": "integer"})
IMPORT_EXAMPLE = {**TABLE_EXAMPLE, "importId": "019aa0d6-3f10-7c52-9a01-4d6b8e2f7c55", "rowsImported": 1200}
UNDO = object_of(**TABLE["properties"], importId=UUID, rowsDeleted={"type": "integer"}, rowsKept={"type": "integer"})
UNDO_EXAMPLE = {**TABLE_EXAMPLE, "importId": IMPORT_EXAMPLE["importId"], "rowsDeleted": 1198, "rowsKept": 2}
ROW = object_of(id=UUID, tableId=UUID, values={"type": "object"})
ROW["properties"]["omitted"] = {  # only there where something is
    **TEXTS,
    "description": "Keys of values that would make the event larger than 64 KiB; the row has them.",
}
ROW_EXAMPLE = {
    "id": "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44",
    "tableId": TABLE_EXAMPLE["ID"],
    "values": {"name": "Ann", "amount": "12.50"},
}

KINDS = [
    EventKind(EventType.TABLE_CREATED, "A table was created.", TABLE, TABLE_EXAMPLE),
    EventKind(EventType.TABLE_UPDATED, "A table was changed; it carries the new values.", TABLE, TABLE_EXAMPLE),
    EventKind(EventType.TABLE_EMPTIED, "Every row of a table was deleted.", TABLE, TABLE_EXAMPLE),
    EventKind(EventType.TABLE_DELETED, "A table was deleted; it carries the last values.", TABLE, TABLE_EXAMPLE),
    EventKind(
        EventType.TABLE_IMPORTED,
        "A file was imported into a table; its rows are told by no events of their own. It is told again where "
        "rejected rows were mended and taken in: `rowsImported` counts all rows of the import so far.",
        IMPORT,
        IMPORT_EXAMPLE,
    ),
    EventKind(
        EventType.TABLE_IMPORT_UNDONE,
        "The rows of an import were deleted again, but those that were changed since or are needed by others.",
        UNDO,
        UNDO_EXAMPLE,
    ),
    EventKind(EventType.ROW_CREATED, "A row was created, in a table that tells of its rows.", ROW, ROW_EXAMPLE),
    EventKind(
        EventType.ROW_UPDATED,
        "A row was changed; `values` are those that changed, as they are now.",
        ROW,
        {**ROW_EXAMPLE, "values": {"amount": "13.00"}},
    ),
    EventKind(EventType.ROW_DELETED, "A row was deleted; it carries the last values.", ROW, ROW_EXAMPLE),
]
