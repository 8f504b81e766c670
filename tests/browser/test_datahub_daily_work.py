"""The daily work with a table, once by mouse and once by keyboard alone; the events tell each change once, in order."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.grid import CLIPBOARD, Grid, tab_to
from tests.processes import query

KEY_FIELD = "Type the table’s key to delete it"
BLOCK = [[f"Customer {n}", f"{n}.50", "paid" if n % 2 else "open", str(n)] for n in range(50)]
TOLD = "SELECT type, source FROM events_event WHERE type LIKE 'api.%' ORDER BY id"
EVENTS = [
    "api.dataTable_created",
    "api.dataTable_updated",  # a column is added
    "api.dataTable_updated",  # and one more
    "api.dataTable_updated",  # a column has another name
    "api.dataTable_updated",  # a column has another type
    "api.dataTable_emptied",
    "api.dataTable_deleted",
]


@pytest.fixture
def desk(admin: Page, database_url: str) -> Iterator[Page]:
    """An admin before a wide window; afterwards the events are just those of the work."""
    admin.set_viewport_size({"width": 1280, "height": 800})
    admin.context.grant_permissions(CLIPBOARD)
    before = len(query(database_url, TOLD))
    yield admin
    assert query(database_url, TOLD)[before:] == [(type, "console") for type in EVENTS]


def test_the_daily_work_by_mouse(desk: Page, database_url: str) -> None:
    page, grid = desk, Grid(desk)

    # A table, and two more columns
    page.get_by_role("link", name="New table").first.click()
    page.get_by_label("Name").first.fill("Orders")
    page.locator("[name=columns-0-name]").fill("Customer")
    page.locator("[name=columns-1-name]").fill("Total")
    page.locator("[name=columns-1-type]").select_option("decimal")
    page.get_by_role("button", name="Create table").click()
    _add_column(page, "Status", "choice", "open\npaid")
    _add_column(page, "Code", "text")

    # Rows are typed
    grid.wait()
    page.get_by_role("link", name="Add row").click()
    grid.keys.type("Ann")
    grid.cell(1, 2).click()
    grid.keys.type("12.5")
    grid.cell(1, 3).dblclick()
    page.get_by_role("option", name="paid").click()
    grid.expect_cell(1, 3, "paid")
    grid.cell(1, 4).dblclick()
    grid.keys.type("none")
    page.locator("#grid tfoot td").nth(0).click()
    grid.keys.type("Bob")
    grid.cell(1, 1).click()
    grid.expect_rows(2)
    grid.expect_cell(1, 2, "12.50")

    # A block is pasted past the end
    grid.cell(2, 1).click()
    grid.paste(BLOCK)
    expect(page.get_by_role("dialog")).to_contain_text("Rows to be changed: 1; to be added: 49.")
    page.get_by_role("dialog").get_by_role("button", name="Paste").click()
    grid.expect_rows(51)
    grid.expect_cell(51, 4, "49")

    # Sorted, filtered, searched
    grid.head("Customer").click()
    page.get_by_role("link", name="Sort descending").click()
    grid.expect_cell(1, 1, "Customer 9")
    grid.head("Status").click()
    page.get_by_role("button", name="Filter…").locator("visible=true").click()
    page.locator("[name=filter-value]").fill("open")
    page.get_by_role("button", name="Filter", exact=True).click()
    grid.expect_rows(25)
    expect(page.locator(".page > header .tag")).to_have_text("25 rows")
    page.get_by_label("Search rows").fill("customer 4")
    page.get_by_label("Search rows").press("Enter")
    grid.expect_rows(6)
    page.goto("/console/datahub/tables/orders")

    # A column has another name, and one another type, which not all values can have
    _open_column(page, grid, "Customer")
    page.locator("#panel [name=name]").fill("Buyer")
    page.locator("#panel").get_by_role("button", name="Save").click()
    grid.head("Buyer").wait_for()
    _open_column(page, grid, "Code")
    page.locator("#panel [name=type]").select_option("integer")
    page.locator("#panel").get_by_role("button", name="Save").click()
    expect(page.locator("#panel")).to_contain_text("none")
    page.locator("#panel").get_by_role("button", name="Change anyway").click()
    expect(page.locator('#grid th[data-name="Code"]')).to_have_class("number")
    grid.expect_cell(1, 4, "")

    # An edit is undone
    grid.wait()
    grid.cell(1, 1).click()
    grid.keys.type("Somebody")
    grid.cell(2, 1).click()
    grid.expect_said("Saved.")
    page.get_by_role("button", name="Undo").click()
    grid.expect_said("Undone.")
    grid.expect_cell(1, 1, "Ann")

    # Another tab was quicker
    other = Grid(page.context.new_page())
    other.page.goto("/console/datahub/tables/orders")
    other.wait()
    other.cell(1, 1).dblclick()
    other.keys.type("Theirs")
    other.keys.press("Enter")
    other.expect_said("Saved.")
    other.page.close()
    grid.cell(1, 1).dblclick()
    grid.keys.type("Mine")
    grid.cell(3, 1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Mine")
    expect(dialog).to_contain_text("Theirs")
    dialog.get_by_role("button", name="Take what is there").click()
    grid.expect_cell(1, 1, "Theirs")

    # Rows are deleted, all rows, the table
    grid.cell(3, 0).get_by_role("checkbox").check()
    grid.cell(4, 0).get_by_role("checkbox").check()
    page.locator("#picked").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    grid.expect_rows(49)
    page.get_by_role("link", name="Table settings").click()
    page.get_by_role("link", name="Clear table").click()
    page.get_by_role("button", name="Clear table").click()
    expect(page.locator("#grid")).to_contain_text("No rows yet.")
    page.get_by_role("link", name="Table settings").click()
    page.get_by_role("link", name="Delete Table").click()
    page.get_by_role("textbox").fill("orders")
    page.get_by_role("button", name="Delete Table").click()
    expect(page.locator(".empty")).to_contain_text("No table yet")


def test_the_daily_work_by_keyboard_alone(desk: Page) -> None:
    page, grid, press, type_in = desk, Grid(desk), desk.keyboard.press, desk.keyboard.type

    # A table, and two more columns
    tab_to(page, "New table")
    press("Enter")
    page.wait_for_url("**/new")
    tab_to(page, "Name")
    type_in("Orders")
    for name, type in (("Customer", "Text"), ("Total", "Decimal")):
        tab_to(page, "Name")
        type_in(name)
        press("Tab")
        type_in(type)
    tab_to(page, "Create table")
    press("Enter")
    for name, type, choices in (("Status", "Choice", "open\npaid"), ("Code", "Text", "")):
        grid.wait()
        _go_to_heads(page)
        press("End")
        press("Enter")
        page.locator("#panel [name=name]").wait_for()
        tab_to(page, "Name")
        type_in(name)
        tab_to(page, "Type")
        type_in(type)
        if choices:
            tab_to(page, "Choices")
            type_in(choices)
        tab_to(page, "Add column")
        press("Enter")
        grid.head(name).wait_for()

    # Rows are typed
    grid.wait()
    _into_grid(page)
    press("Shift+Enter")
    type_in("Ann")
    press("Tab")
    type_in("12.5")
    press("Tab")
    type_in("pa")
    press("Tab")
    type_in("none")
    press("Enter")
    grid.expect_cell(1, 3, "paid")
    press("Home")
    type_in("Bob")
    press("Enter")
    grid.expect_rows(2)
    grid.expect_cell(1, 2, "12.50")

    # A block is pasted past the end
    press("ArrowUp")
    grid.expect_here(2, 1)
    grid.paste(BLOCK)
    expect(page.get_by_role("dialog")).to_contain_text("Rows to be changed: 1; to be added: 49.")
    press("Enter")
    grid.expect_rows(51)
    grid.expect_cell(51, 4, "49")

    # Sorted, filtered, searched
    _choose_in_menu(page, column=1, name="Sort descending")
    grid.expect_cell(1, 1, "Customer 9")
    grid.wait()
    _choose_in_menu(page, column=3, name="Filter…")
    page.locator("#filter:popover-open").wait_for()
    tab_to(page, "Value", most=3)
    type_in("open")
    press("Enter")
    grid.expect_rows(25)
    grid.wait()
    tab_to(page, "Search rows")
    type_in("customer 4")
    press("Enter")
    grid.expect_rows(6)
    grid.wait()
    page.goto("/console/datahub/tables/orders")

    # A column has another name, and one another type, which not all values can have
    grid.wait()
    _choose_in_menu(page, column=1, name="Rename, change type…")
    page.locator("#panel [name=name]").wait_for()
    tab_to(page, "Name")
    type_in("Buyer")
    press("Enter")
    grid.head("Buyer").wait_for()
    grid.wait()
    _choose_in_menu(page, column=4, name="Rename, change type…")
    page.locator("#panel [name=type]").wait_for()
    tab_to(page, "Type")
    type_in("Whole")
    tab_to(page, "Save")
    press("Enter")
    expect(page.locator("#panel")).to_contain_text("none")
    tab_to(page, "Change anyway — 1 value becomes empty")
    press("Enter")
    expect(page.locator('#grid th[data-name="Code"]')).to_have_class("number")
    grid.expect_cell(1, 4, "")

    # An edit is undone
    grid.wait()
    _into_grid(page)
    press("ControlOrMeta+Home")
    grid.expect_here(1, 1)
    type_in("Somebody")
    press("Enter")
    grid.expect_said("Saved.")
    press("ControlOrMeta+z")
    grid.expect_said("Undone.")
    grid.expect_cell(1, 1, "Ann")

    # Another tab was quicker
    other = Grid(page.context.new_page())
    other.page.goto("/console/datahub/tables/orders")
    other.wait()
    _into_grid(other.page)
    other.page.keyboard.press("ControlOrMeta+Home")
    other.keys.type("Theirs")
    other.keys.press("Enter")
    other.expect_said("Saved.")
    other.page.close()
    press("ArrowUp")
    grid.expect_here(1, 1)
    type_in("Mine")
    press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Mine")
    expect(dialog).to_contain_text("Theirs")
    tab_to(page, "Take what is there", most=3)
    press("Enter")
    grid.expect_cell(1, 1, "Theirs")

    # Rows are deleted, all rows, the table
    press("ArrowDown")
    press("Shift+Space")
    press("ArrowDown")
    press("Shift+Space")
    press("ControlOrMeta+Delete")
    expect(page.get_by_role("dialog")).to_contain_text("Delete 2 rows?")
    press("Enter")
    grid.expect_rows(49)
    press("Escape")
    tab_to(page, "Table settings", back=True)
    press("Enter")
    page.wait_for_url("**/settings")
    tab_to(page, "Clear table", most=150)
    press("Enter")
    page.wait_for_url("**/clear")
    tab_to(page, "Clear table")
    press("Enter")
    expect(page.locator("#grid")).to_contain_text("No rows yet.")
    grid.wait()
    tab_to(page, "Table settings")
    press("Enter")
    page.wait_for_url("**/settings")
    tab_to(page, "Delete Table", most=150)
    press("Enter")
    page.wait_for_url("**/delete")
    tab_to(page, KEY_FIELD)
    type_in("orders")
    press("Enter")
    expect(page.locator(".empty")).to_contain_text("No table yet")


def _add_column(page: Page, name: str, type: str, choices: str = "") -> None:
    Grid(page).wait()
    page.get_by_role("link", name="Add a column").click()
    panel = page.locator("#panel")
    panel.locator("[name=name]").fill(name)
    panel.locator("[name=type]").select_option(type)
    if choices:
        panel.locator("[name=options_choices]").fill(choices)
    panel.get_by_role("button", name="Add column").click()
    Grid(page).head(name).wait_for()


def _open_column(page: Page, grid: Grid, name: str) -> None:
    grid.wait()
    grid.head(name).click()
    page.get_by_role("link", name="Rename, change type…").locator("visible=true").click()


def _into_grid(page: Page) -> None:
    """Tab goes into the grid, to the cell that is the active one."""
    for _press in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#grid .here')"):
            return
    raise AssertionError("Tab does not come to the grid.")


def _go_to_heads(page: Page) -> None:
    _into_grid(page)
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.press("ArrowUp")


def _choose_in_menu(page: Page, *, column: int, name: str) -> None:
    """Open the menu of a column, go down to an entry, and take it."""
    _go_to_heads(page)
    for _column in range(column - 1):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".menu:popover-open :focus").wait_for()
    for _entry in range(12):
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"There is no ‘{name}’ in the menu.")
