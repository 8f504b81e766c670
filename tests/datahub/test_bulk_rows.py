"""Many rows in one call: all of them or none."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datahub.column_types.identities import Identifier
from datahub.dynamic import find_definition
from tests.conftest import Api
from tests.datahub.conftest import made, pointers

ROWS = "/tables/people/rows"
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"


@pytest.fixture
def rows(people: Api) -> list[dict[str, Any]]:
    """Ann is 30, Bob 31, Cid 32."""
    given = [
        {"name": name, "age": age, "email": f"{name}@example.com"}
        for age, name in enumerate(["Ann", "Bob", "Cid"], start=30)
    ]
    items: list[dict[str, Any]] = made(people.post(ROWS, given))["items"]
    return items


def _all(people: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = people.get(ROWS).json()["items"]
    return items


def test_rows_are_answered_in_the_order_they_were_sent_in(people: Api, rows: list[dict[str, Any]]):
    assert [row["name"] for row in rows] == ["Ann", "Bob", "Cid"]
    assert _all(people) == rows


def test_a_thousand_rows_are_created_at_once_and_no_more(people: Api):
    assert len(made(people.post(ROWS, [{"name": "Ann"}] * 1000))["items"]) == 1000

    assert pointers(people.post(ROWS, [{"name": "Ann"}] * 1001)) == [""]
    assert pointers(people.post(ROWS, [])) == [""]
    assert made(people.get(f"{ROWS}?count=exact"), 200)["count"] == 1000


def test_one_bad_row_leaves_all_out_and_is_named(people: Api):
    answer = people.post(ROWS, [{"name": "Ann"}, {"name": "Bob", "age": "x"}, {"agee": 1}, 7])

    assert pointers(answer) == ["/1/age", "/2/agee", "/2/name", "/3"]
    assert _all(people) == []


def test_one_taken_value_leaves_all_out_and_is_named(people: Api, rows: list[dict[str, Any]]):
    given = [{"name": name, "email": f"{name}@example.com"} for name in ["Dan", "Bob", "Dan"]]

    assert pointers(people.post(ROWS, given), 409) == ["/1/email", "/2/email"]
    assert _all(people) == rows


def test_rows_are_changed_each_in_its_own_way(people: Api, rows: list[dict[str, Any]]):
    ann, bob, cid = rows

    answer = people.patch(ROWS, [{"id": cid["id"], "age": 1}, {"id": ann["id"]}, {"id": bob["id"], "city": "Rome"}])

    changed = made(answer, 200)["items"]
    assert [(row["name"], row["age"], row["city"], row["revision"]) for row in changed] == [
        ("Cid", 1, None, 2),
        ("Ann", 30, None, 1),
        ("Bob", 31, "Rome", 2),
    ]
    assert sorted(_all(people), key=lambda row: str(row["id"])) == sorted(changed, key=lambda row: str(row["id"]))


@pytest.mark.parametrize(
    ("second", "status", "blamed"),
    [
        ({"id": 1, "age": -1}, 400, ["/1/age"]),
        ({"id": 1, "agee": 1}, 400, ["/1/agee"]),
        ({"id": 0, "age": 1}, 400, ["/1/id"]),
        ({"id": 1, "email": "Cid@example.com"}, 409, ["/1/email"]),
        ({"id": NOBODY, "age": 1}, 404, ["/1/id"]),
        ({"id": NOBODY.replace("-", ""), "age": 1}, 400, ["/1/id"]),
        ({"id": None}, 400, ["/1/id"]),
        ({"age": 1}, 400, ["/1/id"]),
        ("x", 400, ["/1/id"]),
    ],
)
def test_one_bad_change_changes_nothing_and_is_named(
    people: Api, rows: list[dict[str, Any]], second: Any, status: int, blamed: list[str]
):
    if isinstance(second, dict) and isinstance(second.get("id"), int):
        second = {**second, "id": rows[second["id"]]["id"]}

    answer = people.patch(ROWS, [{"id": rows[0]["id"], "age": 99}, second])

    assert pointers(answer, status) == blamed
    assert _all(people) == rows


def test_rows_may_take_the_unique_values_of_each_other(people: Api, rows: list[dict[str, Any]]):
    emails = ["Bob@example.com", "Cid@example.com", "Ann@example.com"]

    answer = people.patch(ROWS, [{"id": row["id"], "email": email} for row, email in zip(rows, emails, strict=True)])

    assert [row["email"] for row in made(answer, 200)["items"]] == emails
    assert [(row["email"], row["revision"]) for row in _all(people)] == [(email, 2) for email in emails]


def test_two_rows_can_not_take_the_same_unique_value(people: Api, rows: list[dict[str, Any]]):
    answer = people.patch(ROWS, [{"id": row["id"], "email": "Ann@example.com"} for row in rows])

    assert answer.status_code == 409
    assert {"/1/email", "/2/email"} & set(pointers(answer, 409))
    assert _all(people) == rows


@pytest.mark.parametrize("body", [{}, {"id": NOBODY}, [], [{"id": NOBODY}] * 1001, None, 7])
def test_changes_are_an_array_of_a_thousand_at_most(people: Api, body: Any):
    assert people.patch(ROWS, body).status_code == 400


def test_too_many_changes_are_refused_before_each_is_looked_at(people: Api, monkeypatch: pytest.MonkeyPatch):
    looked_at: list[Any] = []
    monkeypatch.setattr(Identifier, "read", lambda _self, value: looked_at.append(value))

    [error] = made(people.patch(ROWS, [{"id": 1}] * 1001), 400)["errors"]

    assert (error["pointer"], looked_at) == ("", [])


def test_rows_are_deleted_by_a_filter(people: Api, rows: list[dict[str, Any]]):
    assert made(people.delete(f"{ROWS}?age__gte=31"), 200) == {"deleted": 2}

    assert _all(people) == rows[:1]


def test_rows_are_deleted_by_a_search(people: Api, rows: list[dict[str, Any]]):
    assert made(people.delete(f"{ROWS}?q=BOB"), 200) == {"deleted": 1}


@pytest.mark.parametrize("path", [f"{ROWS}?age__gte=31", f"{ROWS}/<id>"])
@pytest.mark.parametrize("tells", [True, False])
def test_what_a_row_holds_is_read_to_delete_it_only_where_that_is_told(
    people: Api, rows: list[dict[str, Any]], path: str, tells: bool
):
    made(people.patch("/tables/people", {"rowEvents": tells}), 200)

    with CaptureQueriesContext(connection) as queries:
        answer = people.delete(path.replace("<id>", rows[0]["id"]))

    city = find_definition("people").members["city"].attribute
    assert answer.status_code in (200, 204)
    assert any(f'"{city}"' in query["sql"] for query in queries if query["sql"].startswith("SELECT")) is tells


@pytest.mark.parametrize("query", ["", "?maxAffected=10", "?q=", "?q=&maxAffected=10"])
def test_without_a_filter_nothing_is_deleted(people: Api, rows: list[dict[str, Any]], query: str):
    assert made(people.delete(ROWS + query), 400)["errors"][0]["code"] == "filter-missing"
    assert _all(people) == rows


def test_beyond_max_affected_nothing_is_deleted(people: Api, rows: list[dict[str, Any]]):
    answer = people.delete(f"{ROWS}?age__gte=0&maxAffected=2")

    assert made(answer, 409)["code"] == "too-many-affected"
    assert made(answer, 409)["errors"]
    assert _all(people) == rows
    assert made(people.delete(f"{ROWS}?age__gte=0&maxAffected=3"), 200) == {"deleted": 3}


@pytest.mark.parametrize("most", ["0", "-1", "x", "", "10001", "1.5", "0000001000999", "1e3"])
def test_max_affected_is_a_number(people: Api, rows: list[dict[str, Any]], most: str):
    assert pointers(people.delete(f"{ROWS}?age=30&maxAffected={most}")) == ["/maxAffected"]


def test_more_than_a_thousand_are_deleted_only_where_they_are_expected(people: Api):
    for _time in range(2):
        people.post(ROWS, [{"name": "Ann"}] * 600)

    assert people.delete(f"{ROWS}?name=Ann").status_code == 409
    assert made(people.delete(f"{ROWS}?name=Ann&maxAffected=1200"), 200) == {"deleted": 1200}


@pytest.mark.parametrize("query", ["?agee=1", "?age__is=1", "?age=x", "?order=age&age=1", "?limit=1&age=1"])
def test_a_filter_that_can_not_be_asked_deletes_nothing(people: Api, rows: list[dict[str, Any]], query: str):
    assert people.delete(ROWS + query).status_code == 400
    assert _all(people) == rows


def test_beyond_the_most_there_is_nothing_to_raise(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("datahub.services.rows.AFFECTED_MAX", 2)
    made(people.post(ROWS, [{"name": "Ann"}] * 3))

    refusal = made(people.delete(f"{ROWS}?name=Ann&maxAffected=2"), 409)

    assert "maxAffected" not in refusal["detail"]
    assert "narrow the filter" in refusal["detail"]


def test_of_values_that_rows_of_the_request_let_go_of_none_is_blamed(people: Api):
    emails = ["a@x.org", "b@x.org", "c@x.org", "d@x.org"]
    ids = [row["id"] for row in made(people.post(ROWS, [{"name": "N", "email": each} for each in emails]))["items"]]
    wanted = ["b@x.org", "a@x.org", "d@x.org"]

    answer = people.patch(ROWS, [{"id": id, "email": email} for id, email in zip(ids, wanted, strict=False)])

    assert pointers(answer, 409) == ["/2/email"]
