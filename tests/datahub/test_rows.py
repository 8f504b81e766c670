"""Single rows: created, read, changed and deleted by REST."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from datahub.api import row_endpoint
from datahub.dynamic import definition_of, find_definition, find_table
from tests.conftest import Api
from tests.datahub.conftest import id_of, made, pointers

ROWS = "/tables/people/rows"
NO_ROW = f"{ROWS}/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"


@pytest.fixture
def ann(people: Api) -> dict[str, Any]:
    row: dict[str, Any] = made(people.post(ROWS, {"name": "Ann", "age": 30, "amount": 1.5}))
    return row


def test_a_new_row_is_answered_whole(people: Api):
    row = made(people.post(ROWS, {"name": "Ann", "age": 30, "amount": 1.5}))

    system = ["id", "createdAt", "updatedAt", "revision", "owner"]
    assert list(row) == [*system, "name", "email", "age", "city", "amount"]
    assert (row["revision"], row["owner"], row["email"], row["amount"]) == (1, None, None, "1.50")
    assert row["createdAt"] == row["updatedAt"]
    assert row["createdAt"].endswith("Z")
    assert row["id"][14] == "7"


def test_a_row_is_read_as_it_was_answered(people: Api, ann: dict[str, Any]):
    answer = people.get(f"{ROWS}/{ann['id']}")

    assert made(answer, 200) == ann
    assert answer["ETag"] == '"1"'


def test_a_table_is_named_by_its_id_as_well(people: Api, ann: dict[str, Any]):
    table = people.get("/tables/people").json()["id"]

    assert made(people.get(f"/tables/{table}/rows/{ann['id']}"), 200) == ann


def test_a_change_changes_what_it_names_alone(people: Api, ann: dict[str, Any]):
    answer = people.patch(f"{ROWS}/{ann['id']}", {"age": 31})

    row = made(answer, 200)
    assert row == {**ann, "age": 31, "revision": 2, "updatedAt": row["updatedAt"]}
    assert datetime.fromisoformat(row["updatedAt"]) > datetime.fromisoformat(ann["updatedAt"])
    assert answer["ETag"] == '"2"'
    assert people.get(f"{ROWS}/{ann['id']}").json() == row


@pytest.mark.parametrize("change", [{}, {"age": 30}, {"amount": "1.50", "city": None}])
def test_a_change_that_changes_nothing_keeps_the_revision(people: Api, ann: dict[str, Any], change: dict[str, Any]):
    assert made(people.patch(f"{ROWS}/{ann['id']}", change), 200) == ann


def test_a_deleted_row_is_gone(people: Api, ann: dict[str, Any]):
    answer = people.delete(f"{ROWS}/{ann['id']}")

    assert (answer.status_code, answer.headers.get("Content-Type")) == (204, None)
    assert people.get(f"{ROWS}/{ann['id']}").status_code == 404
    assert people.delete(f"{ROWS}/{ann['id']}").status_code == 404
    assert people.patch(f"{ROWS}/{ann['id']}", {"age": 1}).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_who_saw_another_revision_is_refused(people: Api, ann: dict[str, Any], method: str):
    path = f"{ROWS}/{ann['id']}"
    people.patch(path, {"age": 31})

    answer = _call(people, method, path, '"1"', {"age": 32} if method == "PATCH" else None)

    assert made(answer, 412)["code"] == "revision-conflict"
    assert people.get(path).json()["age"] == 31


@pytest.mark.parametrize("seen", ['"1"', "*"])
def test_who_saw_this_revision_is_not(people: Api, ann: dict[str, Any], seen: str):
    assert _call(people, "PATCH", f"{ROWS}/{ann['id']}", seen, {"age": 32}).status_code == 200
    assert _call(people, "DELETE", f"{ROWS}/{ann['id']}", '"2"' if seen == '"1"' else "*").status_code == 204


@pytest.mark.parametrize("seen", ["1", 'W/"1"', '"a"', '"1", "2"', '""', '"' + "9" * 30 + '"'])
def test_a_revision_is_written_in_quotes(people: Api, ann: dict[str, Any], seen: str):
    answer = _call(people, "PATCH", f"{ROWS}/{ann['id']}", seen, {"age": 32})

    assert pointers(answer) == ["/If-Match"]


@pytest.mark.parametrize(
    ("row", "blamed"),
    [
        ({}, ["/name"]),
        ({"name": None}, ["/name"]),
        ({"name": "Ann", "age": "30"}, ["/age"]),
        ({"name": "Ann", "age": -1, "email": "?"}, ["/age", "/email"]),
        ({"name": "Ann", "agee": 1}, ["/agee"]),
        ({"name": "Ann", "a/b~c": 1}, ["/a~1b~0c"]),
        ({"name": "Ann", "id": "x"}, ["/id"]),
        (
            {"name": "Ann", "revision": 7, "createdAt": None, "updatedAt": None},
            ["/revision", "/createdAt", "/updatedAt"],
        ),
        ({"name": "Ann", "owner": "me"}, ["/owner"]),
        ("Ann", [""]),
        (None, [""]),
        (7, [""]),
    ],
)
def test_what_is_wrong_with_a_row_is_named(people: Api, row: Any, blamed: list[str]):
    assert pointers(people.call("POST", ROWS, raw=_json(row))) == blamed
    assert people.get(ROWS).json()["items"] == []


def test_what_is_wrong_with_a_change_is_named(people: Api, ann: dict[str, Any]):
    answer = people.patch(f"{ROWS}/{ann['id']}", {"name": None, "age": 1.5, "id": ann["id"]})

    assert pointers(answer) == ["/name", "/age", "/id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{NO_ROW}?field=name"),
        ("GET", f"{NO_ROW}?limit=1"),
        ("PATCH", f"{NO_ROW}?fields=name"),
        ("DELETE", f"{NO_ROW}?age=1"),
        ("POST", f"{ROWS}?expand=owner"),
        ("PATCH", f"{ROWS}?age=1"),
        ("DELETE", f"{ROWS}?agee=1"),
        ("GET", f"{ROWS}?agee=1"),
        ("GET", f"{ROWS}?limit=1&limit=2"),
        ("POST", f"{ROWS}/query?limit=1"),
        ("GET", f"{ROWS}/aggregate?order=age"),
        ("GET", f"{ROWS}.csv?limit=1"),
        ("GET", f"{ROWS}.ndjson?expand=owner"),
    ],
)
def test_an_unknown_parameter_is_refused(people: Api, method: str, path: str):
    body = {"name": "Ann"} if method in {"POST", "PATCH"} else None

    assert len(pointers(people.call(method, path, body))) == 1


@pytest.mark.parametrize("path", [NO_ROW, "/tables/nothing/rows", f"{ROWS}/1", "/tables/nothing/rows.csv"])
def test_what_is_not_there_is_not_found(people: Api, path: str):
    assert people.get(path).status_code == 404


def test_a_value_that_must_be_unique_is_named(people: Api, ann: dict[str, Any]):
    people.patch(f"{ROWS}/{ann['id']}", {"email": "ann@example.com"})
    bob = made(people.post(ROWS, {"name": "Bob"}))

    created = people.post(ROWS, {"name": "Ben", "email": "ann@example.com"})
    changed = people.patch(f"{ROWS}/{bob['id']}", {"email": "ann@example.com"})

    assert (made(created, 409)["code"], made(created, 409)["count"]) == ("unique-conflict", 1)
    assert pointers(created, 409) == pointers(changed, 409) == ["/email"]


def test_many_rows_may_have_no_value_where_values_are_unique(people: Api):
    for _time in range(2):
        assert people.post(ROWS, {"name": "Ann"}).status_code == 201


def test_a_program_names_the_owner(people: Api, person: Callable[..., Api]):
    person()
    ann = id_of("ann@example.com")
    row = made(people.post(ROWS, {"name": "Ann", "owner": ann}))

    assert row["owner"] == ann
    assert made(people.patch(f"{ROWS}/{row['id']}", {"owner": None}), 200)["owner"] is None


def test_a_row_is_answered_as_far_as_was_asked_for(people: Api, ann: dict[str, Any]):
    answer = people.get(f"{ROWS}/{ann['id']}?fields=age,id")

    assert made(answer, 200) == {"age": 30, "id": ann["id"]}
    assert answer["ETag"] == '"1"'


def test_a_body_of_rows_may_have_ten_megabytes(people: Api):
    columns = [{"name": "Text", "type": "longText"}]
    people.post("/tables", {"name": "Texts", "columns": columns})
    texts = _json([{"text": "a" * 1_999_000}] * 5)

    assert people.call("POST", "/tables/texts/rows", raw=texts.ljust(10_000_000)).status_code == 201
    assert pointers(people.call("POST", "/tables/texts/rows", raw=texts.ljust(10_000_001)), 413) == [""]


def test_a_large_number_within_json_is_kept_or_refused(people: Api):
    people.post("/tables", {"name": "Documents", "columns": [{"name": "Document", "type": "json"}]})

    for text in ["123456789012345678901234567890", "1e300", "1e999", "[1e22]"]:
        answer = people.call("POST", "/tables/documents/rows", raw=b'{"document": %s}' % text.encode())
        assert answer.status_code in {201, 400}, (text, answer.content)
        assert people.get("/tables/documents/rows").status_code == 200
        for row in people.get("/tables/documents/rows").json()["items"]:
            assert people.get(f"/tables/documents/rows/{row['id']}").status_code == 200
            assert people.patch(f"/tables/documents/rows/{row['id']}", {}).status_code == 200
        assert people.get("/tables/documents/rows.csv").getvalue()


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_rows_do_not_know_is_refused(people: Api, method: str):
    assert people.call(method, f"{ROWS}/query").status_code == 405


def _call(caller: Api, method: str, path: str, seen: str, body: Any = None) -> Any:
    """A request that names the revision the caller saw."""
    headers: dict[str, Any] = {"if-match": seen}
    return caller.call(method, path, body, **headers)


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


def test_nothing_is_no_row(people: Api):
    answer = people.post("/tables/people/rows", raw=b"")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "body-missing")


def test_a_method_that_there_is_not_is_named_before_the_body(people: Api):
    row = people.post("/tables/people/rows", {"name": "Ann"}).json()

    answer = people.call("PUT", f"/tables/people/rows/{row['id']}", {"name": "Bob"})

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_a_key_without_the_scope_is_told_which_it_needs(people: Api, key: Callable[..., Api]):
    answer = key("rows:read").post("/tables/people/rows", {"name": "Ann"})

    assert (answer.status_code, "rows:write" in answer.json()["detail"]) == (403, True)


def test_a_statement_that_another_thread_forgets_is_made_anew(people: Api, monkeypatch: pytest.MonkeyPatch):
    class Forgetful(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            """Gone before anyone looks."""

    monkeypatch.setattr(definition_of(find_table("people")), "statements", Forgetful())

    assert made(people.post(ROWS, {"name": "Ann"}))["name"] == "Ann"


def test_rows_are_deleted_by_the_table_as_it_is_by_then(people: Api, monkeypatch: pytest.MonkeyPatch):
    people.post(ROWS, [{"name": "Ann", "city": "1"}, {"name": "Bob", "city": "2"}])
    before = find_definition("people")
    made(people.patch("/tables/people/columns/city", {"type": "integer"}), 200)
    monkeypatch.setattr(row_endpoint, "find_definition", lambda _key: before)

    assert made(people.delete(f"{ROWS}?city=1"), 200) == {"deleted": 1}
