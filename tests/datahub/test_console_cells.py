"""What the grid sends: cells that were typed or pasted, saved as far as they can be."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from datahub.console.cells import sealed
from datahub.errors import TableBusy
from events.models import Event
from tests.conftest import Api
from tests.datahub.conftest import made

CELLS = "/console/datahub/tables/people/cells"


class Grid:
    """Sends what the grid's script sends."""

    def __init__(self, console: Any, people: Api) -> None:
        self.console, self.people = console, people

    def send(self, path: str, body: Any, token: str | None = None) -> Any:
        headers = {"x-csrftoken": self.console.csrf_token if token is None else token}
        return self.console.client.post(path, body, content_type="application/json", headers=headers)

    def save(self, changes: Any = (), new: Any = ()) -> Any:
        """With columns by their keys, which become ids; the answer with keys again."""
        ids = self.ids()
        body = {
            "changes": [{**each, "cells": {ids[key]: pair for key, pair in each["cells"].items()}} for each in changes],
            "new": [{ids[key]: text for key, text in each.items()} for each in new],
        }
        answer = self.send(f"{CELLS}?columns={','.join(ids.values())}", body)
        assert answer.status_code == 200, answer.content
        keys = {id: key for key, id in ids.items()} | {"": ""}
        told = answer.json()
        return {**told, "refused": [{**each, "key": keys[each["column"]]} for each in told["refused"]]}

    def ids(self) -> dict[str, str]:
        return {column["key"]: column["id"] for column in self.people.get("/tables/people/columns").json()["items"]}

    def row(self, id: str) -> Any:
        return self.people.get(f"/tables/people/rows/{id}").json()


@pytest.fixture
def grid(console: Any, people: Api) -> Grid:
    return Grid(console, people)


@pytest.fixture
def ann(people: Api) -> Any:
    return made(
        people.post("/tables/people/rows", {"name": "Ann", "email": "ann@example.com", "age": 31, "city": "Rome"})
    )


def change(row: Any, **cells: tuple[str, str]) -> dict[str, Any]:
    return {"id": row["id"], "cells": {key: list(pair) for key, pair in cells.items()}}


def test_a_typed_cell_is_saved_and_comes_back_as_html(grid: Grid, ann: Any) -> None:
    answer = grid.save([change(ann, age=("31", "32"))])

    assert grid.row(ann["id"])["age"] == 32
    assert answer["refused"] == []
    assert f'<tr id="row-{ann["id"]}" data-revision="2">' in answer["saved"][ann["id"]]
    assert '<td class="number">32</td>' in answer["saved"][ann["id"]]


def test_an_emptied_cell_has_no_value(grid: Grid, ann: Any) -> None:
    grid.save([change(ann, city=("Rome", ""))])

    assert grid.row(ann["id"])["city"] is None


def test_a_bad_cell_is_refused_with_its_reason_and_the_others_are_saved(grid: Grid, ann: Any) -> None:
    answer = grid.save([change(ann, age=("31", "old"), city=("Rome", "Oslo"))])

    assert (grid.row(ann["id"])["age"], grid.row(ann["id"])["city"]) == (31, "Oslo")
    [refused] = answer["refused"]
    assert (refused["row"], refused["key"]) == (ann["id"], "age")
    assert "now" not in refused


def test_what_a_service_refuses_is_told_at_its_cell(grid: Grid, ann: Any, people: Api) -> None:
    bob = made(people.post("/tables/people/rows", {"name": "Bob"}))

    answer = grid.save([change(bob, email=("", "ann@example.com"), city=("", "Oslo")), change(ann, age=("31", "-1"))])

    assert {(each["row"], each["key"]) for each in answer["refused"]} == {(bob["id"], "email"), (ann["id"], "age")}
    assert grid.row(bob["id"])["city"] == "Oslo"


def test_a_required_cell_is_not_emptied(grid: Grid, ann: Any) -> None:
    [refused] = grid.save([change(ann, name=("Ann", ""))])["refused"]

    assert (refused["key"], refused["reason"]) == ("name", "This column needs a value.")
    assert grid.row(ann["id"])["name"] == "Ann"


def test_a_cell_that_another_changed_is_refused_with_what_is_there(grid: Grid, ann: Any, people: Api) -> None:
    people.patch(f"/tables/people/rows/{ann['id']}", {"city": "Paris"})

    answer = grid.save([change(ann, city=("Rome", "Graz"), age=("31", "32"))])

    [refused] = answer["refused"]
    assert (refused["key"], refused["now"]) == ("city", "Paris")
    assert (grid.row(ann["id"])["city"], grid.row(ann["id"])["age"]) == ("Paris", 32)


def test_another_cell_of_a_row_that_another_changed_is_saved(grid: Grid, ann: Any, people: Api) -> None:
    people.patch(f"/tables/people/rows/{ann['id']}", {"city": "Paris"})

    answer = grid.save([change(ann, age=("31", "32"))])

    assert answer["refused"] == []
    assert "Paris" in answer["saved"][ann["id"]]


def test_who_wanted_the_same_as_another_is_not_in_conflict(grid: Grid, ann: Any, people: Api) -> None:
    people.patch(f"/tables/people/rows/{ann['id']}", {"city": "Paris"})

    assert grid.save([change(ann, city=("Rome", "Paris"))])["refused"] == []


def test_a_row_that_is_gone_is_told(grid: Grid, ann: Any, people: Api) -> None:
    people.delete(f"/tables/people/rows/{ann['id']}")

    [refused] = grid.save([change(ann, age=("31", "32"))])["refused"]

    assert (refused["row"], refused["key"]) == (ann["id"], "")


def test_new_rows_are_made_and_told_by_their_number(grid: Grid, people: Api, told: Callable[[], list[str]]) -> None:
    answer = grid.save(new=[{"name": "Cid"}, {"name": "Dora", "age": "44"}])

    assert set(answer["created"]) == {"0", "1"}
    assert [row["name"] for row in people.get("/tables/people/rows").json()["items"]] == ["Cid", "Dora"]


def test_a_new_row_that_can_not_be_is_refused_and_the_others_are_made(grid: Grid, people: Api) -> None:
    answer = grid.save(new=[{"age": "1"}, {"name": "Dora"}])

    assert set(answer["created"]) == {"1"}
    assert [(each["row"], each["key"]) for each in answer["refused"]] == [(0, "name")]


def test_of_two_pasted_rows_with_one_unique_value_the_first_is_made(grid: Grid, people: Api) -> None:
    new = [{"name": "A", "email": "x@example.com"}, {"name": "B", "email": "x@example.com"}]

    answer = grid.save(new=new)

    assert [(each["row"], each["key"]) for each in answer["refused"]] == [(1, "email")]
    assert set(answer["created"]) == {"0"}


def test_a_thousand_bad_cells_do_not_keep_out_the_good_ones(grid: Grid, people: Api) -> None:
    new = [{"name": f"N{n}", "age": "x" if n % 2 else "1"} for n in range(1000)]

    answer = grid.save(new=new)

    assert len(answer["created"]) == len(answer["refused"]) == 500
    assert len(people.get("/tables/people/rows?limit=200&age=1&count=exact").json()["items"]) == 200


def test_row_events_tell_each_change_once_from_the_console(grid: Grid, ann: Any, people: Api) -> None:
    people.patch("/tables/people", {"rowEvents": True})
    before = Event.objects.count()

    grid.save([change(ann, age=("31", "32"), city=("Rome", "x" * 300))], [{"name": "Cid"}])

    events = Event.objects.order_by("id")[before:]
    assert [(event.type, event.source) for event in events] == [
        ("api.dataRow_updated", "console"),
        ("api.dataRow_created", "console"),
    ]


def test_a_row_that_is_added_here_belongs_to_the_admin(grid: Grid, people: Api) -> None:
    grid.save(new=[{"name": "Cid"}])

    [row] = people.get("/tables/people/rows").json()["items"]
    assert row["owner"] is not None


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        [],
        {"changes": []},
        {"changes": [{"id": "x", "cells": {}}], "new": []},
        {"changes": [], "new": [{"name": "x"}] * 1001},
        {"changes": [], "new": ["x"]},
    ],
)
def test_what_no_grid_sends_is_refused(grid: Grid, body: Any) -> None:
    answer = grid.send(CELLS, body)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_foreign_page_can_not_write(grid: Grid) -> None:
    assert grid.send(CELLS, {"changes": [], "new": [{"name": "x"}]}, token="").status_code == 403


def test_a_visitor_can_not_write(people: Api) -> None:
    browser = Client(headers={"host": "127.0.0.1:8000"})

    answer = browser.post(CELLS, {"changes": [], "new": [{"name": "x"}]}, content_type="application/json")

    assert answer.status_code == 303
    assert people.get("/tables/people/rows").json()["items"] == []


def test_rows_are_deleted_together(grid: Grid, ann: Any, people: Api) -> None:
    bob = made(people.post("/tables/people/rows", {"name": "Bob"}))

    answer = grid.send("/console/datahub/tables/people/rows/delete", {"ids": [ann["id"], bob["id"]]})

    assert (answer.status_code, answer.json()) == (200, {"deleted": 2})
    assert people.get("/tables/people/rows").json()["items"] == []


@pytest.mark.parametrize("ids", [None, [], ["x"], [1]])
def test_what_names_no_rows_deletes_none(grid: Grid, ann: Any, ids: Any) -> None:
    answer = grid.send("/console/datahub/tables/people/rows/delete", {"ids": ids})

    assert answer.status_code == 400
    assert grid.row(ann["id"])["name"] == "Ann"


def test_a_moment_may_be_typed_as_it_is_shown(grid: Grid, ann: Any, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Seen", "type": "dateTime"}))

    grid.save([change(ann, seen=("", "2026-11-24 09:30"))])

    assert grid.row(ann["id"])["seen"] == "2026-11-24T09:30:00Z"


def test_a_column_that_was_renamed_meanwhile_is_still_the_same(grid: Grid, ann: Any, people: Api) -> None:
    ids = grid.ids()
    people.patch("/tables/people/columns/city", {"key": "town"})

    body = {"changes": [{"id": ann["id"], "cells": {ids["city"]: ["Rome", "Oslo"]}}], "new": []}
    answer = grid.send(f"{CELLS}?columns={','.join(ids.values())}", body).json()

    assert answer["refused"] == []
    assert grid.row(ann["id"])["town"] == "Oslo"


def test_a_column_that_is_gone_leaves_its_place_and_takes_nothing(grid: Grid, ann: Any, people: Api) -> None:
    ids = grid.ids()
    people.delete("/tables/people/columns/email")

    cells = {ids["email"]: ["ann@example.com", "x@example.com"], ids["city"]: ["Rome", "Oslo"]}
    body = {"changes": [{"id": ann["id"], "cells": cells}], "new": []}
    answer = grid.send(f"{CELLS}?columns={','.join(ids.values())}", body).json()

    assert [each["column"] for each in answer["refused"]] == [ids["email"]]
    assert '<td></td><td class="number">31</td><td>Oslo</td>' in answer["saved"][ann["id"]]


def test_two_flaws_of_one_cell_keep_no_other_back(grid: Grid, ann: Any, people: Api) -> None:
    friends = {"name": "Friends", "type": "relation", "options": {"table": "people", "many": True}}
    made(people.post("/tables/people/columns", friends))
    gone = f"{uuid4()}, {uuid4()}"

    answer = grid.save([change(ann, friends=("", gone), city=("Rome", "Oslo"))])

    assert {each["key"] for each in answer["refused"]} == {"friends"}
    assert grid.row(ann["id"])["city"] == "Oslo"


def test_any_number_of_deleted_rows_keep_no_other_back(grid: Grid, ann: Any, people: Api) -> None:
    rows = made(people.post("/tables/people/rows", [{"name": f"N{number}"} for number in range(50)]))["items"]
    for row in rows[:49]:
        people.delete(f"/tables/people/rows/{row['id']}")

    answer = grid.save([change(row, city=("", "Oslo")) for row in rows])

    assert len(answer["refused"]) == 49
    assert grid.row(rows[49]["id"])["city"] == "Oslo"


def test_a_new_row_with_a_bad_cell_is_not_made_in_part(grid: Grid, people: Api) -> None:
    answer = grid.save(new=[{"name": "Cid", "age": "x"}, {"name": "Dora"}])

    assert [row["name"] for row in people.get("/tables/people/rows").json()["items"]] == ["Dora"]
    assert [(each["row"], each["key"]) for each in answer["refused"]] == [(0, "age")]


def test_rows_too_large_for_one_transaction_are_saved_in_several(grid: Grid, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Note", "type": "longText"}))
    note = "x" * 1_900_000
    rows = [made(people.post("/tables/people/rows", {"name": f"N{number}", "note": note})) for number in range(20)]

    answer = grid.save([change(row, city=("", "Oslo")) for row in rows])

    assert answer["refused"] == []
    assert len(people.get("/tables/people/rows?city=Oslo&fields=id").json()["items"]) == 20


def test_changes_are_told_though_new_rows_can_not_be_made(
    grid: Grid, ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_options: Any) -> Any:
        raise TableBusy

    monkeypatch.setattr("datahub.services.rows.create_rows", busy)

    answer = grid.save([change(ann, age=("31", "32"))], [{"name": "Cid"}])

    assert list(answer["saved"]) == [ann["id"]]
    assert [each["row"] for each in answer["refused"]] == [0]


def test_a_row_is_not_to_blame_for_what_another_wants_of_it(grid: Grid, ann: Any, people: Api) -> None:
    bob = made(people.post("/tables/people/rows", {"name": "Bob", "email": "bob@example.com"}))

    answer = grid.save(
        [change(ann, email=("ann@example.com", "bob@example.com")), change(bob, name=("Bob", "Bobby"))],
    )

    assert [(each["row"], each["key"]) for each in answer["refused"]] == [(ann["id"], "email")]
    assert grid.row(bob["id"])["name"] == "Bobby"


def test_a_value_is_the_same_however_it_was_written(grid: Grid, ann: Any) -> None:
    first = grid.save([change(ann, amount=("", "5"))])
    again = grid.save([change(ann, amount=("", "5"))])
    after = grid.save([change(ann, amount=("5", "6"))])

    assert first["refused"] == again["refused"] == after["refused"] == []
    assert grid.row(ann["id"])["amount"] == "6.00"


def test_json_that_only_looks_the_same_is_another_value(grid: Grid, ann: Any, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Doc", "type": "json"}))
    people.patch(f"/tables/people/rows/{ann['id']}", {"doc": [True]})

    [refused] = grid.save([change(ann, doc=("[1]", "[2]"))])["refused"]

    assert (refused["key"], refused["now"]) == ("doc", "[true]")


def test_a_long_text_is_compared_by_its_seal(grid: Grid, ann: Any, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Note", "type": "longText"}))
    row = made(people.patch(f"/tables/people/rows/{ann['id']}", {"note": "x" * 20_000}), 200)
    people.patch(f"/tables/people/rows/{ann['id']}", {"city": "Paris"})

    answer = grid.save([change(row, note=(sealed("x" * 20_000), "y"))])

    assert answer["refused"] == []
    assert grid.row(ann["id"])["note"] == "y"


def test_what_is_sent_again_because_its_answer_was_lost_makes_no_row_twice(grid: Grid, people: Api) -> None:
    body = {"changes": [], "new": [{grid.ids()["name"]: "Cid"}]}
    headers = {"x-csrftoken": grid.console.csrf_token, "idempotency-key": "one"}

    first, second = (
        grid.console.client.post(CELLS, body, content_type="application/json", headers=headers) for _time in range(2)
    )

    assert first.json() == second.json()
    assert len(people.get("/tables/people/rows").json()["items"]) == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_type_into_one_cell_at_once_never_overwrite_each_other_unseen(grid: Grid, ann: Any) -> None:
    answers: list[Any] = []

    def type_in(text: str) -> None:
        answers.append(grid.save([change(ann, city=("Rome", text))]))
        connections.close_all()

    threads = [threading.Thread(target=type_in, args=[f"C{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(not answer["refused"] for answer in answers) == 1
    assert all(each["now"] == grid.row(ann["id"])["city"] for answer in answers for each in answer["refused"])
