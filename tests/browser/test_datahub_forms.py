"""The Datahub's forms in a browser: what script and style add to them."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_is_accessible
from tests.browser.forms import fill_in

NEW = "/console/datahub/new?next=/console/datahub"


def test_a_line_is_added_without_asking_the_server_and_makes_a_column(admin: Page) -> None:
    admin.goto(NEW)
    admin.fill("[name=name]", "Orders")

    admin.get_by_role("button", name="Add a column").click()
    expect(admin.locator("[name=columns-4-name]")).to_be_focused()
    admin.keyboard.type("Total")
    admin.select_option("[name=columns-4-type]", "decimal")
    fill_in(admin)
    admin.goto("/console/datahub/tables/orders/settings")

    expect(admin.locator(".columns li")).to_contain_text("Total")
    assert_is_accessible(admin)


def test_only_what_the_chosen_type_can_be_told_is_shown(admin: Page) -> None:
    admin.goto(NEW)
    line = admin.locator("fieldset.line").first

    line.locator("[name=columns-0-name]").fill("Status")
    line.locator("[data-type]").select_option("choice")

    expect(line.get_by_label("Choices")).to_be_visible()
    expect(line.get_by_label("Longest text")).to_be_hidden()
    assert_is_accessible(admin)


def test_examples_are_shown_in_the_language_that_was_chosen(admin: Page) -> None:
    admin.goto(NEW)
    fill_in(admin, name="Orders")

    admin.goto("/console/datahub/tables/orders/api")
    admin.get_by_text("JavaScript", exact=True).click()

    expect(admin.locator("#list pre.javascript")).to_be_visible()
    expect(admin.locator("#list pre.curl")).to_be_hidden()
    assert_is_accessible(admin)
