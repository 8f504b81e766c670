"""How the endpoints of tables, rows and imports are called."""

from typing import Any

from fastgen_backend.api_examples import Document, Example, add_examples

BOOKS = "/tables/books"
COLUMNS = [
    {"name": "Title", "type": "text", "required": True},
    {"name": "Pages", "type": "integer", "indexed": True},
]
HIDE_SHELF = Example("DELETE", f"{BOOKS}/columns/shelf")
FILE = "title,pages\nEmma,474\nPersuasion,249\n"

EXAMPLES = {
    "postTables": Example("POST", "/tables", {"name": "Books", "key": "books", "columns": COLUMNS}),
    "getTables": Example("GET", "/tables"),
    "getTable": Example("GET", BOOKS),
    "patchTable": Example("PATCH", BOOKS, {"description": "What is on the shelves", "access": {"list": "everyone"}}),
    "postColumns": Example("POST", f"{BOOKS}/columns", {"name": "Shelf", "type": "text"}),
    "getColumns": Example("GET", f"{BOOKS}/columns"),
    "patchColumn": Example("PATCH", f"{BOOKS}/columns/pages", {"options": {"min": 1}}),
    "deleteColumn": HIDE_SHELF,
    "postRestoreColumn": Example("POST", f"{BOOKS}/columns/shelf/restore"),
    "postPurgeColumn": Example("POST", f"{BOOKS}/columns/shelf/purge", first=(HIDE_SHELF,)),
    "getTableOpenApi": Example("GET", f"{BOOKS}/openapi.json"),
    "postRows": Example("POST", f"{BOOKS}/rows", {"title": "Middlemarch", "pages": 880}, keeps={"ROW": "id"}),
    "getRows": Example("GET", f"{BOOKS}/rows?pages__gte=300&order=-pages&count=exact"),
    "getRow": Example("GET", f"{BOOKS}/rows/$ROW"),
    "patchRow": Example("PATCH", f"{BOOKS}/rows/$ROW", {"pages": 881}),
    "patchRows": Example("PATCH", f"{BOOKS}/rows", [{"id": "$ROW", "pages": 882}]),
    "postRowQuery": Example(
        "POST",
        f"{BOOKS}/rows/query",
        {"filter": {"field": "title", "op": "contains", "value": "March"}, "order": ["-pages"]},
    ),
    "getRowAggregate": Example("GET", f"{BOOKS}/rows/aggregate?sum=pages&avg=pages"),
    "getRowsCsv": Example("GET", f"{BOOKS}/rows.csv"),
    "getRowsNdjson": Example("GET", f"{BOOKS}/rows.ndjson"),
    "postImports": Example("POST", "/imports?table=books", FILE, content_type="text/csv", keeps={"IMPORT": "id"}),
    "getImport": Example("GET", "/imports/$IMPORT"),
    "getImports": Example("GET", "/imports"),
    "getTableImports": Example("GET", f"{BOOKS}/imports"),
    "postUndoImport": Example("POST", "/imports/$IMPORT/undo"),
    "deleteRow": Example("DELETE", f"{BOOKS}/rows/$ROW"),
    "deleteRows": Example("DELETE", f"{BOOKS}/rows?pages__lt=300&maxAffected=10"),
    "postClearTable": Example("POST", f"{BOOKS}/clear"),
    "deleteTable": Example("DELETE", BOOKS),
}


def add(result: Document, generator: Any, request: Any, public: bool) -> Document:
    """What settings.py names: part of how the document is made."""
    add_examples(result, EXAMPLES)
    return result
