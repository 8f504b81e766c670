"""Each table's own OpenAPI: valid, true, and only for those who may read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.conftest import Api

Key = Callable[..., Api]
CHOICES = {"choices": ["a", "b"]}
COLUMNS: list[dict[str, Any]] = [
    {"name": "Name", "type": "text", "required": True},
    {"name": "Age", "type": "integer", "options": {"min": 0}},
    {"name": "Amount", "type": "decimal"},
    {"name": "Kind", "type": "choice", "options": CHOICES},
    {"name": "Tags", "type": "multiChoice", "options": CHOICES},
    *({"name": each, "type": each} for each in ["longText", "float", "boolean", "date", "dateTime", "email", "url"]),
    *({"name": each, "type": each} for each in ["json", "uuid"]),
]


def _document(caller: Api) -> dict[str, Any]:
    answer = caller.get("/tables/people/openapi.json")
    assert answer.status_code == 200, answer.content
    return dict(json.loads(answer.content))


@pytest.fixture
def admin(key: Key) -> Api:
    admin = key("*")
    answer = admin.post("/tables", {"name": "People", "columns": COLUMNS})
    assert answer.status_code == 201, answer.content
    return admin


def test_it_is_valid_openapi(admin: Api):
    validate(_document(admin))


def test_it_describes_each_column(admin: Api):
    row = _document(admin)["components"]["schemas"]["Row"]["properties"]

    assert {column["name"].lower() for column in COLUMNS} <= set(row)
    assert row["age"] == {"type": "integer", "format": "int64", "minimum": 0, "nullable": True}
    assert row["kind"]["enum"] == ["a", "b"]


def test_a_row_is_what_it_says(admin: Api):
    row = admin.post("/tables/people/rows", {"name": "Ann", "age": 3, "amount": "1.50", "tags": ["a"]}).json()

    schema = _document(admin)["components"]["schemas"]["Row"]
    for member in schema["properties"].values():
        if member.pop("nullable", False) and "type" in member:
            member["type"] = [member["type"], "null"]
            if "enum" in member:
                member["enum"].append(None)
    assert list(Draft202012Validator(schema).iter_errors(row)) == []


def test_required_columns_are_required_of_a_new_row_alone(admin: Api):
    schemas = _document(admin)["components"]["schemas"]

    assert schemas["NewRow"]["required"] == ["name"]
    assert "required" not in schemas["RowChange"]


def test_a_change_of_the_table_is_a_new_version_of_it(admin: Api):
    before = _document(admin)["info"]["version"]

    admin.post("/tables/people/columns", {"name": "More", "type": "text"})

    assert (before, _document(admin)["info"]["version"]) == ("1", "2")


@pytest.mark.parametrize(
    ("access", "status"),
    [({}, 401), ({"list": "everyone"}, 200), ({"read": "everyone"}, 200), ({"create": "everyone"}, 401)],
)
def test_it_is_for_those_who_may_read_rows(admin: Api, api: Api, access: dict[str, str], status: int):
    admin.patch("/tables/people", {"access": access})

    assert api.get("/tables/people/openapi.json").status_code == status
