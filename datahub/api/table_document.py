"""OpenAPI 3.1 of one table: the same paths that every table has, with this one's own columns."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from datahub.aggregation import FUNCTIONS
from datahub.api import row_schemas as shapes
from datahub.dynamic import Definition, Member
from datahub.row_queries import OPTIONS
from datahub.services.row_input import ROWS_MAX
from datahub.services.upserts import Resolution

Operation = dict[str, Any]
CSV, NDJSON = "text/csv", "application/x-ndjson"
PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}


def document_of(definition: Definition) -> dict[str, Any]:
    """The document; its schemas are `Row`, `NewRow`, `RowChange` and what is made of them."""
    table = definition.table
    rows = f"/tables/{table.key}/rows"
    return {
        "openapi": "3.1.0",
        "info": {"title": table.name, "version": str(table.version), "description": table.description},
        "servers": [{"url": f"{settings.BASE_URL}/api/v1"}],
        "security": [{"bearer": []}, {}],
        "paths": {
            rows: {
                "get": _list(definition),
                "post": _create(definition),
                "patch": _change_several(),
                "delete": _delete_several(definition),
            },
            f"{rows}/query": {"post": _query()},
            f"{rows}/aggregate": {"get": _aggregate(definition)},
            f"{rows}/{{id}}": {"parameters": [ID], "get": _read(), "patch": _change(), "delete": _delete()},
            f"{rows}.csv": {"get": _export(definition, "Csv", CSV)},
            f"{rows}.ndjson": {"get": _export(definition, "Ndjson", NDJSON)},
            f"/tables/{table.key}/imports": {"get": _list_imports("listImports")},
            "/imports": {"get": _list_imports("listAllImports"), "post": _import(definition)},
            "/imports/{id}": {"parameters": [ID], "get": _read_import()},
            "/imports/{id}/undo": {"parameters": [ID], "post": _undo_import()},
        },
        "components": {
            "schemas": _schemas(definition),
            "parameters": {each["name"]: each for each in (*_options(), *_filters(definition))},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(definition: Definition) -> dict[str, Any]:
    return {
        "Row": shapes.row_of(definition),
        "PartOfRow": shapes.part_of_row(definition),
        "SeenRow": {"anyOf": [_named("Row"), _named("PartOfRow")]},
        "Rows": shapes.object_of({"items": shapes.array_of(_named("SeenRow"))}, ["items"]),
        "Page": shapes.page_of(_named("SeenRow"), count={"type": "integer"}),
        "NewRow": shapes.values_of(definition, is_new=True),
        "RowChange": shapes.values_of(definition, is_new=False),
        "NamedRowChange": shapes.named_change_of(definition),
        "Figures": shapes.FIGURES,
        "Import": shapes.IMPORT,
    }


def _named(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# Parameters ----------------------------------------------------------------------------------------------------------


def _parameter(name: str, schema: shapes.Schema, description: str = "", place: str = "query") -> dict[str, Any]:
    told = {"description": description} if description else {}
    return {"name": name, "in": place, "required": place == "path", **told, "schema": schema}


ID = _parameter("id", shapes.SYSTEM["id"], place="path")
IF_MATCH = {**_parameter("If-Match", shapes.TEXT, "The revision you saw.", "header"), "example": '"1"'}
ONCE = _parameter("Idempotency-Key", shapes.TEXT, "A retry with the same key does nothing twice.", "header")


def _options() -> list[dict[str, Any]]:
    """What a list takes beside filters; names are parted by commas."""
    properties = shapes.QUERY["properties"]
    return [
        _parameter(name, shapes.TEXT if properties[name].get("type") == "array" else properties[name])
        for name in OPTIONS
    ]


def _filters(definition: Definition) -> list[dict[str, Any]]:
    return [
        _parameter(f"{key}__{operator}" if operator != "eq" else key, _operand(member, operator))
        for key, member in definition.members.items()
        for operator in sorted(member.type.operators)
    ]


def _operand(member: Member, operator: str) -> shapes.Schema:
    """A filter’s operand as a parameter: lists are parted by commas."""
    if operator in {"isnull", "empty"}:
        return {"type": "boolean"}
    if operator in {"in", "nin", "between", "contains", "icontains", "startswith"}:
        return shapes.TEXT
    return member.type.schema()


def _selecting(definition: Definition, *options: str, but: Iterable[str] = ()) -> list[dict[str, Any]]:
    """These options, and every filter that is not called as another parameter."""
    names = [*options, *(each["name"] for each in _filters(definition) if each["name"] not in but)]
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


# Rows ----------------------------------------------------------------------------------------------------------------


def _operation(
    id: str,
    summary: str,
    answers: Mapping[int, shapes.Schema | None],
    *,
    body: shapes.Schema | None = None,
    gives: str = "application/json",
    takes: Iterable[str] = ("application/json",),
    **more: Any,
) -> Operation:
    responses: dict[str, Any] = {"default": PROBLEM}
    for status, answer in answers.items():
        content = {} if answer is None else {"content": {gives: {"schema": answer}}}
        responses[str(status)] = {"description": summary, **content}
    operation: Operation = {"operationId": id, "summary": summary, "responses": responses, **more}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {each: {"schema": body} for each in takes}}
    return operation


def _list(definition: Definition) -> Operation:
    return _operation("listRows", "List rows", {200: _named("Page")}, parameters=_selecting(definition, *OPTIONS))


def _query() -> Operation:
    return _operation("queryRows", "List rows by a JSON query", {200: _named("Page")}, body=shapes.QUERY)


def _create(definition: Definition) -> Operation:
    body = {"oneOf": [_named("NewRow"), shapes.array_of(_named("NewRow"), ROWS_MAX)]}
    answer = {"anyOf": [_named("SeenRow"), _named("Rows")]}
    parameters = [ONCE]
    if uniques := [member.key for member in definition.uniques]:
        found = "A unique column: a row with the same value is found instead of created."
        parameters += [
            _parameter("onConflict", {**shapes.TEXT, "enum": uniques}, found),
            _parameter("resolution", {**shapes.TEXT, "enum": list(Resolution)}, "What becomes of a row that is found."),
        ]
    answers = {201: answer, **({200: answer} if uniques else {})}
    return _operation("createRows", "Create one row or several", answers, body=body, parameters=parameters)


def _change_several() -> Operation:
    body = shapes.array_of(_named("NamedRowChange"), ROWS_MAX)
    return _operation("changeRows", "Change several rows", {200: _named("Rows")}, body=body)


def _delete_several(definition: Definition) -> Operation:
    most = _parameter("maxAffected", {"type": "integer", "minimum": 1}, "Beyond so many nothing is deleted.")
    parameters = [most, *_selecting(definition, "q")]
    return _operation("deleteRows", "Delete the rows of a filter", {200: shapes.DELETED}, parameters=parameters)


def _read() -> Operation:
    parameters = [{"$ref": f"#/components/parameters/{name}"} for name in ("fields", "expand")]
    return _operation("readRow", "Read a row", {200: _named("SeenRow")}, parameters=parameters)


def _change() -> Operation:
    answers = {200: _named("SeenRow")}
    return _operation("changeRow", "Change a row", answers, body=_named("RowChange"), parameters=[IF_MATCH])


def _delete() -> Operation:
    return _operation("deleteRow", "Delete a row", {204: None}, parameters=[IF_MATCH])


def _aggregate(definition: Definition) -> Operation:
    asked = ["group", *FUNCTIONS]
    named = [_parameter(name, shapes.TEXT, "Columns, parted by commas.") for name in asked]
    parameters = [*named, *_selecting(definition, "q", "limit", "cursor", but=asked)]
    return _operation("aggregateRows", "Figures over rows", {200: _named("Figures")}, parameters=parameters)


def _export(definition: Definition, name: str, media_type: str) -> Operation:
    parameters = _selecting(definition, "q", "order", "fields")
    summary = f"Export rows as {name.upper()}"
    return _operation(f"exportRowsAs{name}", summary, {200: shapes.TEXT}, gives=media_type, parameters=parameters)


# Imports -------------------------------------------------------------------------------------------------------------


def _import(definition: Definition) -> Operation:
    table = {**_parameter("table", {**shapes.TEXT, "enum": [definition.table.key]}), "required": True}
    answers = {202: _named("Import")}
    return _operation(
        "importRows", "Import a file", answers, body=shapes.TEXT, takes=(CSV, NDJSON), parameters=[table, ONCE]
    )


def _list_imports(id: str) -> Operation:
    parameters = [{"$ref": f"#/components/parameters/{name}"} for name in ("limit", "cursor")]
    answer = shapes.page_of(shapes.IMPORT_PROGRESS)
    return _operation(id, "List the imports, newest first", {200: answer}, parameters=parameters)


def _read_import() -> Operation:
    return _operation("readImport", "See how far an import is", {200: _named("Import")})


def _undo_import() -> Operation:
    return _operation("undoImport", "Undo an import", {202: _named("Import"), 200: _named("Import")})
