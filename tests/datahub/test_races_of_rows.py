"""Many requests at the same moment for the same rows, on both databases."""

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connections, transaction

from datahub.dynamic import definition_of, find_table
from datahub.services import references
from tests.conftest import Api, together
from tests.datahub.conftest import made

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = "/tables/people/rows"
AT_ONCE = 20


@pytest.fixture
def call(people: Api) -> Any:
    """Calls in a thread of its own."""
    people.get(ROWS)
    return lambda *request, **headers: Api(people.token).call(*request, **headers)


def test_one_of_many_gets_a_unique_value(people: Api, call: Any):
    body = {"name": "Ann", "email": "ann@example.com"}

    statuses = together(lambda _: call("POST", ROWS, body).status_code, AT_ONCE)

    assert Counter(statuses) == {201: 1, 409: AT_ONCE - 1}


def test_one_of_many_changes_the_revision_that_all_saw(people: Api, call: Any):
    row = made(people.post(ROWS, {"name": "Ann"}))
    path = f"{ROWS}/{row['id']}"

    statuses = together(lambda n: call("PATCH", path, {"age": n}, **{"if-match": '"1"'}).status_code, AT_ONCE)

    assert Counter(statuses) == {200: 1, 412: AT_ONCE - 1}
    assert people.get(path).json()["revision"] == 2


def test_every_change_without_a_revision_is_counted(people: Api, call: Any):
    row = made(people.post(ROWS, {"name": "Ann"}))
    path = f"{ROWS}/{row['id']}"

    statuses = together(lambda n: call("PATCH", path, {"age": n + 1}).status_code, AT_ONCE)

    assert Counter(statuses) == {200: AT_ONCE}
    assert people.get(path).json()["revision"] == 1 + AT_ONCE


@pytest.mark.parametrize("resolution", ["merge", "ignore"])
def test_many_upserts_of_one_new_value_make_one_row(people: Api, call: Any, resolution: str):
    path = f"{ROWS}?onConflict=email&resolution={resolution}"

    answers = together(lambda n: call("POST", path, {"name": "Ann", "email": "ann@example.com", "age": n}), AT_ONCE)

    assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}
    [row] = people.get(ROWS).json()["items"]
    assert {answer.json()["id"] for answer in answers} == {row["id"]}
    assert row["revision"] == (1 if resolution == "ignore" else AT_ONCE)


@pytest.mark.parametrize("query", ["", "?onConflict=email&resolution=merge"])
def test_bulks_of_the_same_values_in_any_order_make_each_row_once(people: Api, call: Any, query: str):
    rows = [{"name": "Ann", "email": f"ann{number}@example.com"} for number in range(500)]

    answers = together(lambda n: call("POST", ROWS + query, rows if n % 2 else rows[::-1]), 4)

    expected = {200: 4} if query else {201: 1, 409: 3}
    assert Counter(answer.status_code for answer in answers) == expected
    assert people.get(f"{ROWS}?count=exact").json()["count"] == 500


def test_a_row_is_deleted_once(people: Api, call: Any):
    row = made(people.post(ROWS, {"name": "Ann"}))

    statuses = together(lambda _: call("DELETE", f"{ROWS}/{row['id']}").status_code, AT_ONCE)

    assert Counter(statuses) == {204: 1, 404: AT_ONCE - 1}


def _pins(people: Api, on_delete: str, *, many: bool) -> None:
    options = {"table": "people", "onDelete": on_delete, "many": many}
    made(people.post("/tables", {"name": "Pins", "columns": [{"name": "Of", "type": "relation", "options": options}]}))


def _named(people: Api) -> set[str]:
    """The ids that the pins hold."""
    of = [pin["of"] or [] for pin in people.get("/tables/pins/rows?limit=200").json()["items"]]
    return {id for each in of for id in (each if isinstance(each, list) else [each])}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("on_delete", ["restrict", "clear"])
def test_what_is_deleted_while_others_begin_to_refer_to_it_is_never_left_dangling(
    people: Api, call: Any, on_delete: str, many: bool
):
    _pins(people, on_delete, many=many)
    ids = [row["id"] for row in made(people.post(ROWS, [{"name": "Ann"}] * 5))["items"]]

    def run(number: int) -> int:
        id = ids[number // 2 % 5]
        if number % 2:
            return int(call("DELETE", f"{ROWS}/{id}").status_code)
        return int(call("POST", "/tables/pins/rows", {"of": [id] if many else id}).status_code)

    statuses = together(run, AT_ONCE)

    assert set(statuses) <= {201, 204, 400, 404, 409}
    assert _named(people) <= {row["id"] for row in people.get(ROWS).json()["items"]}


@pytest.mark.parametrize("write", ["merge", "patch"])
def test_who_changes_what_rows_refer_to_does_not_block_who_deletes_that(people: Api, call: Any, write: str):
    _pins(people, "clear", many=False)
    made(people.post("/tables/pins/columns", {"name": "Label", "type": "text", "unique": True}))
    ids = [row["id"] for row in made(people.post(ROWS, [{"name": "Ann"}] * 5))["items"]]
    pins = made(people.post("/tables/pins/rows", [{"label": str(number), "of": ids[number]} for number in range(5)]))

    def run(number: int) -> int:
        mine = number // 2 % 5
        if number % 2:
            return int(call("DELETE", f"{ROWS}/{ids[mine]}").status_code)
        if write == "patch":
            path = f"/tables/pins/rows/{pins['items'][mine]['id']}"
            return int(call("PATCH", path, {"of": ids[mine]}).status_code)
        merge = "/tables/pins/rows?onConflict=label&resolution=merge"
        return int(call("POST", merge, {"label": str(mine), "of": ids[mine]}).status_code)

    statuses = together(run, AT_ONCE)

    assert set(statuses) <= {200, 204, 400, 404}
    assert _named(people) <= {row["id"] for row in people.get(ROWS).json()["items"]}


def test_a_deletion_waits_for_who_has_begun_to_refer(people: Api, call: Any):
    _pins(people, "restrict", many=False)
    row = made(people.post(ROWS, {"name": "Ann"}))
    answers: list[Any] = []

    def delete() -> None:
        try:
            answers.append(call("DELETE", f"{ROWS}/{row['id']}"))
        finally:
            connections.close_all()

    thread = threading.Thread(target=delete)
    with transaction.atomic():
        made(people.post("/tables/pins/rows", {"of": row["id"]}))
        thread.start()
        thread.join(0.5)
        assert answers == []
    thread.join()

    assert made(answers[0], 409)["code"] == "row-in-use"


def test_who_begins_to_refer_waits_for_a_deletion(people: Api, call: Any):
    _pins(people, "restrict", many=False)
    row = made(people.post(ROWS, {"name": "Ann"}))
    answers: list[Any] = []

    def refer() -> None:
        try:
            answers.append(call("POST", "/tables/pins/rows", {"of": row["id"]}))
        finally:
            connections.close_all()

    thread = threading.Thread(target=refer)
    with transaction.atomic():
        assert people.delete(f"{ROWS}/{row['id']}").status_code == 204
        thread.start()
        thread.join(0.5)
        assert answers == []
    thread.join()

    assert made(answers[0], 400)["errors"][0]["code"] == "no-such-row"


def test_two_rows_that_begin_to_refer_to_each_other_do_not_block(people: Api, call: Any):
    options = {"table": "people", "onDelete": "clear"}
    made(people.post("/tables/people/columns", {"name": "Friend", "type": "relation", "options": options}))
    ann, bob = (row["id"] for row in made(people.post(ROWS, [{"name": "Ann"}, {"name": "Bob"}]))["items"])
    pairs = [(ann, bob), (bob, ann)]

    def befriend(number: int) -> int:
        mine, other = pairs[number % 2]
        return int(call("PATCH", f"{ROWS}/{mine}", {"friend": other, "age": number + 1}).status_code)

    assert Counter(together(befriend, AT_ONCE)) == {200: AT_ONCE}


def test_what_is_changed_while_it_is_cleared_is_not_lost(people: Api, call: Any):
    _pins(people, "clear", many=True)
    ids = [row["id"] for row in made(people.post(ROWS, [{"name": "Ann"}] * 6))["items"]]
    pin = made(people.post("/tables/pins/rows", {"of": ids}))

    statuses = together(lambda n: call("DELETE", f"{ROWS}/{ids[n]}").status_code, 5)

    assert Counter(statuses) == {204: 5}
    assert people.get(f"/tables/pins/rows/{pin['id']}").json()["of"] == ids[5:]


def test_a_column_that_begins_to_refer_holds_a_deletion_that_has_begun(people: Api, monkeypatch: pytest.MonkeyPatch):
    made(people.post("/tables", {"name": "Pins"}))
    row = made(people.post(ROWS, {"name": "Ann"}))
    options = {"table": "people", "onDelete": "restrict"}
    asked, find = [0], references.referring_to

    def referring_to(table: Any) -> Any:
        found = find(table)
        asked[0] += 1
        if asked[0] == 1:
            made(people.post("/tables/pins/columns", {"name": "Of", "type": "relation", "options": options}))
            made(people.post("/tables/pins/rows", {"of": row["id"]}))
        return found

    monkeypatch.setattr(references, "referring_to", referring_to)

    assert people.delete(f"{ROWS}/{row['id']}").status_code == 409
    assert definition_of(find_table("people")).rows().count() == 1
