"""Rows that are created, or found by a unique column."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from datahub.filters import ALWAYS
from datahub.services import upserts
from tests.conftest import Api
from tests.datahub.conftest import made, pointers

ROWS = "/tables/people/rows"
MERGE = f"{ROWS}?onConflict=email&resolution=merge"
IGNORE = f"{ROWS}?onConflict=email&resolution=ignore"
EMAIL = "ann@example.com"


@pytest.fixture
def ann(people: Api) -> dict[str, Any]:
    row: dict[str, Any] = made(people.post(ROWS, {"name": "Ann", "email": EMAIL, "age": 30, "city": "Rome"}))
    return row


def _all(people: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = people.get(ROWS).json()["items"]
    return items


@pytest.mark.parametrize("path", [MERGE, IGNORE])
def test_a_row_that_is_not_there_is_created(people: Api, path: str):
    row = made(people.post(path, {"name": "Ann", "email": EMAIL}), 200)

    assert (row["name"], row["revision"]) == ("Ann", 1)
    assert _all(people) == [row]


def test_a_merge_keeps_the_members_that_were_not_sent(people: Api, ann: dict[str, Any]):
    row = made(people.post(MERGE, {"email": EMAIL, "age": 31}), 200)

    assert row == {**ann, "age": 31, "revision": 2, "updatedAt": row["updatedAt"]}
    assert _all(people) == [row]


def test_a_merge_takes_a_null_that_was_sent(people: Api, ann: dict[str, Any]):
    assert made(people.post(MERGE, {"email": EMAIL, "city": None}), 200)["city"] is None


def test_a_merge_that_changes_nothing_keeps_the_revision(people: Api, ann: dict[str, Any]):
    assert made(people.post(MERGE, {"email": EMAIL, "age": 30}), 200) == ann


def test_ignoring_leaves_the_row_as_it_is(people: Api, ann: dict[str, Any]):
    assert made(people.post(IGNORE, {"name": "Anna", "email": EMAIL, "age": 31}), 200) == ann
    assert _all(people) == [ann]


def test_many_are_created_and_merged_in_the_order_they_were_sent_in(people: Api, ann: dict[str, Any]):
    given = [{"name": "Zoe", "email": "zoe@example.com"}, {"email": EMAIL, "age": 31}, {"name": "Bob"}, {"name": "Al"}]

    items = made(people.post(MERGE, given), 200)["items"]

    assert [(row["name"], row["age"]) for row in items] == [("Zoe", None), ("Ann", 31), ("Bob", None), ("Al", None)]
    assert [row["name"] for row in _all(people)] == ["Ann", "Zoe", "Bob", "Al"]


@pytest.mark.parametrize(
    ("second", "status", "blamed"),
    [
        ({"name": "Bob", "age": "x"}, 400, ["/1/age"]),
        ({"email": "bob@example.com"}, 400, ["/1/name"]),
        ({"email": "?", "name": "Bob"}, 400, ["/1/email"]),
        ({"email": EMAIL, "name": "Bob"}, 400, ["/1/email"]),
        ({"agee": 1, "name": "Bob"}, 400, ["/1/agee"]),
        (7, 400, ["/1"]),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(
    people: Api, ann: dict[str, Any], second: Any, status: int, blamed: list[str]
):
    answer = people.post(MERGE, [{"email": EMAIL, "age": 31}, second])

    assert pointers(answer, status) == blamed
    assert _all(people) == [ann]


def test_a_bad_merge_is_named_where_it_stands(people: Api, ann: dict[str, Any]):
    answer = people.post(MERGE, [{"email": "bob@example.com", "name": "Bob"}, {"email": EMAIL, "name": None}])

    assert pointers(answer) == ["/1/name"]
    assert _all(people) == [ann]


def test_a_new_row_may_have_what_another_of_the_request_lets_go_of(people: Api, ann: dict[str, Any]):
    made(people.post("/tables/people/columns", {"name": "Phone", "type": "text", "unique": True}))
    made(people.patch(f"{ROWS}/{ann['id']}", {"phone": "1"}), 200)

    answer = people.post(MERGE, [{"name": "Ben", "email": "b@x.org", "phone": "1"}, {"email": EMAIL, "phone": "2"}])

    assert [(row["name"], row["phone"]) for row in made(answer, 200)["items"]] == [("Ben", "1"), ("Ann", "2")]


def test_what_another_of_the_request_lets_go_of_is_blamed_on_none(people: Api, ann: dict[str, Any]):
    made(people.post("/tables/people/columns", {"name": "Phone", "type": "text", "unique": True}))
    made(people.patch(f"{ROWS}/{ann['id']}", {"phone": "1"}), 200)
    made(people.post(ROWS, {"name": "Cid", "phone": "9"}))
    given = [{"email": EMAIL, "phone": "2"}, *({"name": "New", "phone": phone} for phone in ("1", "9", "2"))]

    assert pointers(people.post(MERGE, given), 409) == ["/2/phone", "/3/phone"]


def test_a_value_taken_in_another_column_is_named_where_it_stands(people: Api, ann: dict[str, Any]):
    people.post("/tables/people/columns", {"name": "Code", "type": "integer", "unique": True})
    people.patch(f"{ROWS}/{ann['id']}", {"code": 1})

    new = people.post(MERGE, [{"email": EMAIL, "age": 31}, {"email": "bob@example.com", "name": "Bob", "code": 1}])
    people.post(ROWS, {"name": "Cid", "email": "cid@example.com", "code": 2})
    old = people.post(MERGE, [{"email": "cid@example.com", "age": 31}, {"email": EMAIL, "code": 2}])

    assert pointers(new, 409) == pointers(old, 409) == ["/1/code"]


@pytest.mark.parametrize(
    ("query", "blamed"),
    [
        ("onConflict=email", ["/resolution"]),
        ("resolution=merge", ["/onConflict"]),
        ("onConflict=email&resolution=MERGE", ["/resolution"]),
        ("onConflict=age&resolution=merge", ["/onConflict"]),
        ("onConflict=id&resolution=merge", ["/onConflict"]),
        ("onConflict=&resolution=", ["/onConflict", "/resolution"]),
    ],
)
def test_the_column_is_a_unique_one_and_the_resolution_one_of_two(people: Api, query: str, blamed: list[str]):
    assert pointers(people.post(f"{ROWS}?{query}", {"name": "Ann"})) == blamed


# Rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [MERGE, IGNORE])
def test_rows_of_others_are_neither_told_nor_changed(
    people: Api, ann: dict[str, Any], person: Callable[..., Api], path: str
):
    rules = {"create": "authenticated", "read": "owner", "update": "owner"}
    people.patch("/tables/people", {"access": rules})
    bob = person("bob@example.com")

    answer = bob.post(path, [{"name": "Bob"}, {"name": "Bob", "email": EMAIL}])

    assert pointers(answer, 409) == ["/1/email"]
    assert ("not yours to change" if path == MERGE else "not yours to see") in answer.json()["detail"]
    assert ann["id"] not in answer.content.decode()
    assert _all(people) == [ann]
    assert bob.post(ROWS, {"name": "Bob", "email": EMAIL}).status_code == 409


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        (MERGE, {"create": "authenticated", "read": "authenticated"}),
        (MERGE, {"update": "authenticated", "read": "authenticated"}),
        (IGNORE, {"create": "authenticated", "update": "authenticated"}),
        (IGNORE, {"read": "authenticated", "update": "authenticated"}),
    ],
)
@pytest.mark.parametrize("email", [EMAIL, "new@example.com"])
def test_who_lacks_a_right_learns_nothing_of_the_rows(
    people: Api, ann: dict[str, Any], person: Callable[..., Api], path: str, rules: dict[str, str], email: str
):
    people.patch("/tables/people", {"access": rules})

    assert person("bob@example.com").post(path, {"name": "Bob", "email": email}).status_code == 403
    assert _all(people) == [ann]


def test_a_merge_must_satisfy_the_rule_before_and_after(people: Api, person: Callable[..., Api]):
    rule = {"filter": {"field": "city", "op": "eq", "value": "Rome"}}
    people.patch("/tables/people", {"access": {"create": rule, "update": rule, "read": "everyone"}})
    ann = person()
    given = {"name": "Ann", "email": EMAIL, "city": "Rome"}

    assert ann.post(MERGE, given).status_code == 200
    assert ann.post(MERGE, {**given, "city": "Oslo"}).status_code == 403
    assert ann.post(MERGE, {**given, "age": 1}).status_code == 200
    assert ann.post(MERGE, {**given, "email": "new@example.com", "city": "Oslo"}).status_code == 403


@pytest.mark.parametrize("path", [MERGE, IGNORE])
def test_a_row_that_has_another_value_when_it_is_locked_is_looked_for_again(
    people: Api, ann: dict[str, Any], monkeypatch: pytest.MonkeyPatch, path: str
):
    id = UUID(ann["id"])
    answers = iter([({EMAIL: id}, {id})])
    find: Any = upserts._find
    monkeypatch.setattr(upserts, "_find", lambda *asked: next(answers, None) or find(*asked))
    made(people.patch(f"{ROWS}/{ann['id']}", {"email": "new@example.com"}), 200)

    row = made(people.post(path, {"name": "Bob", "email": EMAIL, "age": 7}), 200)

    assert row["id"] != ann["id"]
    assert [row["age"] for row in _all(people)] == [30, 7]


@pytest.mark.parametrize("path", [MERGE, IGNORE])
def test_a_row_that_is_hidden_when_it_is_locked_is_none_of_the_callers(
    people: Api, ann: dict[str, Any], person: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, path: str
):
    people.patch("/tables/people", {"access": {"create": "authenticated", "read": "owner", "update": "owner"}})
    find: Any = upserts._find
    monkeypatch.setattr(upserts, "_find", lambda *asked: find(*asked[:3], ALWAYS))  # a look before it was taken away

    refusal = made(person("bob@example.com").post(path, {"name": "Bob", "email": EMAIL, "age": 7}), 409)

    assert "try again" in refusal["detail"]
    assert _all(people) == [ann]


def test_the_owner_of_a_merged_row_stays(people: Api, ann: dict[str, Any], person: Callable[..., Api]):
    people.patch("/tables/people", {"access": {"create": "authenticated", "update": "authenticated"}})
    bob = person("bob@example.com")

    assert bob.post(MERGE, {"email": EMAIL, "age": 1}).status_code == 200
    assert pointers(bob.post(MERGE, {"email": EMAIL, "owner": None})) == ["/owner"]
    assert _all(people)[0]["owner"] is None
