"""A value that another row has is told only to who may write a row with it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Api
from tests.datahub.conftest import made, pointers

ROWS = "/tables/people/rows"
OURS = {"filter": {"field": "email", "op": "startswith", "value": "our-"}}
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
UPSERT = f"{ROWS}?onConflict=email&resolution=merge"


@pytest.fixture
def ann(people: Api, person: Callable[..., Api]) -> Api:
    """One who may write rows whose address begins with `our-`, and read none."""
    for email in ("secret@example.com", "our-secret@example.com"):
        made(people.post(ROWS, {"name": "Hidden", "email": email}))
    made(people.post("/tables/people/columns", {"name": "Code", "type": "text", "unique": True}))
    access = {"create": OURS, "update": OURS}
    assert people.patch("/tables/people", {"access": access}).status_code == 200
    return person("ann@example.com")


@pytest.mark.parametrize("path", [ROWS, UPSERT])
@pytest.mark.parametrize("email", ["secret@example.com", "free@example.com"])
def test_who_may_create_no_row_with_a_value_does_not_learn_whether_there_is_one(ann: Api, path: str, email: str):
    assert ann.post(path, {"name": "New", "email": email}).status_code == 403
    assert (
        ann.post(path, [{"name": "New", "email": "our-a@example.com"}, {"name": "New", "email": email}]).status_code
        == 403
    )


def test_who_may_create_one_does(people: Api, ann: Api):
    taken = {"name": "New", "email": "our-secret@example.com"}
    answer = ann.post(ROWS, [{"name": "New", "email": "our-a@example.com"}, taken])

    assert pointers(answer, 409) == ["/1/email"]
    assert _emails(people) == ["our-secret@example.com", "secret@example.com"]


OTHERS: list[dict[str, Any]] = [
    {"email": "our-z@example.com"},
    {"name": "Ann", "email": "our-own@example.com", "age": -1},
    {"name": "Ann", "email": "our-own@example.com", "code": "taken"},
    {"name": "New", "email": "our-z@example.com", "code": "taken"},
    {"name": "New", "email": "our-z@example.com", "code": "free"},
]


@pytest.mark.parametrize("other", OTHERS)
def test_nor_by_what_is_wrong_with_another_row_of_an_upsert(people: Api, ann: Api, other: dict[str, Any]):
    made(people.post(ROWS, [{"name": "Coded", "code": "taken"}, {"name": "Ann", "email": "our-own@example.com"}]))

    def told(email: str) -> Any:
        answer = ann.post(UPSERT, [other, {"name": "New", "email": email}])
        return answer.status_code, answer.json().get("errors")

    assert told("secret@example.com") == told("free@example.com")
    assert [(each["name"], each["age"]) for each in people.get(f"{ROWS}?code__isnull=true").json()["items"]][-1] == (
        "Ann",
        None,
    )


def test_nor_by_what_it_would_refer_to(people: Api, ann: Api):
    made(people.post("/tables/people/columns", {"name": "Boss", "type": "relation", "options": {"table": "people"}}))
    answers = [
        ann.post(UPSERT, {"name": "New", "email": f"our-{email}@example.com", "boss": NOBODY})
        for email in ("secret", "free")
    ]

    assert [pointers(answer) for answer in answers] == [["/boss"], ["/boss"]]


def test_values_that_stand_twice_in_the_request_tell_nothing_of_others(people: Api, ann: Api):
    made(people.post(ROWS, {"name": "Coded", "email": "code@example.com", "code": "A1"}))

    for code in ("A1", "B2"):
        twice = [{"name": "New", "email": "our-a@example.com"}] * 2
        other = {"name": "New", "email": "other@example.com", "code": code}
        assert pointers(ann.post(ROWS, [*twice, other]), 409) == ["/1/email"]
        assert pointers(ann.post(ROWS, [{**twice[0], "code": code}, *twice]), 409) == ["/1/email", "/2/email"]
        refusal = ann.post(f"{ROWS}?onConflict=code&resolution=merge", [*twice, other])
        assert pointers(refusal, 409) == ["/1/email"]


def test_however_many_values_there_are_they_are_looked_at(admin: Api, person: Callable[..., Api]):
    """Of 70 columns and 1,000 rows, which are more values than PostgreSQL takes in a statement."""
    keys = [f"u{number}" for number in range(70)]
    columns = [{"name": key, "type": "integer", "unique": True} for key in keys]
    rule = {"filter": {"field": "u0", "op": "gte", "value": 0}}
    made(admin.post("/tables", {"name": "Things", "columns": columns, "access": {"create": rule}}))
    made(admin.post("/tables/things/rows", {"u69": 999}))

    answer = person().post("/tables/things/rows", [dict.fromkeys(keys, number) for number in range(1000)])

    assert pointers(answer, 409) == ["/999/u69"]


@pytest.mark.parametrize("email", ["secret@example.com", "free@example.com"])
def test_a_change_tells_no_more(people: Api, ann: Api, email: str):
    id = made(ann.post(ROWS, {"name": "New", "email": "our-a@example.com"}))["id"]

    assert ann.patch(f"{ROWS}/{id}", {"email": email}).status_code == 403
    assert ann.patch(ROWS, [{"id": id, "email": email}]).status_code == 403
    assert ann.post(f"{ROWS}?onConflict=code&resolution=merge", {"name": "New", "email": email}).status_code == 403
    answer = ann.patch(f"{ROWS}/{id}", {"email": "our-secret@example.com"})
    assert pointers(answer, 409) == ["/email"]
    assert _emails(people) == ["our-a@example.com", "our-secret@example.com", "secret@example.com"]


def test_a_merge_tells_no_more(people: Api, ann: Api):
    made(
        ann.post(
            ROWS,
            [
                {"name": "New", "email": "our-a@example.com", "code": "A1"},
                {"name": "New", "email": "our-b@example.com"},
            ],
        )
    )

    for email in ("secret@example.com", "free@example.com"):
        changes = {"name": "Old", "email": email, "code": "A1"}
        assert ann.post(f"{ROWS}?onConflict=code&resolution=merge", changes).status_code == 403
    assert sorted(_emails(people)) == [
        "our-a@example.com",
        "our-b@example.com",
        "our-secret@example.com",
        "secret@example.com",
    ]


def _emails(api: Api) -> list[Any]:
    return sorted(row["email"] for row in api.get(ROWS).json()["items"])
