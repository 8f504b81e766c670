"""Random rows in random orders, page by page: as Python sorts them, each once, none left out."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Api

Key = Callable[..., Api]
Json = dict[str, Any]
CHOICES = ["b", "a", "B", "é"]

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(
        ["", "a", "A", "B", "b", "ab", "ß", "é", "e\u0301", "\ud7ff", "\uffff", "\U0001f600", "\n"]
    ),
    "integer": st.sampled_from([-1, 0, 1, 10, 2, 2**63 - 1, -(2**63)]),
    "float": st.sampled_from([0.0, -0.0, 0.1, 0.30000000000000004, 0.3, 1e308, 5e-324, -1.5]),
    "decimal": st.sampled_from(["0", "-0.01", "0.10", "10", "9.99", "9999999999999.99"]),
    "boolean": st.booleans(),
    "date": st.sampled_from(["0001-01-01", "2026-02-28", "2026-03-01", "9999-12-31"]),
    "dateTime": st.sampled_from(
        [
            "0001-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.100000Z",
            "2026-01-01T00:00:00.000001Z",
            "2026-01-01T01:00:00+01:00",
            "9999-12-31T23:59:59.999999Z",
        ]
    ),
    "choice": st.sampled_from(CHOICES),
    "uuid": st.sampled_from([f"{digit * 8}-0000-7000-8000-000000000000" for digit in "019af"]),
}
COLUMNS = [
    {"name": type, "key": type, "type": type, "options": {"choices": CHOICES} if type == "choice" else {}}
    for type in VALUES
]
ROWS = st.lists(
    st.fixed_dictionaries({key: st.none() | st.none() | values for key, values in VALUES.items()}), max_size=14
)
ORDERS = st.lists(st.tuples(st.sampled_from([*VALUES, "createdAt"]), st.booleans()), min_size=1, max_size=3).filter(
    lambda order: len({key for key, _descending in order}) == len(order)
)


def _comparable(key: str, value: Any) -> Any:
    match key:
        case "decimal":
            return Decimal(value)
        case "dateTime" | "createdAt":
            return datetime.fromisoformat(value)
    return value


def _sorted(rows: list[Json], order: list[tuple[str, bool]]) -> list[str]:
    """The ids in the order: absent values are smaller than all others, and the id decides last."""
    rows = sorted(rows, key=lambda row: row["id"], reverse=order[-1][1])
    for key, descending in reversed(order):
        rows.sort(
            key=lambda row, key=key: () if row[key] is None else (_comparable(key, row[key]),),  # type: ignore[misc]
            reverse=descending,
        )
    return [row["id"] for row in rows]


def _walk(admin: Api, query: Json) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    page = admin.post("/tables/all/rows/query", query).json()
    while True:
        ids += [row["id"] for row in page["items"]]
        assert len(page["items"]) <= query["limit"]
        if not page["nextCursor"]:
            return ids
        page = admin.post("/tables/all/rows/query", {**query, "cursor": page["nextCursor"]}).json()


@pytest.fixture
def admin(key: Key) -> Api:
    admin = key("*")
    assert admin.post("/tables", {"name": "All", "columns": COLUMNS}).status_code == 201
    return admin


bounded = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@bounded
@given(rows=ROWS, order=ORDERS, limit=st.integers(1, 7))
def test_all_pages_together_are_all_rows_in_order(
    admin: Api, rows: list[Json], order: list[tuple[str, bool]], limit: int
):
    names = [f"{'-' if descending else ''}{key}" for key, descending in order]

    with transaction.atomic():
        written = admin.post("/tables/all/rows", rows).json()["items"] if rows else []
        walked = _walk(admin, {"order": names, "limit": limit, "fields": ["id"]})
        transaction.set_rollback(True)

    assert walked == _sorted(written, order)


@bounded
@given(rows=ROWS, order=ORDERS, limit=st.integers(1, 4), value=VALUES["integer"])
def test_pages_of_a_filter_are_its_rows_in_order(
    admin: Api, rows: list[Json], order: list[tuple[str, bool]], limit: int, value: int
):
    names = [f"{'-' if descending else ''}{key}" for key, descending in order]
    filter = {"or": [{"not": {"field": "integer", "op": "eq", "value": value}}, {"field": "boolean", "value": True}]}

    with transaction.atomic():
        written = admin.post("/tables/all/rows", rows).json()["items"] if rows else []
        walked = _walk(admin, {"order": names, "limit": limit, "filter": filter})
        transaction.set_rollback(True)

    assert walked == _sorted([row for row in written if row["integer"] != value or row["boolean"]], order)


def test_a_file_is_in_the_order_of_the_pages(admin: Api):
    values = [{"integer": number % 3 or None, "text": str(number % 2)} for number in range(30)]
    written = admin.post("/tables/all/rows", values).json()["items"]

    lines = admin.get("/tables/all/rows.ndjson?order=-integer,text").getvalue().splitlines()

    assert [json.loads(line)["id"] for line in lines] == _sorted(written, [("integer", True), ("text", False)])


def test_the_last_page_says_so_however_full_it_is(admin: Api):
    admin.post("/tables/all/rows", [{}, {}, {}, {}])

    first = admin.get("/tables/all/rows?limit=2").json()
    last = admin.get(f"/tables/all/rows?limit=2&cursor={first['nextCursor']}").json()

    assert (len(last["items"]), last["nextCursor"]) == (2, None)


def test_a_page_goes_on_where_the_last_row_was_though_it_is_gone(admin: Api):
    rows = admin.post("/tables/all/rows", [{"integer": number} for number in range(6)]).json()["items"]
    page = admin.get("/tables/all/rows?order=integer&limit=3").json()

    admin.delete(f"/tables/all/rows/{rows[2]['id']}")

    rest = admin.get(f"/tables/all/rows?order=integer&cursor={page['nextCursor']}").json()["items"]
    assert [row["integer"] for row in rest] == [3, 4, 5]


# Cursors ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cursor(admin: Api) -> str:
    """Of the table's rows in the order of `integer`."""
    admin.post("/tables/all/rows", [{"integer": number} for number in range(4)])
    return str(admin.get("/tables/all/rows?order=integer&limit=2").json()["nextCursor"])


def _is_refused(answer: Any) -> bool:
    return bool(answer.status_code == 400 and answer.json()["errors"][0]["pointer"] == "/cursor")


@pytest.mark.parametrize("order", ["", "order=-integer&", "order=integer,text&", "order=text&", "order=-id&"])
def test_a_cursor_of_another_order_is_refused(admin: Api, cursor: str, order: str):
    assert _is_refused(admin.get(f"/tables/all/rows?{order}cursor={cursor}"))


def test_a_cursor_of_another_table_is_refused(admin: Api, cursor: str):
    admin.post("/tables", {"name": "Other", "columns": COLUMNS})

    assert _is_refused(admin.get(f"/tables/other/rows?order=integer&cursor={cursor}"))


def test_a_cursor_whose_column_changed_its_type_is_refused(admin: Api, cursor: str):
    admin.patch("/tables/all/columns/integer", {"type": "text"})

    assert _is_refused(admin.get(f"/tables/all/rows?order=integer&cursor={cursor}"))


def test_a_cursor_is_of_letters_that_need_no_escape(cursor: str):
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert cursor.isascii()


@bounded
@given(data=st.data())
def test_a_changed_cursor_is_refused(admin: Api, cursor: str, data: st.DataObject):
    place = data.draw(st.integers(0, len(cursor) - 2))  # the last letter has bits that stand for nothing
    letter = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda letter: letter != cursor[place]))
    changed = cursor[:place] + letter + cursor[place + 1 :]

    answer = admin.post("/tables/all/rows/query", {"order": ["integer"], "cursor": changed})

    assert _is_refused(answer)


@bounded
@given(text=st.text(min_size=1, max_size=80) | st.binary(min_size=1, max_size=40).map(lambda data: data.hex()))
def test_a_made_up_cursor_is_refused(admin: Api, text: str):
    assert _is_refused(admin.post("/tables/all/rows/query", {"cursor": text}))


@pytest.mark.parametrize("value", [None, 1, ["a"], {}, True])
def test_a_cursor_that_is_no_text_is_refused(admin: Api, value: Any):
    assert _is_refused(admin.post("/tables/all/rows/query", {"cursor": value}))
