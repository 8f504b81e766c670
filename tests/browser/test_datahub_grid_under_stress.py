"""The grid when answers are late, others are quicker, and fingers are faster than either."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.console import call, log_in
from tests.browser.grid import CLIPBOARD, Grid
from tests.browser.test_looks import PHONE

COLUMNS = [
    {"name": "Name", "type": "text", "required": True},
    {"name": "Email", "type": "email"},
    {"name": "Done", "type": "boolean"},
    {"name": "Status", "type": "choice", "options": {"choices": ["open", "unpaid", "paid"]}},
    {"name": "Note", "type": "longText"},
]
NAME, EMAIL, DONE, STATUS, NOTE = range(1, 6)
TABLE = "/console/datahub/tables/people"
ROWS = [
    {"name": "Ann", "email": "ann@example.com", "done": True, "note": "one\r\ntwo"},
    {"name": "Bob\nBobson", "email": "bob@example.com"},
    {"name": "Cid"},
]


@pytest.fixture
def grid(as_root: httpx.Client, new_admin: Callable[..., Page]) -> Iterator[Grid]:
    as_root.post("/tables", json={"name": "People", "columns": COLUMNS}).raise_for_status()
    as_root.post("/tables/people/rows", json=ROWS).raise_for_status()
    page = new_admin(TABLE, viewport={"width": 1280, "height": 800}, permissions=CLIPBOARD)
    grid = Grid(page)
    grid.wait()
    yield grid
    page.on("dialog", lambda dialog: dialog.accept())


def kept(grid: Grid, key: str, number: int = 1) -> object:
    return call(grid.page, "GET", "/tables/people/rows")["items"][number - 1][key]


def change(grid: Grid, values: dict[str, object], number: int = 1) -> None:
    """As another would, who is not at this page."""
    call(grid.page, "PATCH", f"/tables/people/rows/{kept(grid, 'id', number)}", values)


def answer_late(grid: Grid) -> None:
    """Let answers to what is saved take a while."""
    grid.page.evaluate(
        """() => {
            const { fetch } = window;
            window.fetch = async (...request) => {
                if (String(request[0]).includes("/cells?")) await new Promise((done) => setTimeout(done, 600));
                return fetch(...request);
            };
        }"""
    )


@pytest.mark.parametrize(
    "keys", ["ControlOrMeta+End", "ControlOrMeta+ArrowDown", "ControlOrMeta+Shift+End", "PageDown"]
)
def test_no_key_goes_on_for_ever(grid: Grid, keys: str) -> None:
    grid.cell(1, NAME).click()

    grid.keys.press(keys)

    expect(grid.cell(3, NOTE if "End" in keys else NAME)).to_have_class(re.compile("here"))


def test_the_last_of_two_edits_of_a_cell_is_the_one_that_stays(grid: Grid) -> None:
    answer_late(grid)
    grid.cell(1, NAME).click()
    grid.keys.type("B")
    grid.keys.press("Enter")
    grid.keys.press("ArrowUp")
    grid.keys.type("Ann")
    grid.keys.press("Enter")
    grid.cell(1, DONE).click()
    grid.keys.press(" ")
    grid.keys.press(" ")

    expect(grid.page.locator("#grid .unsaved")).to_have_count(0)
    assert (kept(grid, "name"), kept(grid, "done")) == ("Ann", True)


def test_an_editor_stays_while_the_edit_before_is_being_saved(grid: Grid) -> None:
    answer_late(grid)
    grid.cell(1, NAME).click()
    grid.keys.type("Bea")
    grid.keys.press("Enter")
    grid.keys.press("ArrowUp")
    grid.keys.press("F2")
    grid.keys.press("End")
    grid.keys.type("tr")
    grid.page.wait_for_timeout(1200)
    grid.keys.type("ix")
    grid.keys.press("Enter")

    expect(grid.page.locator("#grid .unsaved")).to_have_count(0)
    assert kept(grid, "name") == "Beatrix"


def test_to_open_and_leave_an_editor_changes_nothing(grid: Grid) -> None:
    sent: list[str] = []
    grid.page.on("request", lambda request: sent.append(request.url) if "/cells?" in request.url else None)
    for row, column in ((2, NAME), (1, NOTE), (1, STATUS), (1, EMAIL)):
        grid.cell(row, column).click()
        grid.keys.press("F2")
        grid.page.locator("#grid .editor").wait_for()
        grid.keys.press("Enter")

    assert sent == []
    assert [kept(grid, "revision", number) for number in (1, 2)] == [1, 1]


def test_what_others_changed_while_an_editor_was_open_is_not_overwritten_unseen(grid: Grid) -> None:
    answer_late(grid)
    change(grid, {"name": "Theirs"})
    grid.cell(1, EMAIL).click()
    grid.keys.type("new@example.com")
    grid.keys.press("Shift+Tab")
    grid.keys.press("F2")
    grid.keys.press("End")
    grid.keys.type("abel")
    grid.page.wait_for_timeout(1500)
    grid.keys.press("Enter")

    expect(grid.page.get_by_role("dialog")).to_contain_text("Theirs")
    assert kept(grid, "name") == "Theirs"


def test_undo_knows_a_value_however_it_is_written(grid: Grid) -> None:
    call(grid.page, "POST", "/tables/people/columns", {"name": "Total", "type": "decimal"})
    grid.page.reload()
    grid.wait()
    for typed in ("1,234.5", "7"):
        grid.cell(1, NOTE + 1).click()
        grid.keys.type(typed)
        grid.keys.press("Enter")
    grid.expect_said("Saved.")
    expect(grid.page.locator("#grid .unsaved")).to_have_count(0)

    grid.keys.press("ControlOrMeta+z")
    grid.expect_said("Undone.")
    assert kept(grid, "total") == "1234.50"
    grid.keys.press("ControlOrMeta+z")
    expect(grid.cell(1, NOTE + 1)).to_have_text("")


def test_a_choice_that_is_typed_in_full_is_the_one_that_is_meant(grid: Grid) -> None:
    grid.cell(1, STATUS).click()
    grid.keys.type("paid")
    grid.keys.press("Enter")

    grid.expect_cell(1, STATUS, "paid")


def test_a_long_text_is_not_emptied_where_no_undo_could_bring_it_back(grid: Grid) -> None:
    change(grid, {"note": "x" * 20_000})
    grid.page.reload()
    grid.wait()
    grid.cell(1, NOTE).click()
    grid.keys.press("Delete")

    grid.expect_said("too long to be changed here: 1.")
    assert kept(grid, "note") == "x" * 20_000


def test_to_mend_a_refused_value_overwrites_nobody_unseen(grid: Grid) -> None:
    grid.cell(1, EMAIL).click()
    grid.keys.type("nobody")
    grid.keys.press("Enter")
    grid.expect_said("no e-mail address")
    change(grid, {"email": "theirs@example.com"})
    grid.cell(1, NAME).click()
    grid.keys.type("Anna")
    grid.keys.press("Enter")
    grid.expect_said("Saved")

    grid.cell(1, EMAIL).click()
    grid.keys.type("mine@example.com")
    grid.keys.press("Enter")

    expect(grid.page.get_by_role("dialog")).to_contain_text("theirs@example.com")
    assert kept(grid, "email") == "theirs@example.com"


def test_undo_takes_back_nothing_that_others_made(grid: Grid) -> None:
    grid.cell(1, NAME).click()
    grid.keys.type("Anna")
    grid.keys.press("Enter")
    grid.expect_said("Saved.")
    change(grid, {"name": "Theirs"})

    grid.keys.press("ControlOrMeta+z")

    expect(grid.page.get_by_role("dialog")).to_contain_text("Theirs")
    assert kept(grid, "name") == "Theirs"


def test_undo_in_a_new_row_takes_back_one_cell(grid: Grid) -> None:
    grid.page.locator("#grid tfoot td").nth(EMAIL - 1).click()
    grid.keys.type("dora@example.com")
    grid.keys.press("Tab")
    grid.keys.press(" ")
    grid.expect_said("Name: This column needs a value.")

    grid.keys.press("ControlOrMeta+z")

    expect(grid.cell(4, EMAIL)).to_have_text("dora@example.com")
    grid.expect_cell(4, DONE, "")


def test_an_empty_cell_is_copied_and_pasted_as_such(grid: Grid) -> None:
    grid.cell(3, EMAIL).click()
    grid.keys.press("ControlOrMeta+c")
    grid.cell(1, EMAIL).click()
    grid.keys.press("ControlOrMeta+v")

    grid.expect_said("Saved.")
    assert kept(grid, "email") is None


def test_who_logs_in_again_in_another_tab_goes_on_here(grid: Grid) -> None:
    grid.page.context.clear_cookies()
    grid.cell(1, NAME).click()
    grid.keys.type("Anna")
    grid.keys.press("Enter")
    grid.expect_said("you are logged out")
    assert grid.page.url.endswith(TABLE)
    log_in(grid.page.context.new_page()).close()

    grid.keys.press("ArrowUp")
    grid.keys.press("Enter")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    assert kept(grid, "name") == "Anna"


def test_all_that_a_lost_connection_kept_back_is_sent_together(grid: Grid) -> None:
    grid.page.route("**/cells?*", lambda route: route.abort())
    grid.cell(1, NAME).click()
    grid.paste([["A", "a@example.com"], ["B", "b@example.com"], ["C", "c@example.com"]])
    grid.expect_said("Not saved: the server can’t be reached.")
    grid.page.unroute_all()

    grid.cell(2, NAME).click()
    grid.keys.press("Enter")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    assert [kept(grid, "email", number) for number in (1, 2, 3)] == [f"{each}@example.com" for each in "abc"]


def test_a_column_that_is_gone_shifts_no_value(grid: Grid) -> None:
    call(grid.page, "DELETE", "/tables/people/columns/email")
    grid.cell(1, NAME).click()
    grid.keys.type("Anna")
    grid.keys.press("Enter")

    grid.expect_said("Saved.")
    grid.expect_cell(1, EMAIL, "")
    grid.expect_cell(1, DONE, "✓")


def test_a_new_row_can_not_do_without_a_hidden_column(grid: Grid) -> None:
    grid.page.goto(f"{TABLE}?hide-columns=name")
    grid.wait()
    grid.page.locator("#grid tfoot td").nth(0).click()
    grid.keys.type("dora@example.com")
    grid.keys.press("Enter")

    grid.expect_said("columns that are hidden: Name")


def test_rows_that_do_not_come_are_not_asked_for_over_and_over(grid: Grid) -> None:
    call(grid.page, "POST", "/tables/people/rows", [{"name": f"N{number}"} for number in range(150)])
    asked: list[str] = []

    def fail(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    grid.page.goto(TABLE)
    grid.wait()
    grid.page.route("**/people?cursor=*", fail)
    grid.page.locator(".split > .scroll").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    grid.expect_said("The next rows did not come.")
    grid.page.wait_for_timeout(800)

    assert len(asked) <= 2


def test_the_panel_is_not_left_without_a_word(grid: Grid) -> None:
    grid.cell(1, 0).get_by_role("link").click()
    panel = grid.page.locator("#panel")
    panel.get_by_label("Email").fill("new@example.com")
    grid.cell(3, 0).get_by_role("link").click()
    dialog = grid.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Leave without saving?")
    dialog.get_by_role("button", name="Cancel").click()

    expect(panel.get_by_label("Email")).to_have_value("new@example.com")
    panel.get_by_role("button", name="Close").click()
    dialog.get_by_role("button", name="Leave").click()
    expect(panel).to_be_hidden()


def test_two_taps_edit_a_cell_on_a_phone(grid: Grid, new_admin: Callable[..., Page]) -> None:
    page = new_admin(**PHONE)
    page.goto(TABLE)
    small = Grid(page)
    small.wait()
    small.cell(1, NAME).tap()
    small.cell(1, NAME).tap()
    page.locator("#grid .editor").fill("Anna")
    page.keyboard.press("Enter")

    small.expect_said("Saved.")
    expect(page.locator("#said")).to_be_in_viewport()
    assert kept(grid, "name") == "Anna"
