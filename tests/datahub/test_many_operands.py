"""Filters with thousands of values: as true as short ones, and not looked at value by value."""

from typing import Any
from unittest.mock import Mock

import pytest

from datahub.api import row_endpoint
from datahub.column_types.documents import MultiChoice
from datahub.column_types.identities import Identifier
from datahub.column_types.numbers import Integer
from datahub.dynamic import Definition, find_definition
from datahub.filter_reading import condition_from_json
from datahub.filters import operands, simplified
from datahub.row_queries import Ordering
from datahub.statements import Select
from fastgen_backend.prepared import Parameter
from tests.conftest import Api
from tests.datahub.conftest import made

ROWS = "/tables/things/rows"
TYPES: list[tuple[str, dict[str, Any], Any, Any, list[Any]]] = [
    ("text", {}, "a,b", "c", [f"x{number}" for number in range(1, 999)]),
    ("integer", {}, 2**62, 0, list(range(1, 999))),
    ("float", {}, 0.1, 2.5, [number / 7 for number in range(1, 999)]),
    ("decimal", {}, "1.10", "0.00", [f"{number}.25" for number in range(1, 999)]),
    ("date", {}, "2026-11-24", "2026-11-25", [f"{1000 + number}-01-01" for number in range(1, 999)]),
    (
        "dateTime",
        {},
        "2026-11-24T09:30:00Z",
        "2026-11-25T00:00:00Z",
        [f"{number + 1000}-01-01T00:00:00Z" for number in range(999)],
    ),
    ("choice", {"choices": ["a", "b"]}, "a", "b", []),
    ("email", {}, "ann@example.com", "ben@example.com", [f"{number}@example.com" for number in range(1, 999)]),
    ("uuid", {}, "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44", "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d45", []),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", f"{ROWS}/query", {"filter": {"field": "size", "op": "in", "value": [1] * 5000}}, "too-many-values"),
        ("GET", f"{ROWS}?size__in={'1,' * 5000}", None, "too-many-values"),
        ("POST", ROWS, {"tags": ["a"] * 5000}, "too-many"),
        ("POST", ROWS, {"others": ["x"] * 5000}, "too-many"),
    ],
)
def test_how_many_there_are_is_looked_at_before_any_and_once(
    admin: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any, code: str
):
    columns = [
        {"name": "Size", "type": "integer"},
        {"name": "Tags", "type": "multiChoice", "options": {"choices": ["a"]}},
    ]
    table = made(admin.post("/tables", {"name": "Things", "columns": columns}))
    related = {"name": "Others", "type": "relation", "options": {"table": table["id"], "many": True}}
    made(admin.post("/tables/things/columns", related))
    made(admin.get(ROWS), 200)  # so that the definition is remembered
    read = Mock()
    for place in (Integer, MultiChoice, Identifier):
        monkeypatch.setattr(place, "_chosen" if place is MultiChoice else "read", read)
    looked = Mock(wraps=find_definition)
    monkeypatch.setattr(row_endpoint, "find_definition", looked)

    [error] = made(admin.call(method, path, body), 400)["errors"]

    assert error["code"] == code
    assert (read.call_count, looked.call_count) == (0, 1)


@pytest.mark.parametrize(("type", "options", "named", "other", "more"), TYPES, ids=[each[0] for each in TYPES])
def test_a_value_is_found_among_many_and_left_out_by_its_opposite(
    admin: Api, type: str, options: dict[str, Any], named: Any, other: Any, more: list[Any]
):
    columns = [{"name": "Value", "type": type, "options": options}]
    made(admin.post("/tables", {"name": "Things", "columns": columns}))
    made(admin.post(ROWS, [{"value": named}, {"value": other}, {"value": None}]))

    for index in {0, len(more)}:  # first or last
        values = [*more[:index], named, *more[index:]]
        assert _found(admin, "in", values) == [named]
        assert _found(admin, "nin", values) == [other, None]


def _found(admin: Api, op: str, values: list[Any]) -> list[Any]:
    query = {"filter": {"field": "value", "op": op, "value": values}}
    return [row["value"] for row in made(admin.post(f"{ROWS}/query", query), 200)["items"]]


def test_a_decimal_among_others_is_compared_as_it_is_given(admin: Api):
    made(admin.post("/tables", {"name": "Things", "columns": [{"name": "Value", "type": "decimal"}]}))
    made(admin.post(ROWS, [{"value": "1.00"}, {"value": "1.01"}]))

    assert made(admin.get(f"{ROWS}?value__in=1.004,1.006"), 200)["items"] == []
    assert len(made(admin.get(f"{ROWS}?value__in=1.0,1.010"), 200)["items"]) == 2


@pytest.fixture
def people_definition(people: Api) -> Definition:
    return find_definition("people")


def test_ten_thousand_values_are_placed_at_once(people_definition: Definition, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Parameter, "resolve_expression", None)  # what Django does to each part of an expression
    members = people_definition.members
    tests = [{"field": "age", "op": "in", "value": list(range(each, each + 1000))} for each in range(0, 10_000, 1000)]
    condition = simplified(condition_from_json({"or": tests}, members))

    statement = Select(people_definition, [members["id"]], condition, [Ordering(members["id"], False)], 51)

    assert len(statement.ask(operands(condition))) == 0


def test_ten_thousand_values_are_asked_by_every_path(people: Api):
    made(people.post("/tables/people/rows", {"name": "Ann", "age": 7}))
    tests = [{"field": "age", "op": "in", "value": list(range(each, each + 1000))} for each in range(0, 10_000, 1000)]

    items = made(people.post("/tables/people/rows/query", {"filter": {"or": tests}, "count": "exact"}), 200)

    assert (len(items["items"]), items["count"]) == (1, 1)
