"""Headers that protect a write are kept or refused, never passed over."""

from typing import Any

import pytest

from tests.conftest import Api
from tests.datahub.conftest import made, pointers

ROWS = "/tables/people/rows"
WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", ROWS, [{"id": "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44", "age": 31}]),
    ("DELETE", f"{ROWS}?name=Ann", None),
    ("PATCH", "/tables/people", {"name": "Others"}),
    ("DELETE", "/tables/people", None),
    ("POST", "/tables", {"name": "Others"}),
    ("POST", "/tables/people/clear", None),
    ("POST", "/tables/people/columns", {"name": "Other", "type": "text"}),
    ("PATCH", "/tables/people/columns/age", {"name": "Other"}),
    ("DELETE", "/tables/people/columns/city", None),
    ("POST", "/tables/people/columns/gone/restore", None),
    ("POST", "/tables/people/columns/gone/purge", None),
    ("POST", "/imports/019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44/undo", None),
]
CONDITIONS = ["If-Match", "If-None-Match", "If-Unmodified-Since"]


def _call(api: Api, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    options: dict[str, Any] = {**headers}
    return api.call(method, path, body, **options)


def _table(people: Api) -> list[Any]:
    return [made(people.get(path), 200) for path in ("/tables", "/tables/people/columns?hidden=true", ROWS)]


@pytest.mark.parametrize("header", [*CONDITIONS, "Idempotency-Key"])
@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_what_has_no_condition_and_no_key_refuses_both(people: Api, header: str, method: str, path: str, body: Any):
    made(people.post(ROWS, {"name": "Ann", "age": 30}))
    made(people.post("/tables/people/columns", {"name": "Gone", "type": "text"}))
    assert people.delete("/tables/people/columns/gone").status_code == 204
    before = _table(people)

    answer = _call(people, method, path, body, {header: '"1"'})

    assert pointers(answer) == [f"/{header}"]
    assert _table(people) == before


@pytest.mark.parametrize("header", CONDITIONS)
def test_an_import_has_no_condition(people: Api, header: str):
    headers = {header: '"1"', "content-type": "text/csv"}
    answer: Any = people.call("POST", "/imports?table=people", raw=b"name\nAnn\n", **headers)

    assert pointers(answer) == [f"/{header}"]
    assert made(people.get("/imports"), 200)["items"] == []


@pytest.mark.parametrize("query", ["", "?onConflict=email&resolution=merge"])
@pytest.mark.parametrize("header", CONDITIONS)
def test_a_row_that_is_created_has_no_revision_to_match(people: Api, query: str, header: str):
    answer = _call(people, "POST", f"{ROWS}{query}", {"name": "Ann", "email": "ann@example.com"}, {header: '"1"'})

    assert pointers(answer) == [f"/{header}"]
    assert made(people.get(ROWS), 200)["items"] == []


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"age": 31}), ("DELETE", None)])
def test_a_single_row_has_a_condition_and_no_key(people: Api, method: str, body: Any):
    path = f"{ROWS}/{made(people.post(ROWS, {'name': 'Ann'}))['id']}"

    for header in ("Idempotency-Key", *CONDITIONS[1:]):
        assert pointers(_call(people, method, path, body, {header: "one"})) == [f"/{header}"]
    assert _call(people, method, path, body, {"If-Match": '"1"'}).status_code in (200, 204)


@pytest.mark.parametrize("header", [*CONDITIONS, "Idempotency-Key"])
def test_what_only_reads_may_be_sent_with_either(people: Api, header: str):
    assert _call(people, "POST", f"{ROWS}/query", {}, {header: "one"}).status_code == 200
    assert _call(people, "GET", ROWS, None, {header: "one"}).status_code == 200
