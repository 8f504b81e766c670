"""The Datahub against its own OpenAPI, by Schemathesis: no error of ours, and no answer that is not told there.

What there is to call is one table with a column of every type, rows, a deleted column and an import; each request
finds them as they were, for what the one before it changed is undone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema

from datahub.dynamic import forget_definitions
from fastgen_backend.openapi import _document
from fastgen_backend.wsgi import application
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import imported

CHOICES = {"choices": ["a", "b"]}
COLUMNS: list[dict[str, Any]] = [
    {"name": "Text", "type": "text", "unique": True, "options": {"maxLength": 20}},
    {"name": "Decimal", "type": "decimal", "required": True, "options": {"min": "0"}},
    {"name": "Choice", "type": "choice", "options": CHOICES},
    {"name": "Choices", "type": "multiChoice", "options": CHOICES},
    {"name": "Gone", "type": "text"},
    *({"name": each, "type": each} for each in ["longText", "integer", "float", "boolean", "date", "dateTime"]),
    *({"name": each, "type": each} for each in ["email", "url", "json", "uuid"]),
]
RELATIONS = [
    {"name": "Relation", "type": "relation", "options": {"table": "things"}},
    {"name": "Relations", "type": "relation", "options": {"table": "things", "many": True}},
]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CONFIG = {"generation": {"deterministic": True}}
bounded = examples(deadline=None, max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))


def _schema(document: dict[str, Any]) -> BaseSchema:
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
    schema.app = application
    return schema


DATAHUB = _schema(json.loads(_document())).include(path_regex="^/api/v1/(tables|imports)")


@schemathesis.serializer("application/x-ndjson", "text/csv")
def _as_it_is(context: Any, value: Any) -> bytes:
    return str(value).encode(errors="replace")


@dataclass
class World:
    """Who calls, and what there is to call."""

    program: Api
    rows: list[str]
    upload: str
    document: dict[str, Any]  # the table's own

    def has(self, parameter: str, path: str) -> list[str]:
        """What this parameter of a path may name."""
        match parameter:
            case "table":
                return ["things"]
            case "column":
                return ["gone"] if path.endswith(("/restore", "/purge")) else ["text", "decimal", "choice", "relation"]
        return [self.upload] if "/imports/{id}" in path else self.rows


@pytest.fixture
def world(admin: Api) -> Iterator[World]:
    """Django closes connections between requests, but these are all within the one transaction of the test."""
    made(admin.post("/tables", {"name": "Things", "columns": COLUMNS}))
    for column in RELATIONS:
        made(admin.post("/tables/things/columns", column))
    assert admin.delete("/tables/things/columns/gone").status_code == 204
    rows = made(admin.post("/tables/things/rows", [{"text": "a", "decimal": 1}, {"text": "b", "decimal": 2}]))["items"]
    upload = imported(admin, "table=things", "text,decimal\nc,3\n")
    document = made(admin.get("/tables/things/openapi.json"), 200)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield World(admin, [row["id"] for row in rows], upload["id"], document)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@bounded
@DATAHUB.parametrize()
def test_every_answer_of_the_datahub_is_told(world: World, case: Any):
    _check(world, case)


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_of_a_table_is_told_in_its_own_document(world: World, mode: GenerationMode):
    for operation in _schema(world.document).get_all_operations():
        cases = cast("Any", operation).ok().as_strategy(generation_mode=mode)
        examples(bounded, max_examples=8)(given(case=cases)(lambda case: _check(world, case)))()


def _check(world: World, case: Any) -> None:
    """Send the request, aimed at what there is three times out of four, and look at the answer."""
    aim = crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if aim % 4:
        for name in case.path_parameters:
            there = world.has(name, case.path)
            case.path_parameters[name] = there[aim % len(there)]
        if case.path.endswith("/imports") and isinstance(case.query, dict) and "table" in case.query:
            case.query["table"] = "things"
    forget_definitions()  # one may be of a table whose making was undone
    with transaction.atomic():
        response = case.call(headers={"authorization": f"Bearer {world.program.token}", "host": "127.0.0.1:8000"})
        case.validate_response(response, checks=CHECKS)
        transaction.set_rollback(True)
