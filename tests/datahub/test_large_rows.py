"""Rows that hold much: what one request reads at once is bounded, and nothing is left out for it."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.services.users import delete_user
from datahub import expansion, listing, row_sizes, statements
from datahub.dynamic import find_definition, forget_definitions
from datahub.models import Job
from datahub.services import background_conversion, conversion, row_locks
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api
from tests.datahub.conftest import id_of, made
from tests.datahub.importing import do_jobs, imported

ROWS = "/tables/notes/rows"
SIZES = [0, 400, 900, 3000, 10, 990, 20, 500, 500, 0, 1000, 250]  # characters of each text, of a byte each
ROOM = 3000  # bytes, beside what every row has


@pytest.fixture
def notes(admin: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A table of notes, as long as `SIZES` says, where little is read at once."""
    columns = [
        {"name": "Title", "type": "text"},
        {"name": "Body", "type": "longText"},
        {"name": "Stars", "type": "integer"},
    ]
    made(admin.post("/tables", {"name": "Notes", "columns": columns}))
    rows = [
        {"title": f"{number:02}", "body": "x" * size or None, "stars": number % 3 or None}
        for number, size in enumerate(SIZES)
    ]
    made(admin.post(ROWS, rows))
    _read_at_once(ROOM, monkeypatch)
    return admin


def _read_at_once(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (row_sizes, listing, expansion, row_locks):
        monkeypatch.setattr(module, "BYTES_MAX", size)


def _pages(api: Api, query: str) -> Iterator[list[dict[str, Any]]]:
    cursor = ""
    while cursor is not None:
        page = made(api.get(f"{ROWS}?{query}{cursor and f'&cursor={cursor}'}"), 200)
        yield page["items"]
        cursor = page["nextCursor"]


def _size(items: list[dict[str, Any]]) -> int:
    return sum(len(item["body"] or "") for item in items)


# Pages and exports -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 5, 200])
@pytest.mark.parametrize("order", ["id", "-id", "stars", "-stars", "stars,-title", "-stars,title"])
def test_a_page_ends_where_it_would_be_too_large_and_the_next_goes_on(notes: Api, order: str, limit: int):
    [everything] = list(_pages(notes, f"order={order}&limit=200&fields=title"))

    pages = list(_pages(notes, f"order={order}&limit={limit}"))

    assert [row["title"] for page in pages for row in page] == [row["title"] for row in everything]
    assert all(_size(page) <= ROOM and len(page) <= limit for page in pages if len(page) > 1)
    assert len(pages) > 2


def test_a_row_that_is_larger_than_a_page_is_one(notes: Api, monkeypatch: pytest.MonkeyPatch):
    _read_at_once(100, monkeypatch)

    assert [len(page) for page in _pages(notes, "limit=200")] == [1] * len(SIZES)


def test_a_query_in_json_is_answered_alike(notes: Api):
    page = made(notes.post(f"{ROWS}/query", {"limit": 200}), 200)

    assert 1 <= len(page["items"]) < len(SIZES)
    assert page["nextCursor"]


@pytest.mark.parametrize("format", ["csv", "ndjson"])
def test_an_export_has_every_row_in_pieces_that_are_not_too_large(notes: Api, format: str):
    pieces = list(notes.get(f"{ROWS}.{format}").streaming_content)

    lines = b"".join(pieces).decode().splitlines()
    assert len(lines) == len(SIZES) + (format == "csv")
    assert len(pieces) > 3
    assert all(piece.count(b"x") <= ROOM for piece in pieces)


def test_how_large_rows_are_is_asked_only_where_they_may_be(notes: Api, monkeypatch: pytest.MonkeyPatch):
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as found:
            made(notes.get(f"{ROWS}?{query}"), 200)
        return len(found)

    notes.get(ROWS)
    few, many = queries("fields=id,stars&limit=5"), queries("limit=5")
    _read_at_once(32_000_000, monkeypatch)

    assert many == few + 1
    assert queries("limit=2") == few


@pytest.mark.parametrize(
    ("column", "value", "size"),
    [
        ({"type": "longText"}, "ä€\U0001f600", 9),
        ({"type": "longText"}, None, 0),
        ({"type": "text"}, "abc", 3),
        ({"type": "json"}, {"a": [1, 2]}, None),
        ({"type": "multiChoice", "options": {"choices": ["one", "two" * 10]}}, ["one", "two" * 10], None),
    ],
)
def test_a_row_is_as_large_as_what_it_holds(admin: Api, column: dict[str, Any], value: Any, size: int | None):
    made(admin.post("/tables", {"name": "Notes", "columns": [{"name": "Value", **column}]}))
    made(admin.post(ROWS, {"value": value}))
    notes = find_definition("notes")

    [found] = notes.rows().values_list(row_sizes.size_of([notes.own["value"]]), flat=True)

    expected = len('"value":null,') + (len(json.dumps(value)) if size is None else size)
    assert abs(found - expected) <= (10 if size is None else 0)
    assert found <= row_sizes.bytes_max([notes.own["value"]])


def test_a_row_of_four_hundred_columns_has_a_size(admin: Api):
    columns = [{"name": f"c{number}", "type": "text"} for number in range(400)]
    made(admin.post("/tables", {"name": "Notes", "columns": columns}))
    made(admin.post(ROWS, [{f"c{number}": "abc" for number in range(400)}] * 2))
    notes = find_definition("notes")

    sizes = notes.rows().values_list(row_sizes.size_of(list(notes.own.values())), flat=True)

    assert list(sizes) == [sum(len(f'"c{number}":"abc",') + 2 for number in range(400))] * 2


@pytest.mark.parametrize("query", ["limit=200", "order=stars,title&limit=200", "order=-createdAt&limit=200"])
def test_rows_that_come_while_a_page_is_measured_hide_none(notes: Api, monkeypatch: pytest.MonkeyPatch, query: str):
    before, more = _ids(notes), iter(range(3))

    def measure(definition: Any, *others: Any) -> list[int]:
        found = statements.sizes(definition, *others)
        for _number in islice(more, 1):
            made(notes.post(ROWS, [{"title": "", "stars": 0}, {"title": "00", "stars": 1}]))
        return found

    monkeypatch.setattr(listing, "sizes", measure)
    seen = [row["id"] for page in _pages(notes, query) for row in page]

    assert len(set(seen)) == len(seen)
    assert set(before) <= set(seen)


@pytest.mark.parametrize("query", ["limit=200", "order=stars,title&limit=200"])
def test_rows_that_are_deleted_while_their_page_is_measured_end_it(
    notes: Api, monkeypatch: pytest.MonkeyPatch, query: str
):
    def measure(definition: Any, *others: Any) -> list[int]:
        found = statements.sizes(definition, *others)
        definition.rows().all().delete()
        return found

    monkeypatch.setattr(listing, "sizes", measure)

    assert made(notes.get(f"{ROWS}?{query}"), 200) == {"items": [], "nextCursor": None}


# Beside each other -------------------------------------------------------------------------------------------------


@pytest.fixture
def shelves(notes: Api) -> Api:
    """Two shelves that hold the same two notes, each of 900 and 990 characters."""
    column = {"name": "Notes", "type": "relation", "options": {"table": "notes", "many": True}}
    made(notes.post("/tables", {"name": "Shelves", "columns": [column]}))
    ids = [row["id"] for row in made(notes.get(f"{ROWS}?title__in=02,05&fields=id"), 200)["items"]]
    made(notes.post("/tables/shelves/rows", [{"notes": ids}] * 2))
    return notes


@pytest.mark.parametrize(("room", "limit", "fits"), [(8000, 2, True), (4000, 2, False), (4000, 1, True)])
def test_rows_beside_others_count_as_often_as_they_are_answered(
    shelves: Api, monkeypatch: pytest.MonkeyPatch, room: int, limit: int, fits: bool
):
    _read_at_once(room, monkeypatch)

    answer = shelves.get(f"/tables/shelves/rows?expand=notes&fields=id&limit={limit}")

    if fits:
        assert [len(row["expand"]["notes"]) for row in made(answer, 200)["items"]] == [2] * limit
    else:
        [error] = made(answer, 400)["errors"]
        assert (error["pointer"], error["code"]) == ("/expand", "too-large")


def test_rows_beside_others_count_together_for_a_page_of_several_parts(shelves: Api, monkeypatch: pytest.MonkeyPatch):
    """A cursor goes on with rows that share the place of the last one, then with those after it: two queries."""
    made(shelves.post("/tables/shelves/columns", {"name": "Place", "type": "integer"}))
    ids = [row["id"] for row in made(shelves.get("/tables/shelves/rows"), 200)["items"]]
    first = made(shelves.post("/tables/shelves/rows", {"place": 1}))["id"]
    for id, place in zip(ids, (1, 2), strict=True):
        made(shelves.patch(f"/tables/shelves/rows/{id}", {"place": place}), 200)
    page = "/tables/shelves/rows?order=place,-id&fields=id&expand=notes"
    begun = made(shelves.get(f"{page}&limit=1"), 200)
    assert [row["id"] for row in begun["items"]] == [first]
    _read_at_once(4000, monkeypatch)

    rest = f"{page}&cursor={begun['nextCursor']}"

    assert made(shelves.get(rest), 400)["errors"][0]["code"] == "too-large"
    assert len(made(shelves.get(f"{rest}&limit=1"), 200)["items"]) == 1


def test_figures_of_large_texts_make_a_page_shorter(notes: Api, monkeypatch: pytest.MonkeyPatch):
    path = f"{ROWS}/aggregate?group=title&max=title&limit=200"
    _read_at_once(32_000_000, monkeypatch)
    [whole] = [made(notes.get(path), 200)]
    _read_at_once(5000, monkeypatch)

    page = made(notes.get(path), 200)

    assert page["items"] == whole["items"][:2]
    assert made(notes.get(f"{path}&cursor={page['nextCursor']}"), 200)["items"] == whole["items"][2:4]
    assert made(notes.get(f"{ROWS}/aggregate?max=body"), 400)["errors"][0]["code"] == "unsuitable"


def test_what_was_not_measured_takes_no_room_from_what_was(shelves: Api, monkeypatch: pytest.MonkeyPatch):
    column = {"name": "Label", "type": "text", "options": {"maxLength": 1000}}
    made(shelves.post("/tables", {"name": "Labels", "columns": [column]}))
    label = made(shelves.post("/tables/labels/rows", {"label": "x"}))["id"]
    column = {"name": "Label", "type": "relation", "options": {"table": "labels"}}
    made(shelves.post("/tables/shelves/columns", column))
    [shelf, _other] = made(shelves.get("/tables/shelves/rows"), 200)["items"]
    made(shelves.patch(f"/tables/shelves/rows/{shelf['id']}", {"label": label}), 200)
    _read_at_once(9000, monkeypatch)  # a label may have 4,000 and has 1; the notes have less than 8,000

    [found, _other] = made(shelves.get("/tables/shelves/rows?expand=label,notes"), 200)["items"]

    assert (found["expand"]["label"]["label"], len(found["expand"]["notes"])) == ("x", 2)


# Writes ------------------------------------------------------------------------------------------------------------


def _ids(api: Api) -> list[str]:
    return [row["id"] for row in made(api.get(f"{ROWS}?fields=id&limit=200"), 200)["items"]]


@pytest.mark.parametrize("is_bulk", [True, False])
def test_a_row_may_not_grow_beyond_what_is_answered_at_once(notes: Api, monkeypatch: pytest.MonkeyPatch, is_bulk: bool):
    _let_a_row_have(4000, monkeypatch)
    row, large = {"title": "x"}, {"body": "x" * 4000}
    id = made(notes.post(ROWS, row))["id"]
    refusals = [
        notes.post(ROWS, [large] if is_bulk else large),
        notes.patch(ROWS, [{"id": id, **large}]) if is_bulk else notes.patch(f"{ROWS}/{id}", large),
    ]

    assert [made(answer, 400)["code"] for answer in refusals] == ["row-too-large"] * 2
    assert made(notes.get(f"{ROWS}/{id}"), 200)["body"] is None


def test_a_row_that_is_larger_may_be_changed_as_long_as_it_does_not_grow(notes: Api, monkeypatch: pytest.MonkeyPatch):
    id = made(notes.post(ROWS, {"title": "x", "body": "x" * 4000}))["id"]
    _let_a_row_have(3000, monkeypatch)

    shrinking = [{"stars": 2}, {"body": "x" * 3900, "title": "xy"}, {}, {"body": "ä" * 1900}]
    growing = [{"title": "xyz"}, {"body": "ä" * 1951}]

    assert [notes.patch(f"{ROWS}/{id}", each).status_code for each in shrinking] == [200] * 4
    assert [notes.patch(f"{ROWS}/{id}", each).status_code for each in growing] == [400] * 2


def test_an_imported_row_may_not_be_larger(notes: Api, monkeypatch: pytest.MonkeyPatch):
    _let_a_row_have(3000, monkeypatch)

    result = imported(notes, "table=notes", f"title,body\na,{'x' * 2000}\nb,{'ä' * 2000}\nc,\n")

    assert (result["state"], result["rowsImported"]) == ("done", 2)
    assert result["rejects"] == [{"line": 3, "pointer": "", "detail": "A row may hold 32 MB in all its columns."}]


def _let_a_row_have(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sizes, "ROW_MAX", size)
    forget_definitions()


def test_many_large_rows_are_not_changed_at_once(notes: Api):
    ids = _ids(notes)

    refusal = made(notes.patch(ROWS, [{"id": id, "stars": 5} for id in ids]), 409)

    assert refusal["code"] == "rows-too-large"
    assert made(notes.get(f"{ROWS}?stars=5&fields=id"), 200)["items"] == []
    made(notes.patch(ROWS, [{"id": id, "stars": 5} for id in ids[:2]]), 200)


def test_nor_merged(notes: Api, monkeypatch: pytest.MonkeyPatch):
    made(notes.patch("/tables/notes/columns/title", {"unique": True}), 200)
    path, items = f"{ROWS}?onConflict=title&resolution=", [{"title": f"{number:02}"} for number in range(len(SIZES))]

    for resolution in ("merge", "ignore"):
        assert made(notes.post(path + resolution, items), 409)["code"] == "rows-too-large"
        made(notes.post(path + resolution, items[:2]), 200)


def test_who_may_not_merge_a_row_learns_nothing_of_its_size(notes: Api, person: Callable[..., Api]):
    made(notes.patch("/tables/notes/columns/title", {"unique": True}), 200)
    made(notes.patch("/tables/notes", {"access": {"create": "authenticated", "update": "owner"}}), 200)
    items = [{"title": f"{number:02}"} for number in range(len(SIZES))]

    refusal = made(person().post(f"{ROWS}?onConflict=title&resolution=merge", items), 409)

    assert refusal["code"] == "unique-conflict"


def test_a_single_row_may_be_as_large_as_it_is(notes: Api, monkeypatch: pytest.MonkeyPatch):
    path = f"{ROWS}/{_ids(notes)[3]}"
    _read_at_once(10, monkeypatch)

    assert len(made(notes.get(path), 200)["body"]) == 3000
    made(notes.patch(path, {"stars": 5}), 200)
    made(notes.patch(ROWS, [{"id": path.rpartition("/")[2], "stars": 6}]), 200)
    assert notes.delete(path).status_code == 204


def test_large_rows_are_deleted_at_once_unless_each_is_told(notes: Api):
    made(notes.patch("/tables/notes", {"rowEvents": True}), 200)
    assert made(notes.delete(f"{ROWS}?title__gte=00"), 409)["code"] == "rows-too-large"

    made(notes.patch("/tables/notes", {"rowEvents": False}), 200)
    assert made(notes.delete(f"{ROWS}?title__gte=00"), 200) == {"deleted": len(SIZES)}


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("how", ["delete", "clear"])
def test_the_rows_of_who_is_deleted_are_treated_whatever_they_hold(
    notes: Api, person: Callable[..., Api], told: Callable[[], list[str]], how: str, tells: bool
):
    person()
    owner = id_of("ann@example.com")
    for id in _ids(notes):
        made(notes.patch(f"{ROWS}/{id}", {"owner": owner}), 200)
    made(notes.patch("/tables/notes", {"onOwnerDelete": how, "rowEvents": tells}), 200)
    before = len(told())

    delete_user(user_id=UUID(owner), origin=COMMAND_LINE)

    left = [row for page in _pages(notes, "limit=200") for row in page]
    assert [(row["owner"], len(row["body"] or "")) for row in left] == (
        [] if how == "delete" else [(None, size) for size in SIZES]
    )
    name = "api.dataRow_deleted" if how == "delete" else "api.dataRow_updated"
    assert told()[before:].count(name) == (len(SIZES) if tells else 0)


@pytest.mark.parametrize("at_once", [200_000, 1])
def test_large_values_are_converted_some_at_a_time(notes: Api, monkeypatch: pytest.MonkeyPatch, at_once: int):
    monkeypatch.setattr(conversion, "AT_ONCE_MAX", at_once)
    batches: list[int] = []
    for module in (conversion, background_conversion):
        monkeypatch.setattr(module, "converted", _watched(module.converted, batches))

    answer = notes.patch("/tables/notes/columns/body", {"type": "text", "options": {"maxLength": 5000}})
    do_jobs()

    assert answer.status_code == (200 if at_once > 1 else 202)
    assert not Job.objects.exists()
    assert [column["type"] for column in made(notes.get("/tables/notes"), 200)["columns"]][1] == "text"
    assert [len(row["body"] or "") for page in _pages(notes, "") for row in page] == SIZES
    assert batches
    assert max(batches) <= ROOM


def _watched(convert: Any, batches: list[int]) -> Any:
    def watch(batch: Any, *others: Any) -> Any:
        batches.append(sum(len(value) for _id, value in batch))
        return convert(batch, *others)

    return watch
