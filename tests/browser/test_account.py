"""A person's own page, in a browser: name, password and devices, on a phone and on a desk."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_is_accessible
from tests.browser.forms import fill_in
from tests.browser.test_looks import SCREENS
from tests.conftest import PASSWORD

NEW = "another horse, another battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
NewPage = Callable[..., Page]


def _sign_up(page: Page, email: str) -> Page:
    page.goto("/signup")
    fill_in(page, email=email, password=PASSWORD)
    page.wait_for_url("**/account")
    return page


def _log_in(page: Page, email: str, password: str = PASSWORD) -> Page:
    page.goto("/login")
    fill_in(page, email=email, password=password)
    page.wait_for_url("**/account")
    return page


def test_a_name_is_kept(new_page: NewPage, email: str) -> None:
    page = _sign_up(new_page(), email)

    page.get_by_label("First name").fill("Ann")
    page.get_by_label("Last name").fill("Lee")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_have_text("Your name is saved.")
    expect(page.locator(".person strong")).to_have_text("Ann Lee")


def test_a_password_is_changed_here_and_every_other_browser_is_logged_out(new_page: NewPage, email: str) -> None:
    page = _sign_up(new_page(), email)
    other = _log_in(new_page(user_agent=FIREFOX), email)

    page.get_by_label("Current password").fill("not the one")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("This is not your current password.")).to_be_in_viewport()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()

    expect(page.get_by_role("status")).to_be_in_viewport()
    expect(page.get_by_role("status")).to_have_text("Your password is changed, and every other device is logged out.")
    other.reload()
    expect(other.get_by_role("heading", name="Log in to Fastgen")).to_be_visible()


def test_a_device_is_logged_out_from_another_one_without_script(new_page: NewPage, email: str) -> None:
    other = _sign_up(new_page(user_agent=FIREFOX), email)
    page = _log_in(new_page(java_script_enabled=False), email)
    expect(page.get_by_role("listitem").filter(has_text="Firefox on Linux")).to_be_visible()

    page.get_by_role("button", name="End the session of Firefox on Linux").click()

    expect(page.get_by_role("status")).to_have_text("That device is logged out.")
    expect(page.get_by_role("listitem")).to_have_count(1)
    other.reload()
    expect(other.get_by_role("heading", name="Log in to Fastgen")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_the_page_looks_right(new_page: NewPage, email: str, screen: dict[str, Any]) -> None:
    _sign_up(new_page(user_agent=FIREFOX), email)
    page = _log_in(new_page(**screen), email)
    assert_is_accessible(page)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Please fill this in.").first).to_be_visible()
    assert_is_accessible(page)
