"""Figures over rows: counts, sums, averages and extremes, of all or in groups."""

from typing import Any

import pytest

from tests.conftest import Api
from tests.datahub.conftest import made, pointers

ROWS = "/tables/people/rows"
FIGURES = f"{ROWS}/aggregate"


@pytest.fixture
def five(people: Api) -> Api:
    rows = [
        {"name": "Ann", "age": 30, "city": "Rome", "amount": "0.10"},
        {"name": "Bob", "age": 10, "city": "Rome", "amount": "0.20"},
        {"name": "Cid", "age": 20, "city": "Oslo"},
        {"name": "Dan", "amount": "9999999999999.99"},
        {"name": "Eve", "city": ""},
    ]
    made(people.post(ROWS, rows))
    return people


def _items(caller: Api, query: str) -> Any:
    return made(caller.get(f"{FIGURES}?{query}"), 200)["items"]


def test_without_groups_there_is_one_item_of_all_rows(five: Api):
    answer = made(five.get(f"{FIGURES}?sum=age,amount&avg=age&min=age,name&max=amount"), 200)

    assert answer == {
        "items": [
            {
                "count": 5,
                "sum": {"age": 60, "amount": "10000000000000.29"},
                "avg": {"age": 20.0},
                "min": {"age": 10, "name": "Ann"},
                "max": {"amount": "9999999999999.99"},
            }
        ],
        "nextCursor": None,
    }


def test_groups_come_in_the_order_of_their_values(five: Api):
    assert _items(five, "group=city&sum=age") == [
        {"group": {"city": None}, "count": 1, "sum": {"age": None}},
        {"group": {"city": ""}, "count": 1, "sum": {"age": None}},
        {"group": {"city": "Oslo"}, "count": 1, "sum": {"age": 20}},
        {"group": {"city": "Rome"}, "count": 2, "sum": {"age": 40}},
    ]


def test_figures_are_of_the_rows_that_were_asked_for(five: Api):
    assert _items(five, "age__gte=20&q=n") == [{"count": 1}]
    assert _items(five, "age__gte=100&sum=age&max=age") == [{"count": 0, "sum": {"age": None}, "max": {"age": None}}]
    assert _items(five, "age__gte=100&group=city") == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_groups_are_walked_page_by_page(five: Api, limit: int):
    walked: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = made(five.get(f"{FIGURES}?group=city,age&limit={limit}" + (f"&cursor={cursor}" if cursor else "")), 200)
        walked += page["items"]
        cursor = page["nextCursor"]

    assert walked == _items(five, "group=city,age")
    assert len(walked) == 5


def test_sums_are_exact(people: Api):
    people.post(ROWS, [{"name": "Ann", "amount": "0.10", "age": 2**62} for _time in range(9)])

    assert _items(people, "sum=amount,age") == [{"count": 9, "sum": {"amount": "0.90", "age": 9 * 2**62}}]


@pytest.mark.parametrize("figure", ["sum", "avg"])
def test_a_figure_beyond_double_precision_is_refused(people: Api, figure: str):
    people.post("/tables/people/columns", {"name": "Weight", "type": "float"})
    people.post(ROWS, [{"name": "Ann", "weight": 1.7e308} for _time in range(2)])

    assert made(people.get(f"{FIGURES}?{figure}=weight"), 400)["errors"][0]["code"] == "out-of-range"


@pytest.mark.parametrize(
    ("query", "blamed"),
    [
        ("group=nothing", "/group"),
        ("sum=name", "/sum"),
        ("avg=city", "/avg"),
        ("sum=nothing", "/sum"),
        ("min=id", "/min"),
        ("group=name,age,city,amount", "/group"),
        ("median=age", "/median"),
        ("count=exact", "/count"),
        ("group=city&cursor=x", "/cursor"),
    ],
)
def test_what_can_not_be_figured_is_refused(five: Api, query: str, blamed: str):
    assert pointers(five.get(f"{FIGURES}?{query}")) == [blamed]


def test_figures_of_every_type_are_shown_as_its_values_are(admin: Api):
    kinds = ["integer", "float", "decimal", "date", "dateTime", "text", "boolean", "uuid"]
    columns = [{"name": f"A {kind}", "key": f"a_{kind}", "type": kind} for kind in kinds]
    made(admin.post("/tables", {"name": "Kinds", "columns": columns}))
    id = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
    values = [1, 1.5, "1.50", "2026-11-24", "2026-11-24T09:30:00Z", "a", True, id]
    row = {f"a_{kind}": value for kind, value in zip(kinds, values, strict=True)}
    made(admin.post("/tables/kinds/rows", row))

    grouped = [
        item for kind in kinds for item in made(admin.get(f"/tables/kinds/rows/aggregate?group=a_{kind}"), 200)["items"]
    ]
    least = made(admin.get("/tables/kinds/rows/aggregate?min=" + ",".join(f"a_{kind}" for kind in kinds[:6])), 200)

    assert [next(iter(item["group"].values())) for item in grouped] == values
    assert list(least["items"][0]["min"].values()) == values[:6]
