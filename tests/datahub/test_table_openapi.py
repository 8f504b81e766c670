"""Each table's own OpenAPI: valid, true, and only for those who may read."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from datahub.api.urls import urlpatterns
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import imported

Key = Callable[..., Api]
METHODS = {"get", "post", "patch", "delete", "put"}
ROWS = "/tables/people/rows"
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
    assert row["age"] == {"type": ["integer", "null"], "format": "int64", "minimum": 0}
    assert row["kind"]["enum"] == ["a", "b", None]


def test_it_has_every_path_of_the_table_and_every_method(admin: Api):
    below = re.compile(r"tables/<str:table>/(rows|imports)|imports")
    routes: list[Any] = urlpatterns
    there = {
        (route(pattern), method)
        for pattern in routes
        if below.match(str(pattern.pattern))
        for method in METHODS
        if hasattr(pattern.callback.view_class, method)
    }

    told = {(path, method) for path, item in _document(admin)["paths"].items() for method in item if method in METHODS}

    assert told == there


def route(pattern: Any) -> str:
    """The path as OpenAPI writes it, for the table `people`."""
    return "/" + str(pattern.pattern).replace("<str:table>", "people").replace("<uuid:id>", "{id}")


def _flaws(admin: Api, answer: Any, method: str, path: str) -> list[str]:
    """What is wrong with an answer, as the document has it."""
    document = _document(admin)
    response = document["paths"][path][method]["responses"][str(answer.status_code)]
    [content] = response["content"].values()
    schema = {**content["schema"], "components": document["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(answer.json())]


ANN = {"name": "Ann", "age": 3, "amount": "1.50", "tags": ["a"]}


def test_a_row_is_what_it_says(admin: Api):
    answer = admin.post(ROWS, ANN)

    assert _flaws(admin, answer, "post", ROWS) == []
    schema = _document(admin)["components"]["schemas"]["Row"]
    assert list(Draft202012Validator(schema).iter_errors(answer.json())) == []


@pytest.mark.parametrize(
    ("method", "query", "path", "body"),
    [
        ("GET", "", ROWS, None),
        ("GET", "?fields=name&expand=owner&count=exact", ROWS, None),
        ("POST", "", ROWS, [ANN]),
        ("POST", "", f"{ROWS}/query", {"fields": ["age"]}),
        ("GET", "?group=name&sum=age,amount&avg=age", f"{ROWS}/aggregate", None),
        ("GET", "", f"{ROWS}/{{id}}", None),
        ("GET", "?fields=age", f"{ROWS}/{{id}}", None),
        ("PATCH", "", f"{ROWS}/{{id}}", {"age": 4}),
        ("PATCH", "", ROWS, [{"id": "{id}", "age": 4}]),
        ("DELETE", "?age=3", ROWS, None),
        ("GET", "", "/tables/people/imports", None),
        ("GET", "", "/imports/{import}", None),
        ("POST", "", "/imports/{import}/undo", None),
    ],
)
def test_an_answer_is_what_it_says(admin: Api, method: str, query: str, path: str, body: Any):
    imported(admin, "table=people", "name,age\nBen,x\n")
    id = admin.post(ROWS, ANN).json()["id"]
    upload = admin.get("/tables/people/imports").json()["items"][0]["id"]
    there = path.replace("{id}", id).replace("{import}", upload)
    sent = json.loads(json.dumps(body).replace("{id}", id))

    answer = admin.call(method, there + query, sent)

    assert answer.status_code < 300, answer.content
    assert _flaws(admin, answer, method.lower(), path.replace("{import}", "{id}")) == []


def test_who_may_not_read_is_answered_what_it_says(admin: Api, api: Api):
    admin.patch("/tables/people", {"access": {"create": "everyone"}})

    answer = api.post(ROWS, {"name": "Ann"})

    assert answer.status_code == 201
    assert _flaws(admin, answer, "post", ROWS) == []


def test_a_column_may_be_called_as_a_figure_is(admin: Api):
    made(admin.post("/tables/people/columns", {"name": "Sum", "type": "integer"}))

    document = _document(admin)

    validate(document)
    parameters = document["paths"][f"{ROWS}/aggregate"]["get"]["parameters"]
    assert [each["name"] for each in parameters if each.get("name") == "sum"] == ["sum"]
    assert {"$ref": "#/components/parameters/sum"} not in parameters
    assert {"$ref": "#/components/parameters/sum__gt"} in parameters


def test_it_names_the_columns_by_which_rows_are_found(admin: Api):
    made(admin.post("/tables/people/columns", {"name": "Code", "type": "text", "unique": True}))

    parameters = _document(admin)["paths"][ROWS]["post"]["parameters"]

    assert [each["schema"]["enum"] for each in parameters if each["name"] == "onConflict"] == [["code"]]


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
