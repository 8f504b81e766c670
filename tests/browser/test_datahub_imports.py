"""A file becomes a table: its types are corrected, its bad lines are mended, and all of it can be undone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_is_accessible
from tests.browser.console import call
from tests.browser.grid import Grid, tab_to

FILE = """name,email,age,joined
Ann,ann@example.com,31,2026-11-01
Bob,bob@example.com,old,2026-11-02
Cid,cid@example.com,44
Dora,not an address,52,2026-11-04
Emil,emil@example.com,x9,2026-11-05
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    return path


def rows_of(page: Page) -> list[Any]:
    return list(call(page, "GET", "/tables/people/rows?order=name")["items"])


def test_a_file_with_bad_lines_becomes_a_table_by_mouse(admin: Page, file: Path) -> None:
    admin.get_by_role("link", name="Import a file").first.click()
    admin.locator("[name=file]").set_input_files(file)
    admin.locator("[name=name]").fill("People")
    assert_is_accessible(admin)
    admin.get_by_role("button", name="Continue").click()

    # What it would become is corrected before anything is made
    admin.wait_for_url("**/columns")
    assert call(admin, "GET", "/tables")["items"] == []
    assert_is_accessible(admin)
    types = admin.locator("table.shapes select")
    expect(types).to_have_count(4)
    types.nth(1).select_option("email")
    types.nth(2).select_option("integer")
    admin.get_by_role("button", name="Make the table and import 4 rows").click()

    # Bad lines are kept apart, and mended
    admin.get_by_role("link", name="Mend").first.click()
    admin.locator("table.mending").wait_for()
    assert [row["name"] for row in rows_of(admin)] == ["Ann"]
    assert_is_accessible(admin)
    _mend(admin, "old", "17")
    _mend(admin, "not an address", "dora@example.com")
    _mend(admin, "x9", "still wrong")
    admin.get_by_role("button", name="Take in what I changed").click()
    expect(admin.locator("[role=status]").first).to_contain_text("2 rows")
    assert [row["name"] for row in rows_of(admin)] == ["Ann", "Bob", "Dora"]
    expect(admin.locator("table.mending input[value='still wrong']")).to_have_count(1)
    _mend(admin, "still wrong", "60")
    _mend_missing(admin, "Cid", "2026-11-03")
    admin.get_by_role("button", name="Take in what I changed").click()
    expect(admin.get_by_role("heading", name="Nothing is left to mend")).to_be_visible()
    expect(admin.locator("table.mending")).to_have_count(0)
    assert [row["age"] for row in rows_of(admin)] == [31, 17, 44, 52, 60]

    # All of it is undone
    admin.goto("/console/datahub/imports")
    admin.locator("table a").first.click()
    admin.get_by_role("link", name="Undo").click()
    admin.get_by_role("button", name="Delete 5 rows").click()
    expect(admin.locator("#import-state")).to_contain_text("Taken out again5")
    assert rows_of(admin) == []


def test_a_file_is_added_to_a_table_by_keyboard(admin: Page, file: Path) -> None:
    columns = [{"name": "Name", "type": "text"}, {"name": "Age", "type": "integer"}]
    call(admin, "POST", "/tables", {"name": "People", "columns": columns})
    file.write_text("name,age\nAnn,31\nBob,old\n")
    admin.goto("/console/datahub/tables/people")
    Grid(admin).wait()
    tab_to(admin, "Import")
    admin.keyboard.press("Enter")
    admin.wait_for_url("**/import?*")
    admin.locator("[name=file]").set_input_files(file)  # the dialog is the system's
    tab_to(admin, "Import")
    admin.keyboard.press("Enter")

    expect(admin.locator("#import-state")).to_contain_text("1")
    admin.get_by_role("link", name="Mend").first.wait_for()
    tab_to(admin, admin.get_by_role("link", name="Mend").first.inner_text())
    admin.keyboard.press("Enter")
    admin.locator("table.mending").wait_for()
    for _press in range(60):
        admin.keyboard.press("Tab")
        if admin.evaluate("document.activeElement.value") == "old":
            break
    admin.keyboard.press("ControlOrMeta+a")
    admin.keyboard.type("32")
    admin.keyboard.press("Enter")

    expect(admin.get_by_role("heading", name="Nothing is left to mend")).to_be_visible()
    expect(admin.locator("table.mending")).to_have_count(0)
    assert [row["age"] for row in rows_of(admin)] == [31, 32]


def _mend(page: Page, wrong: str, right: str) -> None:
    page.locator(f"table.mending input[value='{wrong}']").fill(right)


def _mend_missing(page: Page, name: str, value: str) -> None:
    """Fill in the cell that the line of this name is without."""
    page.locator("table.mending tr", has=page.locator(f"input[value='{name}']")).locator("input[type=text]").last.fill(
        value
    )
