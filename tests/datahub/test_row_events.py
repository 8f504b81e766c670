"""Events of rows: off by default, one for each row that changed, with what changed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from datahub import signals
from events.models import Event
from tests.conftest import Api

ROWS = "/tables/notes/rows"
COLUMNS = [
    {"name": "Text", "type": "text", "unique": True},
    {"name": "Price", "type": "decimal"},
    {"name": "Day", "type": "date"},
]


@pytest.fixture
def telling(admin: Api) -> Api:
    """An admin of a table that tells of its rows."""
    admin.post("/tables", {"name": "Notes", "columns": COLUMNS, "rowEvents": True})
    return admin


def _of_rows() -> list[tuple[str, dict[str, Any]]]:
    events = Event.objects.filter(type__startswith="api.dataRow").order_by("id")
    return [(event.type.removeprefix("api.dataRow_"), event.data) for event in events]


def test_a_table_tells_nothing_of_its_rows_unless_it_is_asked_to(admin: Api):
    admin.post("/tables", {"name": "Notes", "columns": COLUMNS})

    row = admin.post(ROWS, {"text": "a"}).json()
    admin.patch(f"{ROWS}/{row['id']}", {"text": "b"})
    admin.delete(f"{ROWS}/{row['id']}")

    assert _of_rows() == []


def test_a_new_row_is_told_with_all_its_values_as_json_shows_them(telling: Api):
    row = telling.post(ROWS, {"text": "a", "price": "1.5", "day": "2026-11-24"}).json()

    table = telling.get("/tables/notes").json()["id"]
    values = {"text": "a", "price": "1.50", "day": "2026-11-24"}
    assert _of_rows() == [("created", {"id": row["id"], "tableId": table, "values": values})]


def test_a_changed_row_is_told_with_what_changed(telling: Api):
    row = telling.post(ROWS, {"text": "a", "price": 1}).json()

    telling.patch(f"{ROWS}/{row['id']}", {"text": "a", "price": 2})

    kind, data = _of_rows()[-1]
    assert (kind, data["id"], data["values"]) == ("updated", row["id"], {"price": "2.00"})


def test_what_would_make_an_event_too_large_is_named_instead(telling: Api):
    telling.post("/tables/notes/columns", {"name": "Body", "type": "longText"})
    telling.post("/tables/notes/columns", {"name": "Note", "type": "longText"})

    row = telling.post(ROWS, {"text": "a", "body": "é" * 20_000, "note": "x" * 40_000}).json()
    telling.patch(f"{ROWS}/{row['id']}", {"note": "x" * 60_000})

    created, updated = [data for _kind, data in _of_rows()]
    assert (created["omitted"], set(created["values"])) == (["body"], {"text", "price", "day", "note"})
    assert ("omitted" not in updated, updated["values"]) == (True, {"note": "x" * 60_000})


@pytest.mark.parametrize(("excess", "is_told"), [(0, True), (1, False)])
def test_values_of_64_kib_are_told_and_no_more(telling: Api, excess: int, is_told: bool):
    telling.post("/tables/notes/columns", {"name": "Body", "type": "longText"})
    rest = len(json.dumps({"text": "a", "price": None, "day": None, "body": ""}))

    telling.post(ROWS, {"text": "a", "body": "x" * (65_536 - rest + excess)})

    [(_kind, data)] = _of_rows()
    assert ("body" in data["values"], "omitted" in data) == (is_told, not is_told)


def test_a_change_that_changes_nothing_is_not_told(telling: Api):
    row = telling.post(ROWS, {"text": "a"}).json()

    telling.patch(f"{ROWS}/{row['id']}", {"text": "a"})

    assert [kind for kind, _data in _of_rows()] == ["created"]


def test_a_deleted_row_is_told_with_its_last_values(telling: Api):
    row = telling.post(ROWS, {"text": "a"}).json()

    telling.delete(f"{ROWS}/{row['id']}")

    kind, data = _of_rows()[-1]
    assert (kind, data["values"]) == ("deleted", {"text": "a", "price": None, "day": None})


def test_many_rows_at_once_are_told_one_by_one_in_order(telling: Api):
    rows = telling.post(ROWS, [{"text": "a"}, {"text": "b"}, {"text": "c"}]).json()["items"]

    telling.patch(ROWS, [{"id": row["id"], "price": 1} for row in rows])
    telling.delete(f"{ROWS}?price=1")

    told = [(kind, data["id"]) for kind, data in _of_rows()]
    assert told == [(kind, row["id"]) for kind in ("created", "updated", "deleted") for row in rows]


def test_an_upsert_tells_what_it_did(telling: Api):
    telling.post(ROWS, {"text": "a"})

    telling.post(f"{ROWS}?onConflict=text&resolution=merge", [{"text": "a", "price": 1}, {"text": "b"}])

    assert sorted(kind for kind, _data in _of_rows()) == ["created", "created", "updated"]


def test_a_clear_tells_of_the_table_alone(telling: Api, told: Callable[[], list[str]]):
    telling.post(ROWS, {"text": "a"})

    telling.post("/tables/notes/clear")

    assert told()[-1] == "api.dataTable_emptied"
    assert [kind for kind, _data in _of_rows()] == ["created"]


def test_a_refused_bulk_tells_nothing(telling: Api):
    telling.post(ROWS, [{"text": "a"}, {"text": "a"}])

    assert _of_rows() == []


def test_a_row_is_not_written_where_its_event_cannot_be(telling: Api):
    def fail(**_: Any) -> None:
        raise RuntimeError("no event")

    signals.row_created.connect(fail)
    try:
        answer = telling.post(ROWS, {"text": "a"})
    finally:
        signals.row_created.disconnect(fail)

    assert answer.status_code == 500
    assert telling.get(ROWS).json()["items"] == []
