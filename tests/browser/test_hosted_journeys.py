"""The journeys of people, in a browser: CSRF, Referrer-Policy and form-action bite only here."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CallbackApp, link_mailed_to
from tests.browser.console import ROOT
from tests.browser.forms import fill_in
from tests.conftest import PASSWORD
from tests.processes import Running

NEW_PASSWORD = "another horse, another battery"


@pytest.fixture
def callback(admin: Page, app: CallbackApp, up: Running) -> str:
    """The callback on another port, set in the console; answers where people land."""
    admin.goto("/console/settings")
    fill_in(admin, callback_url=f"{app.url}/back?tenant=7")
    expect(admin.get_by_role("status")).to_have_text("The settings are saved.")
    return f"{app.url}/back?tenant=7&iss=http%3A%2F%2F127.0.0.1%3A{up.port}"


def test_a_click_in_the_mail_is_enough_in_the_browser_that_signed_up(
    admin: Page, app: CallbackApp, callback: str, email: str
) -> None:
    admin.goto("/signup")
    fill_in(admin, email=email, password=PASSWORD)
    admin.wait_for_url(callback)
    link_mailed_to(admin, email, "Verify")

    admin.click(".letter a")
    admin.wait_for_url(callback)

    assert app.visits == [callback.removeprefix(app.url)] * 2
    admin.goto("/account")
    expect(admin.get_by_text("Verified", exact=True)).to_be_visible()


def test_elsewhere_it_takes_a_button(admin: Page, new_page: Callable[..., Page], callback: str, email: str) -> None:
    ann, phone = new_page(), new_page()
    ann.goto("/signup")
    fill_in(ann, email=email, password=PASSWORD)
    link = link_mailed_to(admin, email, "Verify")

    phone.goto(link)
    phone.wait_for_load_state("networkidle")
    expect(phone.get_by_role("heading", name="Verify your address")).to_be_visible()
    phone.get_by_role("button", name="Verify").click()

    phone.wait_for_url(callback)
    phone.goto(link)
    phone.get_by_role("button", name="Verify").click()
    phone.wait_for_url(callback)


def test_the_html_of_a_mail_is_shown_and_its_button_works(admin: Page, callback: str, email: str) -> None:
    admin.goto("/signup")
    fill_in(admin, email=email, password=PASSWORD)
    link_mailed_to(admin, email, "Verify")

    with admin.context.expect_page() as opened:
        admin.frame_locator("iframe").get_by_role("link").first.click()

    opened.value.wait_for_url(callback)


def test_a_forgotten_password_is_reset(admin: Page, new_page: Callable[..., Page], callback: str, email: str) -> None:
    ann = new_page()
    ann.goto("/signup")
    fill_in(ann, email=email, password=PASSWORD)
    ann.goto("/login")
    ann.get_by_role("link", name="Forgot it?").click()
    fill_in(ann, email=email)
    expect(ann.get_by_role("heading", name="Check your mail")).to_be_visible()

    ann.goto(link_mailed_to(admin, email, "password"))
    fill_in(ann, password="short")
    expect(ann.get_by_text("Use at least 8 characters.", exact=True)).to_be_visible()
    fill_in(ann, password=NEW_PASSWORD)

    expect(ann.get_by_role("status")).to_contain_text("Your password was changed.")
    fill_in(ann, email=email, password=NEW_PASSWORD)
    ann.wait_for_url(callback)


def test_a_wrong_password_is_told_and_the_address_stays(new_page: Callable[..., Page], email: str) -> None:
    page = new_page()
    page.goto("/login")

    fill_in(page, email=email, password="not the password")

    expect(page.get_by_role("alert")).to_contain_text("don’t match")
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_a_double_click_signs_up_once(new_page: Callable[..., Page], email: str) -> None:
    page = new_page()
    page.goto("/signup")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)

    page.dblclick("button.primary")

    page.wait_for_url("**/account")


def test_a_password_can_be_shown(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/login")
    page.fill("[name=password]", PASSWORD)

    page.get_by_role("button", name="Show password").click()

    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "password")


def test_everything_works_without_script(admin: Page, new_page: Callable[..., Page], callback: str, email: str) -> None:
    ann = new_page(java_script_enabled=False)
    ann.goto("/signup")
    fill_in(ann, email=email, password=PASSWORD)
    ann.wait_for_url(callback)

    ann.goto(link_mailed_to(admin, email, "Verify"))
    ann.get_by_role("button", name="Verify").click()
    ann.wait_for_url(callback)
    ann.goto("/account")
    ann.get_by_role("button", name="Log out").click()
    fill_in(ann, email=email, password=PASSWORD)

    ann.wait_for_url(callback)


def test_the_console_works_without_script(admin: Page, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/console/settings")
    fill_in(page, email=ROOT, password=PASSWORD)

    page.get_by_label("Product name").fill("Acme")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_have_text("The settings are saved.")
    page.goto("/login")
    expect(page.get_by_role("heading", name="Log in to Acme")).to_be_visible()
