"""Who names a column that is not there is told which ones are, if the table is open to them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fastgen_backend import errors, problems
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import NDJSON, imported, send

ROWS = "/tables/people/rows"
OWN = "name, email, age, city, amount"
ALL = f"id, createdAt, updatedAt, revision, owner, {OWN}"
ID = "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44"
ASKED: list[tuple[str, str, Any, str]] = [
    ("GET", f"{ROWS}?nme=Ann", None, ALL),
    ("GET", f"{ROWS}?nme__in=Ann", None, ALL),
    ("GET", f"{ROWS}?order=-nme", None, ALL),
    ("GET", f"{ROWS}?fields=nme", None, ALL),
    ("GET", f"{ROWS}?expand=nme", None, ALL),
    ("GET", f"{ROWS}.csv?fields=nme", None, ALL),
    ("GET", f"{ROWS}/aggregate?group=nme", None, ALL),
    ("GET", f"{ROWS}/aggregate?sum=nme", None, ALL),
    ("POST", f"{ROWS}/query", {"filter": {"field": "nme", "value": "Ann"}}, ALL),
    ("POST", f"{ROWS}/query", {"order": ["nme"]}, ALL),
    ("POST", f"{ROWS}/query", {"where": {}}, "filter, q, order, fields, expand, limit, cursor, count"),
    ("POST", ROWS, {"nme": "Ann", "name": "Ann"}, OWN),
    ("POST", ROWS, [{"nme": "Ann", "name": "Ann"}], OWN),
    ("POST", f"{ROWS}?onConflict=nme&resolution=merge", {"name": "Ann"}, "email"),
    ("DELETE", f"{ROWS}?nme=Ann", None, ALL),
]


@pytest.mark.parametrize("path", ["/tables", ROWS, f"{ROWS}/query"])
def test_of_any_number_of_unknown_members_a_hundred_are_told(people: Api, path: str, monkeypatch: pytest.MonkeyPatch):
    found: set[int] = set()

    def count(made: Sequence[errors.FieldError]) -> str:
        found.add(len(made))
        return ""

    monkeypatch.setattr(problems, "detail_of", count)
    monkeypatch.setattr(errors, "detail_of", count)

    refusal = made(people.post(path, {f"a{number}": 1 for number in range(10_000)}), 400)

    assert len(refusal["errors"]) == 100
    assert max(found) <= 102


@pytest.mark.parametrize(("method", "path", "body", "there"), ASKED)
def test_a_refusal_names_what_there_is(people: Api, method: str, path: str, body: Any, there: str):
    [error] = made(people.call(method, path, body), 400)["errors"]

    assert error["detail"].endswith(f": {there}.")


@pytest.mark.parametrize(("method", "path", "body", "there"), ASKED)
@pytest.mark.parametrize("is_known", [False, True])
def test_it_tells_nothing_to_whom_the_table_is_closed(
    people: Api, api: Api, person: Callable[..., Api], is_known: bool, method: str, path: str, body: Any, there: str
):
    people.get(ROWS)  # by now the definition may be remembered
    caller = person() if is_known else api

    answer = caller.call(method, path, body)

    assert answer.status_code == (403 if is_known else 401)
    assert "amount" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "there"),
    [(f"{ROWS}/{ID}", "there are: fields, expand."), ("/tables/people/openapi.json", "none is taken here.")],
)
def test_parameters_are_told_the_same(people: Api, path: str, there: str):
    [error] = made(people.get(f"{path}?nme=1"), 400)["errors"]

    assert error["detail"].endswith(there)


@pytest.mark.parametrize(
    ("method", "path", "there"),
    [
        ("GET", f"{ROWS}?page=2", "q, order, fields, expand, limit, cursor, count"),
        ("GET", f"{ROWS}.csv?limit=1", "q, order, fields"),
        ("GET", f"{ROWS}/aggregate?group=city&order=city", "q, limit, cursor, group, sum, avg, min, max"),
        ("DELETE", f"{ROWS}?maxAffected=3&limit=1", "q, maxAffected"),
    ],
)
def test_a_parameter_that_is_none_here_is_told_those_that_are(people: Api, method: str, path: str, there: str):
    [error] = made(people.call(method, path), 400)["errors"]

    assert f"; parameters: {there}; columns: {ALL}." in error["detail"]


def test_the_open_part_of_a_table_tells_of_it(people: Api, api: Api):
    people.patch("/tables/people", {"access": {"list": "everyone"}})

    assert made(api.get(f"{ROWS}?order=nme"), 400)["errors"][0]["detail"].endswith(f"{ALL}.")
    assert api.post(ROWS, {"nme": 1}).status_code == 401


def test_of_many_columns_the_first_are_named(admin: Api):
    columns = [{"name": f"C{number}", "type": "text"} for number in range(30)]
    made(admin.post("/tables", {"name": "Wide", "columns": columns}))

    [error] = made(admin.get("/tables/wide/rows?order=nme"), 400)["errors"]

    assert "‘nme’" in error["detail"]
    assert error["detail"].endswith("c13, c14 and 15 more.")


def test_a_table_without_columns_has_none_to_name(admin: Api):
    made(admin.post("/tables", {"name": "Bare", "columns": []}))

    [error] = made(admin.post("/tables/bare/rows", {"nme": 1}), 400)["errors"]

    assert error["detail"].endswith("there are: none.")


def test_headers_and_members_of_a_file_are_told_the_same(people: Api):
    [error] = made(send(people, "table=people", "name,nme\nAnn,1\n"), 400)["errors"]
    [reject] = imported(people, "table=people", '{"name": "Ann", "nme": 1}', NDJSON)["rejects"]

    assert error["detail"].endswith(f": {ALL}.")
    assert reject["detail"].endswith(f": {ALL}.")
    assert reject["pointer"] == "/nme"


def test_rules_are_told_the_same(people: Api):
    rule = {"filter": {"field": "nme", "op": "eq", "value": "a"}}

    [error] = made(people.patch("/tables/people", {"access": {"list": rule}}), 400)["errors"]

    assert error["detail"].endswith(f": {ALL}.")
