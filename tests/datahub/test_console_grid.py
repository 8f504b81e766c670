"""The grid without script: what it shows, how it is asked, and how a row is edited by forms."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from datahub.column_types import BY_NAME
from datahub.console.type_words import GLYPHS, TYPE_WORDS
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import Api
from tests.datahub.conftest import made, pointers
from tests.datahub.console_pages import Admin, form_with

GRID = "/console/datahub/tables/people"
LINE = re.compile(r'<tr id="row-([0-9a-f-]{36})" data-revision="(\d+)">(.*?)</tr>', re.DOTALL)
QUERIES_MAX = 10


@pytest.fixture
def grid(root: Admin, people: Api) -> Admin:
    """An admin who has a table `people` with three rows."""
    rows = [
        {"name": "Ann", "email": "ann@example.com", "age": 31, "city": "Rome", "amount": "1200.50"},
        {"name": "Bob <b>", "email": "bob@example.com", "age": 17, "city": "Oslo"},
        {"name": "Cid", "city": "Rome"},
    ]
    made(people.post("/tables/people/rows", rows))
    return root


def lines(page: Any) -> list[list[str]]:
    """The text of the cells of each row, without its number and the empty place at the end."""
    found = LINE.findall(page.content.decode())
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)][:-1] for *_, line in found
    ]


def names(page: Any) -> list[str]:
    return [line[0] for line in lines(page)]


def id_of_row(page: Any, number: int = 1) -> str:
    return str(LINE.findall(page.content.decode())[number - 1][0])


def test_the_grid_shows_rows_with_every_value_escaped(grid: Admin) -> None:
    page = grid.get(GRID)

    assert lines(page) == [
        ["Ann", "ann@example.com", "31", "Rome", "1,200.50"],
        ["Bob &lt;b&gt;", "bob@example.com", "17", "Oslo", ""],
        ["Cid", "", "", "Rome", ""],
    ]


def test_a_value_that_is_shown_otherwise_comes_with_its_text(grid: Admin) -> None:
    assert '<td class="number" data-value="1200.50">1,200.50</td>' in grid.get(GRID).content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("city=Rome", ["Ann", "Cid"]),
        ("q=BOB", ["Bob &lt;b&gt;"]),
        ("order=-name", ["Cid", "Bob &lt;b&gt;", "Ann"]),
        ("age__gte=18", ["Ann"]),
        ("age__isnull=true", ["Cid"]),
    ],
)
def test_the_address_filters_sorts_and_searches_as_the_api_does(grid: Admin, query: str, expected: list[str]) -> None:
    assert names(grid.get(f"{GRID}?{query}")) == expected


@pytest.mark.parametrize(
    ("form", "address"),
    [
        ("filter-column=city&filter-op=eq&filter-value=Rome", "?city=Rome"),
        ("filter-column=age&filter-op=hasvalue&filter-value=", "?age__isnull=false"),
        ("filter-column=createdAt&filter-op=gte&filter-value=2026-11-24 09:30", "?createdAt__gte=2026-11-24T09:30:00Z"),
        ("city=Rome&sort-column=name&sort-direction=descending", "?city=Rome&order=-name"),
        ("order=age&sort-column=name&sort-direction=ascending", "?order=name,age"),
    ],
)
def test_a_form_adds_to_the_address(grid: Admin, form: str, address: str) -> None:
    answer = grid.get(f"{GRID}?{form}")

    assert (answer.status_code, answer["Location"]) == (303, f"{GRID}{address}")


def test_a_chip_takes_its_filter_away(grid: Admin) -> None:
    page = grid.get(f"{GRID}?city=Rome&order=-name").content.decode()

    assert f'<a class="chip on" href="{GRID}?order=-name">City is Rome' in page
    assert f'<a class="chip on" href="{GRID}?city=Rome">Name ↓' in page


@pytest.mark.parametrize("query", ["nowhere=1", "age=old", "age__startswith=1", "order=nowhere", "cursor=x", "q=%00"])
def test_what_can_not_be_asked_is_told_and_leads_back(grid: Admin, query: str) -> None:
    answer = grid.get(f"{GRID}?{query}")

    assert answer.status_code == 400
    assert "No rows are shown, because this can’t be asked for" in text_of(answer)


def test_a_parameter_that_stands_twice_is_refused(grid: Admin) -> None:
    assert grid.get(f"{GRID}?city=Rome&city=Oslo").status_code == 400


def test_a_hidden_column_is_not_shown_but_can_be_again(grid: Admin) -> None:
    page = grid.get(f"{GRID}?hide-columns=city,email")

    assert lines(page)[0] == ["Ann", "31", "1,200.50"]
    assert "2 hidden columns" in text_of(page)
    assert f'href="{GRID}?hide-columns=email">Show City</a>' in page.content.decode()


def test_there_is_no_grid_where_there_is_no_table(root: Admin) -> None:
    answer = root.get("/console/datahub/tables/nothing")

    assert answer.status_code == 404
    assert "There is no such table" in text_of(answer)


def test_an_export_of_what_is_shown_is_a_link(grid: Admin) -> None:
    page = grid.get(f"{GRID}?city=Rome&hide-columns=email").content.decode()
    [link] = re.findall(r'href="(/api/v1/[^"]+)"', page)

    answer = grid.get(link.replace("&amp;", "&"))

    assert b"".join(answer.streaming_content).decode().splitlines()[0] == "id,name,age,city,amount"


@pytest.mark.parametrize("path", [GRID, f"{GRID}/rows/new", f"{GRID}/count", "/console/datahub"])
def test_only_admins_see_it(people: Api, path: str) -> None:
    answer = Visitor().get(path)

    assert (answer.status_code, answer["Location"]) == (303, f"/console/login?next={path}")


def test_pages_follow_each_other_and_go_on_counting(root: Admin, people: Api) -> None:
    made(people.post("/tables/people/rows", [{"name": f"N{number:03d}"} for number in range(130)]))
    first = root.get(GRID)
    [more] = re.findall(r'<tr id="more"><td colspan="\d+"><a href="([^"]+)"', first.content.decode())

    second = root.get(more.replace("&amp;", "&"))

    assert names(first) + names(second) == [f"N{number:03d}" for number in range(130)]
    assert "Open row 101" in second.content.decode()
    assert 'id="more"' not in second.content.decode()


def test_a_scrolled_page_is_its_rows_alone(root: Admin, people: Api) -> None:
    made(people.post("/tables/people/rows", [{"name": "Ann"}]))

    answer = root.client.get(GRID, headers={"hx-request": "true", "hx-target": "more"})

    assert answer.content.decode().lstrip().startswith("<tr")


def test_the_count_comes_by_itself(grid: Admin) -> None:
    assert text_of(grid.get(f"{GRID}/count?city=Rome")) == "2 rows"


@pytest.mark.parametrize("query", ["", "?order=-amount", "?city=Rome&q=a", "?age__gte=3"])
def test_a_page_takes_few_queries(grid: Admin, people: Api, query: str) -> None:
    columns = [{"name": f"Friend {n}", "type": "relation", "options": {"table": "people"}} for n in range(3)]
    for column in columns:
        made(people.post("/tables/people/columns", column))
    friend = people.get("/tables/people/rows").json()["items"][0]["id"]
    made(people.post("/tables/people/rows", {"name": "Dora", "city": "Rome", "age": 5, "friend_0": friend}))
    grid.get(GRID)

    with CaptureQueriesContext(connection) as queries:
        page = grid.get(f"{GRID}{query}")

    assert page.status_code == 200
    assert len(queries) <= QUERIES_MAX


def test_a_relation_shows_how_the_row_is_called(grid: Admin, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Boss", "type": "relation", "options": {"table": "people"}}))
    boss = people.get("/tables/people/rows?name=Ann").json()["items"][0]["id"]

    made(people.post("/tables/people/rows", {"name": "Dora", "boss": boss}))

    assert lines(grid.get(GRID))[-1] == ["Dora", "", "", "", "", "Ann"]
    assert f'data-value="{boss}"' in grid.get(GRID).content.decode()


def test_rows_to_refer_to_are_found_by_name(grid: Admin, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Boss", "type": "relation", "options": {"table": "people"}}))

    found = grid.get(f"{GRID}/columns/boss/rows?q=AN").json()["items"]

    assert [each["label"] for each in found] == ["Ann"]
    assert grid.get(f"{GRID}/columns/name/rows").status_code == 404


def test_a_row_is_added_by_a_form(grid: Admin, people: Api, told: Callable[[], list[str]]) -> None:
    page = grid.get(f"{GRID}/rows/new?next={GRID}%3Fcity%3DRome")
    fields = field_names(page)
    before = len(told())

    answer = grid.press("Add row", page, {fields["Name"]: "Dora", fields["Age"]: "44", fields["Amount"]: "3"})

    assert (answer.status_code, answer["Location"]) == (303, f"{GRID}?city=Rome")
    row = people.get("/tables/people/rows?name=Dora").json()["items"][0]
    assert (row["age"], row["amount"], row["city"]) == (44, "3.00", None)
    assert len(told()) == before  # rows tell nothing unless the table wants it


def test_a_refused_row_keeps_what_was_typed(grid: Admin) -> None:
    page = grid.get(f"{GRID}/rows/new")
    fields = field_names(page)

    answer = grid.press("Add row", page, {fields["Age"]: "old", fields["City"]: "Graz"})

    assert answer.status_code == 400
    assert form_with(answer, "Add row").fields[fields["City"]] == "Graz"
    assert "This must be a whole number." in text_of(answer)


def test_a_missing_value_is_told_at_its_column(grid: Admin) -> None:
    page = grid.get(f"{GRID}/rows/new")

    answer = grid.press("Add row", page, {field_names(page)["City"]: "Graz"})

    assert answer.status_code == 400
    assert form_with(answer, "Add row").errors == {field_names(page)["Name"]}


def test_a_row_is_changed_by_a_form(grid: Admin, people: Api) -> None:
    page = grid.get(f"{GRID}/rows/{id_of_row(grid.get(GRID))}")

    answer = grid.press("Save", page, {field_names(page)["Age"]: "32"})

    assert answer.status_code == 303
    row = people.get("/tables/people/rows?name=Ann").json()["items"][0]
    assert (row["age"], row["revision"], row["amount"]) == (32, 2, "1200.50")


def test_what_others_changed_in_another_column_is_kept(grid: Admin, people: Api) -> None:
    id = id_of_row(grid.get(GRID))
    page = grid.get(f"{GRID}/rows/{id}")
    people.patch(f"/tables/people/rows/{id}", {"city": "Paris"})

    answer = grid.press("Save", page, {field_names(page)["Age"]: "32"})

    assert answer.status_code == 303
    row = people.get(f"/tables/people/rows/{id}").json()
    assert (row["age"], row["city"]) == (32, "Paris")


def test_a_conflict_shows_both_values_and_is_overwritten_only_when_sent_again(grid: Admin, people: Api) -> None:
    id = id_of_row(grid.get(GRID))
    page = grid.get(f"{GRID}/rows/{id}")
    city = field_names(page)["City"]
    people.patch(f"/tables/people/rows/{id}", {"city": "Paris"})

    refused = grid.press("Save", page, {city: "Graz"})

    assert refused.status_code == 412
    assert "Somebody else has made this ‘Paris’ meanwhile." in text_of(refused)
    assert form_with(refused, "Save").fields[city] == "Graz"
    assert people.get(f"/tables/people/rows/{id}").json()["city"] == "Paris"

    answer = grid.press("Save", refused)

    assert answer.status_code == 303
    assert people.get(f"/tables/people/rows/{id}").json()["city"] == "Graz"


def test_a_row_is_deleted_after_a_question(grid: Admin, people: Api) -> None:
    id = id_of_row(grid.get(GRID))

    answer = grid.press("Delete row", f"{GRID}/rows/{id}/delete")

    assert (answer.status_code, answer["Location"]) == (303, GRID)
    assert people.get(f"/tables/people/rows/{id}").status_code == 404
    assert grid.get(f"{GRID}/rows/{id}").status_code == 404


def test_a_row_that_others_need_stays(grid: Admin, people: Api) -> None:
    made(people.post("/tables/people/columns", {"name": "Boss", "type": "relation", "options": {"table": "people"}}))
    boss = people.get("/tables/people/rows?name=Ann").json()["items"][0]["id"]
    made(people.post("/tables/people/rows", {"name": "Dora", "boss": boss}))

    answer = grid.press("Delete row", f"{GRID}/rows/{boss}/delete")

    assert answer.status_code == 409
    assert "Other rows refer to this one" in text_of(answer)
    assert people.get(f"/tables/people/rows/{boss}").status_code == 200


def test_every_type_comes_back_from_its_form_as_it_was(root: Admin, admin: Api) -> None:
    columns = [
        {"name": "Text", "type": "text"},
        {"name": "Long", "type": "longText"},
        {"name": "Float", "type": "float"},
        {"name": "Flag", "type": "boolean"},
        {"name": "Day", "type": "date"},
        {"name": "Moment", "type": "dateTime"},
        {"name": "One", "type": "choice", "options": {"choices": ["a", "b"]}},
        {"name": "Some", "type": "multiChoice", "options": {"choices": ["a, b", "c", "[d]"]}},
        {"name": "Doc", "type": "json"},
        {"name": "Ref", "type": "relation", "options": {"table": "people", "many": True}},
    ]
    made(admin.post("/tables", {"name": "People", "columns": [{"name": "Name", "type": "text"}]}))
    ref = made(admin.post("/tables/people/rows", {"name": "Ann"}))["id"]
    made(admin.post("/tables", {"name": "All", "columns": columns}))
    values = {
        "text": " a\tb ",
        "long": "one\r\ntwo\n\nthree",
        "float": 1.5e-7,
        "flag": False,
        "day": "0999-12-31",
        "moment": "2026-11-24T09:30:00.000001Z",
        "one": "b",
        "some": ["a, b", "[d]"],
        "doc": {"a": [1, None, "x"]},
        "ref": [ref],
    }
    row = made(admin.post("/tables/all/rows", values))

    answer = root.press_all("Save", f"/console/datahub/tables/all/rows/{row['id']}")

    assert answer.status_code == 303
    assert admin.get(f"/tables/all/rows/{row['id']}").json() == row


def field_names(page: Any) -> dict[str, str]:
    """The names of the fields of a row's form, by what is said beside them."""
    return {
        label: name
        for name, label in re.findall(r'<label for="id_(c-[0-9a-f-]+)">([^<]+)</label>', page.content.decode())
    }


def test_what_the_api_refuses_the_form_refuses_as_well(grid: Admin, people: Api) -> None:
    assert pointers(people.post("/tables/people/rows", {"name": "X", "email": "nobody"})) == ["/email"]
    page = grid.get(f"{GRID}/rows/new")
    fields = field_names(page)

    answer = grid.press("Add row", page, {fields["Name"]: "X", fields["Email"]: "nobody"})

    assert form_with(answer, "Add row").errors == {fields["Email"]}


def test_every_type_has_a_name_and_a_sign() -> None:
    assert set(TYPE_WORDS) == set(GLYPHS) == set(BY_NAME)


def test_a_mistake_does_not_make_one_blind_for_what_others_changed(grid: Admin, people: Api) -> None:
    id = id_of_row(grid.get(GRID))
    page = grid.get(f"{GRID}/rows/{id}")
    fields = field_names(page)
    people.patch(f"/tables/people/rows/{id}", {"city": "Oslo"})

    refused = grid.press("Save", page, {fields["City"]: "Paris", fields["Age"]: "abc"})
    again = grid.press("Save", refused, {fields["Age"]: "32"})

    assert (refused.status_code, again.status_code) == (400, 412)
    assert people.get(f"/tables/people/rows/{id}").json()["city"] == "Oslo"


def test_a_conflict_in_one_column_makes_nobody_blind_for_another(grid: Admin, people: Api) -> None:
    id = id_of_row(grid.get(GRID))
    page = grid.get(f"{GRID}/rows/{id}")
    fields = field_names(page)
    people.patch(f"/tables/people/rows/{id}", {"city": "Oslo", "age": 50})

    first = grid.press("Save", page, {fields["City"]: "Paris"})
    second = grid.press("Save", first, {fields["Age"]: "32"})

    assert (first.status_code, second.status_code) == (412, 412)
    row = people.get(f"/tables/people/rows/{id}").json()
    assert (row["age"], row["city"]) == (50, "Paris")


def test_what_was_typed_into_a_column_that_is_gone_is_not_passed_over(grid: Admin, people: Api) -> None:
    page = grid.get(f"{GRID}/rows/{id_of_row(grid.get(GRID))}")
    city = field_names(page)["City"]
    people.delete("/tables/people/columns/city")

    answer = grid.press("Save", page, {city: "Graz"})

    assert answer.status_code == 400
    assert "a column that is gone meanwhile" in text_of(answer)


def test_choices_that_look_like_another_one_together_stay_what_they_are(root: Admin, admin: Api) -> None:
    column = {"name": "Some", "type": "multiChoice", "options": {"choices": ["a", "b", "a, b"]}}
    made(admin.post("/tables", {"name": "All", "columns": [column]}))
    row = made(admin.post("/tables/all/rows", {"some": ["a", "b"]}))

    assert root.press_all("Save", f"/console/datahub/tables/all/rows/{row['id']}").status_code == 303
    assert admin.get(f"/tables/all/rows/{row['id']}").json() == row
    assert 'data-value="[&quot;a&quot;, &quot;b&quot;]"' in root.get("/console/datahub/tables/all").content.decode()


def test_a_very_long_text_is_saved_by_the_form(root: Admin, admin: Api) -> None:
    made(admin.post("/tables", {"name": "All", "columns": [{"name": "Text", "type": "longText"}]}))
    row = made(admin.post("/tables/all/rows", {"text": "字" * 600_000}))
    page = root.get(f"/console/datahub/tables/all/rows/{row['id']}")

    answer = root.press("Save", page, {field_names(page)["Text"]: "界" * 600_000})

    assert answer.status_code == 303
    assert admin.get(f"/tables/all/rows/{row['id']}").json()["text"] == "界" * 600_000


@pytest.mark.parametrize("name", ["done", "self", "what", "path"])
def test_a_column_of_any_key_can_be_filtered_by(root: Admin, admin: Api, name: str) -> None:
    made(admin.post("/tables", {"name": "All", "columns": [{"name": "Flag", "key": name, "type": "boolean"}]}))
    made(admin.post("/tables/all/rows", [{name: True}, {name: False}]))

    page = root.get(f"/console/datahub/tables/all?{name}=true")

    assert len(LINE.findall(page.content.decode())) == 1
    assert "Flag is true" in text_of(page)


@pytest.mark.parametrize(
    "path", ["rows/new", "rows/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02", "settings", "api", "columns/x"]
)
def test_there_is_no_page_of_a_table_that_is_not_there(root: Admin, path: str) -> None:
    assert root.get(f"/console/datahub/tables/nothing/{path}").status_code == 404


def test_the_list_of_tables_takes_few_queries(root: Admin, admin: Api) -> None:
    columns = [{"name": "Name", "type": "text", "unique": True}, {"name": "Age", "type": "integer", "indexed": True}]
    for number in range(12):
        made(admin.post("/tables", {"name": f"Table {number}", "columns": columns}))

    with CaptureQueriesContext(connection) as queries:
        page = root.get("/console/datahub")

    assert page.status_code == 200
    assert len(queries) <= QUERIES_MAX


def test_the_list_of_tables_takes_any_search(root: Admin) -> None:
    assert root.get("/console/datahub?q=%00x&page=0").status_code == 200


@pytest.mark.parametrize("path", ["rows/new", "settings", "cells"])
def test_what_a_stranger_sends_is_not_even_read(people: Api, path: str) -> None:
    class Unread(BytesIO):
        def read(self, *args: Any) -> bytes:
            raise AssertionError("The body was read.")

    browser = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1:8000", "cookie": "fastgen_csrf=x"})
    extra: Any = {"wsgi.input": Unread()}
    answer = browser.generic("POST", f"{GRID}/{path}", b"a=b", "application/x-www-form-urlencoded", **extra)

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("path", "status", "header"),
    [(GRID, 401, None), (f"{GRID}/count", 401, None), (f"{GRID}/rows/new", 200, f"/console/login?next={GRID}")],
)
def test_who_is_logged_out_is_not_taken_away_by_what_a_page_asks_for_itself(
    people: Api, path: str, status: int, header: str | None
) -> None:
    headers = {"hx-request": "true", "hx-target": "more", "hx-current-url": f"http://127.0.0.1:8000{GRID}"}

    answer = Visitor().client.get(path, headers=headers)

    assert (answer.status_code, answer.get("HX-Redirect")) == (status, header)
