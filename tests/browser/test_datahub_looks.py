"""Every page of the Datahub on a dark phone and on a light desk: as `test_looks.py` has it for the others."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import assert_is_accessible
from tests.browser.console import call
from tests.browser.grid import Grid
from tests.browser.test_looks import SCREENS

COLUMNS = [
    {"name": "Customer with a rather long name", "type": "text", "required": True},
    {"name": "Total", "type": "decimal"},
    {"name": "Status", "type": "choice", "options": {"choices": ["open", "paid"]}, "indexed": True},
    {"name": "Labels", "type": "multiChoice", "options": {"choices": ["gift", "express"]}},
    {"name": "Paid", "type": "boolean"},
    {"name": "Placed", "type": "dateTime"},
    {"name": "Note", "type": "longText"},
]
ROW = {
    "customer_with_a_rather_long_name": "Ann",
    "total": "1250.00",
    "status": "open",
    "labels": ["gift", "express"],
    "paid": True,
    "placed": "2026-11-24T09:30:00Z",
    "note": "a\nb " * 100,
}
TABLE = "/console/datahub/tables/orders"
PAGES = [
    "/console/datahub",
    "/console/datahub?q=nothing",
    "/console/datahub/new",
    "/console/datahub/import",
    "/console/datahub/imports",
    "/console/datahub/import?table=orders",
    TABLE,
    f"{TABLE}?status=open&order=-total&hide-columns=note",
    f"{TABLE}?nothing=1",
    f"{TABLE}/rows/new",
    f"{TABLE}/settings",
    f"{TABLE}/view-as",
    f"{TABLE}/api",
    f"{TABLE}/columns/new",
    f"{TABLE}/columns/status",
    f"{TABLE}/columns/status/delete",
    f"{TABLE}/clear",
    f"{TABLE}/delete",
    "/console/datahub/tables/nowhere",
]


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_every_page_of_the_datahub_looks_right(
    admin: Page, new_admin: Callable[..., Page], screen: dict[str, Any]
) -> None:
    page = new_admin(**screen)
    assert_is_accessible(page)  # where there is no table yet
    call(admin, "POST", "/tables", {"name": "Orders", "description": "What people have bought", "columns": COLUMNS})
    page.goto(TABLE)
    assert_is_accessible(page)  # where there is no row yet
    call(admin, "POST", "/tables/orders/rows", [ROW] * 30)
    call(admin, "DELETE", "/tables/orders/columns/note")

    for path in PAGES:
        page.goto(path)
        assert_is_accessible(page)
    _look_at_what_opens(page)


def _look_at_what_opens(page: Page) -> None:
    """Menus, the panel, a cell that is edited, one that is refused, a question."""
    grid = Grid(page)
    page.goto(TABLE)
    grid.wait()
    for opener in ("+ Filter", "+ Sort", "Keys"):
        page.get_by_role("button", name=opener).click()
        page.locator(".menu:popover-open").wait_for()
        assert_is_accessible(page)
        page.keyboard.press("Escape")
    grid.head("Total").click()
    assert_is_accessible(page)
    page.keyboard.press("Escape")
    grid.cell(1, 3).dblclick()
    page.get_by_role("option").first.wait_for()
    assert_is_accessible(page)
    page.keyboard.press("Escape")
    grid.cell(1, 2).click()
    page.keyboard.type("no number")
    page.keyboard.press("Enter")
    page.locator(".refused").wait_for()
    assert_is_accessible(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    grid.cell(2, 1).click()
    page.keyboard.press("Shift+ ")
    page.locator("#picked").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").wait_for()
    assert_is_accessible(page)
    page.keyboard.press("Escape")
    grid.cell(1, 0).get_by_role("link").click()
    page.locator("#panel form").wait_for()
    assert_is_accessible(page)
