"""Headers that protect a write are kept or refused, never passed over."""

from typing import Any

import pytest

from tests.conftest import Api
from tests.datahub.conftest import made, pointers

ROWS = "/tables/people/rows"
WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", ROWS, [{"id": "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44", "age": 31}]),
    ("DELETE", f"{ROWS}?name=Ann", None),
]


def _call(api: Api, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    options: dict[str, Any] = {**headers}
    return api.call(method, path, body, **options)


@pytest.mark.parametrize("header", ["If-Match", "Idempotency-Key"])
@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_write_of_several_rows_has_no_condition_and_no_key(
    people: Api, header: str, method: str, path: str, body: Any
):
    made(people.post(ROWS, {"name": "Ann", "age": 30}))

    answer = _call(people, method, path, body, {header: '"1"'})

    assert pointers(answer) == [f"/{header}"]
    assert made(people.get(ROWS), 200)["items"][0]["age"] == 30


@pytest.mark.parametrize("query", ["", "?onConflict=email&resolution=merge"])
def test_a_row_that_is_created_has_no_revision_to_match(people: Api, query: str):
    answer = _call(people, "POST", f"{ROWS}{query}", {"name": "Ann", "email": "ann@example.com"}, {"If-Match": '"1"'})

    assert pointers(answer) == ["/If-Match"]
    assert made(people.get(ROWS), 200)["items"] == []


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"age": 31}), ("DELETE", None)])
def test_a_single_row_has_a_condition_and_no_key(people: Api, method: str, body: Any):
    path = f"{ROWS}/{made(people.post(ROWS, {'name': 'Ann'}))['id']}"

    assert pointers(_call(people, method, path, body, {"Idempotency-Key": "one"})) == ["/Idempotency-Key"]
    assert _call(people, method, path, body, {"If-Match": '"1"'}).status_code in (200, 204)


@pytest.mark.parametrize("header", ["If-Match", "Idempotency-Key"])
def test_what_only_reads_may_be_sent_with_either(people: Api, header: str):
    assert _call(people, "POST", f"{ROWS}/query", {}, {header: "one"}).status_code == 200
    assert _call(people, "GET", ROWS, None, {header: "one"}).status_code == 200
