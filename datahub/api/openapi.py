"""OpenAPI 3 of one table: the same paths that every table has, with this one's own columns."""

from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from datahub.access import Caller, permitted
from datahub.api import row_schemas as shapes
from datahub.api.rows import TABLE, RowEndpoint
from datahub.dynamic import Definition, Member, definition_of, find_table
from datahub.errors import AccessDenied, CallerMissing
from datahub.models import Verb
from fastgen_backend.rest import credentials_of

Operation = dict[str, Any]
MEDIA_TYPE = "application/vnd.oai.openapi+json"


def document_of(definition: Definition) -> dict[str, Any]:
    """The document; its components are `Row`, `NewRow` and `RowChange`."""
    table = definition.table
    new, change = shapes.values_of(definition, is_new=True), shapes.values_of(definition, is_new=False)
    return {
        "openapi": "3.0.3",
        "info": {"title": table.name, "version": str(table.version), "description": table.description},
        "servers": [{"url": f"{settings.BASE_URL}/api/v1/tables/{table.key}"}],
        "security": [{"bearer": []}, {}],
        "paths": {
            "/rows": {"get": _list(definition), "post": _create()},
            "/rows/query": {"post": _operation("queryRows", "List rows by a JSON query", PAGE, body=shapes.QUERY)},
            "/rows/{id}": {"parameters": [ID], "get": _read(), "patch": _change(), "delete": _delete()},
        },
        "components": {
            "schemas": {"Row": shapes.row_of(definition), "NewRow": new, "RowChange": change},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _named(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}, "example": '"1"'}
PAGE = shapes.object_of(
    {
        "items": shapes.array_of(_named("Row")),
        "nextCursor": {"type": "string", "nullable": True},
        "count": {"type": "integer"},
    },
    ["items", "nextCursor"],
)


def _operation(id: str, summary: str, answer: Any, *, status: int = 200, body: Any = None, **more: Any) -> Operation:
    content = {"content": {"application/json": {"schema": answer}}} if answer is not None else {}
    operation: Operation = {
        "operationId": id,
        "summary": summary,
        "responses": {str(status): {"description": summary, **content}, "default": PROBLEM},
        **more,
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _list(definition: Definition) -> Operation:
    filters = [
        _query(f"{key}__{operator}" if operator != "eq" else key, _operand(member, operator))
        for key, member in definition.members.items()
        for operator in sorted(member.type.operators)
    ]
    options = [_query(name, schema) for name, schema in shapes.QUERY["properties"].items() if name != "filter"]
    return _operation("listRows", "List rows", PAGE, parameters=[*options, *filters])


def _operand(member: Member, operator: str) -> dict[str, Any]:
    """A filter’s operand as a parameter: lists are parted by commas."""
    if operator in {"isnull", "empty"}:
        return {"type": "boolean"}
    if operator in {"in", "nin", "between", "contains", "icontains", "startswith"}:
        return {"type": "string"}
    return member.type.schema()


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    plain = {"type": "string"} if schema.get("type") == "array" else schema
    return {"name": name, "in": "query", "schema": plain}


def _create() -> Operation:
    body = {"oneOf": [_named("NewRow"), shapes.array_of(_named("NewRow"), 1000)]}
    rows = shapes.object_of({"items": shapes.array_of(_named("Row"))}, ["items"])
    answer = {"oneOf": [_named("Row"), rows]}
    return _operation("createRows", "Create one row or several", answer, status=201, body=body)


def _read() -> Operation:
    return _operation("readRow", "Read a row", _named("Row"))


def _change() -> Operation:
    return _operation("changeRow", "Change a row", _named("Row"), body=_named("RowChange"), parameters=[IF_MATCH])


def _delete() -> Operation:
    return _operation("deleteRow", "Delete a row", None, status=204, parameters=[IF_MATCH])


class TableOpenApiView(RowEndpoint):
    @extend_schema(
        summary="OpenAPI of one table", parameters=[TABLE], responses={(200, MEDIA_TYPE): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, table: str) -> HttpResponse:
        """For programs that may read tables, and for whoever may list or read this one’s rows."""
        self.only()
        definition = definition_of(find_table(table))
        credentials = credentials_of(request)
        if credentials is None or not credentials.allows("tables:read"):
            _check_may_read(definition, self.caller)
        document = orjson.dumps(document_of(definition))
        return HttpResponse(document, content_type=MEDIA_TYPE)


def _check_may_read(definition: Definition, caller: Caller) -> None:
    """Raise what `permitted` does, unless the rows can be listed or read."""
    try:
        permitted(definition, Verb.LIST, caller)
    except (AccessDenied, CallerMissing):
        permitted(definition, Verb.READ, caller)
