"""What the grid does with what is typed, pasted, refused and lost on the way."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import assert_is_accessible
from tests.browser.console import call
from tests.browser.grid import CLIPBOARD, Grid, tab_to

COLUMNS = [
    {"name": "Name", "type": "text", "required": True},
    {"name": "Email", "type": "email", "unique": True},
    {"name": "Done", "type": "boolean"},
    {"name": "Status", "type": "choice", "options": {"choices": ["open", "paid", "sent"]}},
    {"name": "Labels", "type": "multiChoice", "options": {"choices": ["gift", "express", "a, b"]}},
    {"name": "Day", "type": "date"},
    {"name": "Seen", "type": "dateTime"},
    {"name": "Note", "type": "longText"},
    {"name": "Boss", "type": "relation", "options": {"table": "people", "onDelete": "clear"}},
]
TABLE = "/console/datahub/tables/people"
NAME, EMAIL, DONE, STATUS, LABELS, DAY, SEEN, NOTE, BOSS = range(1, 10)


@pytest.fixture
def grid(as_root: httpx.Client, new_admin: Callable[..., Page]) -> Iterator[Grid]:
    """An admin before the grid of a table with columns of many types and three rows."""
    rows = [
        {"name": "Ann", "email": "ann@example.com", "done": True, "status": "open", "note": "one\ntwo"},
        {"name": "Bob", "email": "bob@example.com"},
        {"name": "Cid"},
    ]
    for path, made in (
        ("/tables", {"name": "People", "columns": COLUMNS[:-1]}),
        ("/tables/people/columns", COLUMNS[-1]),
        ("/tables/people/rows", rows),
    ):
        as_root.post(path, json=made).raise_for_status()
    page = new_admin(TABLE, viewport={"width": 1600, "height": 800}, permissions=CLIPBOARD)
    grid = Grid(page)
    grid.wait()
    yield grid
    page.on("dialog", lambda dialog: dialog.accept())


def kept(grid: Grid, key: str, number: int = 1) -> Any:
    """The value of a row as the API tells it."""
    return call(grid.page, "GET", "/tables/people/rows")["items"][number - 1][key]


def test_what_is_refused_stays_red_with_the_reason_until_it_is_mended(grid: Grid) -> None:
    grid.cell(1, EMAIL).click()
    grid.keys.type("nobody")
    grid.keys.press("Enter")

    grid.expect_said("Row 1, Email: This is no e-mail address.")
    expect(grid.cell(1, EMAIL)).to_have_class(re.compile("refused"))
    expect(grid.cell(1, EMAIL)).to_have_text("nobody")
    assert kept(grid, "email") == "ann@example.com"
    assert_is_accessible(grid.page)

    grid.keys.press("ArrowUp")
    grid.keys.press("Enter")
    grid.keys.press("End")
    grid.keys.type("@example.com")
    grid.keys.press("Enter")
    grid.expect_said("Saved.")
    assert kept(grid, "email") == "nobody@example.com"


def test_escape_takes_a_refused_value_back(grid: Grid) -> None:
    grid.cell(1, EMAIL).click()
    grid.keys.type("bob@example.com")
    grid.keys.press("Enter")
    grid.expect_said("Another row has the email ‘bob@example.com’.")
    grid.keys.press("ArrowUp")

    grid.keys.press("Escape")

    grid.expect_cell(1, EMAIL, "ann@example.com")
    expect(grid.cell(1, EMAIL)).not_to_have_class(re.compile("refused"))


def test_escape_leaves_the_editor_and_the_value(grid: Grid) -> None:
    grid.cell(1, NAME).dblclick()
    grid.keys.type("Somebody")
    grid.keys.press("Escape")

    grid.expect_cell(1, NAME, "Ann")
    grid.expect_here(1, NAME)
    assert kept(grid, "revision") == 1


def test_space_switches_and_delete_empties(grid: Grid) -> None:
    grid.cell(1, DONE).click()
    grid.keys.press(" ")
    grid.expect_cell(1, DONE, "✗")
    grid.expect_said("Saved.")
    assert kept(grid, "done") is False

    grid.keys.press("Delete")
    grid.expect_cell(1, DONE, "")
    grid.expect_said("Saved.")
    assert kept(grid, "done") is None


def test_a_choice_is_found_by_typing(grid: Grid) -> None:
    grid.cell(2, STATUS).click()
    grid.keys.type("se")
    expect(grid.page.get_by_role("option")).to_have_text(["sent"])
    grid.keys.press("Enter")

    grid.expect_cell(2, STATUS, "sent")
    grid.expect_said("Saved.")
    assert kept(grid, "status", 2) == "sent"


def test_enter_and_enter_leave_a_choice_as_it_is(grid: Grid) -> None:
    call(grid.page, "PATCH", "/tables/people/rows", [{"id": kept(grid, "id"), "status": "paid"}])
    grid.page.reload()
    grid.wait()
    grid.cell(1, STATUS).click()
    grid.keys.press("Enter")
    grid.page.get_by_role("option").first.wait_for()
    grid.keys.press("Enter")

    grid.expect_cell(1, STATUS, "paid")
    assert kept(grid, "status") == "paid"


def test_several_choices_are_picked_one_by_one(grid: Grid) -> None:
    grid.cell(1, LABELS).click()
    grid.keys.press("Enter")
    grid.page.get_by_role("option", name="gift").click()
    grid.page.get_by_role("option", name="a, b").click()
    grid.keys.press("Tab")

    grid.expect_said("Saved.")
    expect(grid.cell(1, LABELS).locator(".tag")).to_have_text(["gift", "a, b"])
    assert kept(grid, "labels") == ["gift", "a, b"]


def test_a_relation_is_found_by_the_name_of_its_row(grid: Grid) -> None:
    grid.cell(1, BOSS).click()
    grid.keys.type("ci")
    expect(grid.page.get_by_role("option")).to_have_text(["Cid"])
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    grid.expect_cell(1, BOSS, "Cid")
    assert kept(grid, "boss") == kept(grid, "id", 3)


def test_days_and_moments_are_typed_and_have_a_calendar(grid: Grid) -> None:
    grid.cell(1, DAY).click()
    grid.keys.press("Enter")
    expect(grid.page.get_by_role("button", name="Pick a day")).to_be_visible()
    grid.keys.type("2026-11-24")
    grid.keys.press("Tab")
    grid.keys.type("2026-11-24 09:30")
    grid.keys.press("Tab")

    grid.expect_cell(1, SEEN, "2026-11-24 09:30")
    grid.expect_said("Saved.")
    assert (kept(grid, "day"), kept(grid, "seen")) == ("2026-11-24", "2026-11-24T09:30:00Z")


def test_lines_are_typed_with_shift_enter(grid: Grid) -> None:
    grid.cell(2, NOTE).click()
    grid.keys.press("Enter")
    grid.keys.type("one")
    grid.keys.press("Shift+Enter")
    grid.keys.type("two")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    assert kept(grid, "note", 2) == "one\ntwo"


def test_what_is_too_long_for_a_cell_opens_beside_the_grid(grid: Grid) -> None:
    call(grid.page, "PATCH", f"/tables/people/rows/{kept(grid, 'id')}", {"note": "x" * 20_000})
    grid.page.reload()
    grid.wait()
    grid.cell(1, NOTE).click()
    grid.keys.press("Enter")

    expect(grid.page.locator("#panel textarea")).to_have_value("x" * 20_000)


def test_a_block_is_copied_as_spreadsheets_have_it_and_pasted_back(grid: Grid) -> None:
    grid.cell(1, NAME).click()
    grid.cell(2, EMAIL).click(modifiers=["Shift"])
    grid.keys.press("ControlOrMeta+c")
    assert grid.page.evaluate("navigator.clipboard.readText()") == "Ann\tann@example.com\nBob\tbob@example.com\n"

    grid.cell(1, NOTE).click()
    grid.keys.press("ControlOrMeta+c")
    grid.cell(3, NOTE).click()
    grid.keys.press("ControlOrMeta+v")
    grid.expect_said("Saved.")
    assert kept(grid, "note", 3) == "one\ntwo"


def test_one_value_is_pasted_into_a_whole_block(grid: Grid) -> None:
    grid.cell(1, STATUS).click()
    grid.cell(3, STATUS).click(modifiers=["Shift"])
    grid.paste([["paid"]])

    for row in (1, 2, 3):
        grid.expect_cell(row, STATUS, "paid")
    grid.expect_said("Saved.")
    grid.keys.press("ControlOrMeta+z")
    grid.expect_said("Undone.")
    assert [kept(grid, "status", number) for number in (1, 2, 3)] == ["open", None, None]


def test_of_a_paste_only_what_is_refused_stays_behind(grid: Grid) -> None:
    grid.cell(1, EMAIL).click()
    grid.paste([["new@example.com"], ["bad"], ["cid@example.com"]])

    grid.expect_said("Row 2, Email: This is no e-mail address.")
    assert [kept(grid, "email", number) for number in (1, 2, 3)] == [
        "new@example.com",
        "bob@example.com",
        "cid@example.com",
    ]
    expect(grid.page.locator(".refused")).to_have_count(1)


def test_a_paste_beyond_the_end_is_undone_as_one(grid: Grid) -> None:
    grid.cell(3, NAME).click()
    grid.paste([["Cid II"], ["Dora"], ["Emil"]])
    grid.page.get_by_role("dialog").get_by_role("button", name="Paste").click()
    grid.expect_rows(5)
    grid.expect_said("Saved.")

    grid.keys.press("ControlOrMeta+z")

    grid.expect_rows(3)
    grid.expect_cell(3, NAME, "Cid")


def test_a_new_row_waits_for_what_it_needs(grid: Grid) -> None:
    grid.page.locator("#grid tfoot td").nth(EMAIL - 1).click()
    grid.keys.type("dora@example.com")
    grid.keys.press("Enter")
    grid.expect_said("Name: This column needs a value.")
    assert len(call(grid.page, "GET", "/tables/people/rows")["items"]) == 3

    grid.cell(4, NAME).click()
    grid.keys.type("Dora")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    assert (kept(grid, "name", 4), kept(grid, "email", 4)) == ("Dora", "dora@example.com")


def test_escape_then_tab_leaves_the_grid(grid: Grid) -> None:
    grid.cell(1, NAME).click()
    grid.keys.press("Tab")
    grid.expect_here(1, EMAIL)
    grid.keys.press("Escape")

    tab_to(grid.page, "Keys", most=2)


def test_what_a_lost_connection_kept_back_is_sent_again(grid: Grid) -> None:
    grid.page.route("**/cells?*", lambda route: route.abort())
    grid.cell(1, NAME).click()
    grid.keys.type("Anna")
    grid.keys.press("Enter")
    grid.expect_said("Not saved: the server can’t be reached.")
    grid.page.unroute_all()

    grid.keys.press("ArrowUp")
    grid.keys.press("Enter")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    assert kept(grid, "name") == "Anna"


def test_a_new_row_whose_answer_was_lost_is_made_once(grid: Grid) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    grid.page.route("**/cells?*", lose_the_answer)
    grid.page.locator("#grid tfoot td").nth(0).click()
    grid.keys.type("Dora")
    grid.keys.press("Tab")
    grid.expect_said("Not saved: the server can’t be reached.")
    grid.page.unroute_all()

    grid.keys.type("dora@example.com")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    rows = call(grid.page, "GET", "/tables/people/rows")["items"]
    assert [(row["name"], row["email"]) for row in rows[3:]] == [("Dora", "dora@example.com")]


def test_who_was_logged_out_loses_nothing(grid: Grid) -> None:
    cookies: Any = grid.page.context.cookies()
    grid.page.context.clear_cookies(name=re.compile("console"))
    grid.cell(1, NAME).click()
    grid.keys.type("Anna")
    grid.keys.press("Enter")
    grid.expect_said("you are logged out")

    grid.page.context.add_cookies(cookies)  # as logging in in another tab does
    grid.keys.press("ArrowUp")
    grid.keys.press("Enter")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    assert kept(grid, "name") == "Anna"


def test_the_width_of_a_column_is_kept(grid: Grid) -> None:
    edge = grid.page.locator('#grid th[data-name="Name"] .edge')
    box = edge.bounding_box()
    assert box
    grid.page.mouse.move(box["x"] + 4, box["y"] + 10)
    grid.page.mouse.down()
    grid.page.mouse.move(box["x"] + 104, box["y"] + 10)
    grid.page.mouse.up()

    grid.page.reload()
    grid.wait()

    width = grid.page.locator('#grid th[data-name="Name"]').bounding_box()
    assert width
    assert abs(width["width"] - 300) < 4


def test_a_column_is_hidden_and_shown_again(grid: Grid) -> None:
    grid.head("Email").click()
    grid.page.get_by_role("link", name="Hide").locator("visible=true").click()
    expect(grid.head("Email")).to_have_count(0)

    grid.wait()
    grid.page.get_by_role("button", name="1 hidden column").click()
    grid.page.get_by_role("link", name="Show Email").click()

    expect(grid.head("Email")).to_have_count(1)


def test_a_row_is_changed_beside_the_grid_and_the_grid_follows(grid: Grid) -> None:
    grid.cell(1, 0).get_by_role("link").click()
    panel = grid.page.locator("#panel")
    panel.get_by_label("Name").fill("Anna")
    panel.get_by_role("button", name="Save").click()

    grid.expect_cell(1, NAME, "Anna")
    expect(panel).to_contain_text("Saved.")
    assert_is_accessible(grid.page)
    grid.keys.press("Escape")
    expect(panel).to_be_hidden()


def test_rows_that_others_need_are_not_deleted(grid: Grid) -> None:
    call(grid.page, "PATCH", "/tables/people/columns/boss", {"options": {"table": "people", "onDelete": "restrict"}})
    call(grid.page, "PATCH", f"/tables/people/rows/{kept(grid, 'id')}", {"boss": kept(grid, "id", 3)})
    grid.cell(3, NAME).click()
    grid.keys.press("Shift+ ")
    grid.keys.press("ControlOrMeta+Delete")
    grid.page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    grid.expect_said("people.boss")
    grid.expect_rows(3)


def test_a_browser_holds_so_many_rows_and_no_more(admin: Page) -> None:
    call(admin, "POST", "/tables", {"name": "Long", "columns": [{"name": "Title", "type": "text"}]})
    for start in (0, 200):
        call(admin, "POST", "/tables/long/rows", [{"title": f"N{start + number}"} for number in range(200)])

    def hold_fewer(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('data-held-max="2000"', 'data-held-max="200"'))

    admin.route("**/tables/long", hold_fewer)
    admin.goto("/console/datahub/tables/long")
    rows = admin.locator("#grid tbody tr[id^=row-]")
    for _scroll in range(4):
        admin.locator(".split > .scroll").evaluate("it => it.scrollTo(0, it.scrollHeight)")
        admin.wait_for_timeout(200)
    expect(rows).to_have_count(200)

    admin.get_by_role("link", name="More, from row 201 on").click()

    expect(rows.first).to_contain_text("N200")
    expect(rows.first.get_by_role("link")).to_have_text("201")
