"""Every page on a dark phone and on a light desk: nothing for axe-core to find, nothing to scroll sideways."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import assert_is_accessible, link_mailed_to
from tests.browser.console import ROOT
from tests.browser.forms import fill_in
from tests.conftest import PASSWORD

VISITORS = [
    "/login",
    "/signup",
    "/logout",
    "/oauth/logout",
    "/verify-email",
    "/forgot-password",
    "/console/login",
    "/nowhere",
]
BROKEN_LINKS = ["/verify-email?token=x", "/reset-password?token=x", "/console/setup?token=x"]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
# Colours don't depend on the width, nor the layout on the colours: each is seen once.
SCREENS = [{**PHONE, "color_scheme": "dark"}, {**DESK, "color_scheme": "light"}]


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_every_page_looks_right(admin: Page, new_page: Callable[..., Page], email: str, screen: dict[str, Any]) -> None:
    page = new_page(**screen)

    _look_at_the_pages_of_visitors(page)
    _look_at_the_pages_of_a_person(page, f"a.person.with.quite.a.long.address.to.show.{email}", admin)
    _look_at_the_console(page)


@pytest.mark.parametrize("accent", ["#ffd400", "#ffffff", "#000000", "#767676"])
def test_any_accent_is_readable(admin: Page, new_page: Callable[..., Page], accent: str) -> None:
    admin.goto("/console/settings")
    fill_in(admin, accent_color=accent, product_name="Acme Notes & Friends", terms_url="https://acme.example/terms")

    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        page.goto("/login")
        assert_is_accessible(page)


def test_targets_on_a_phone_are_as_large_as_a_finger(new_page: Callable[..., Page]) -> None:
    page = new_page(**PHONE)
    for path in ("/login", "/signup", "/console/login"):
        page.goto(path)
        for target in page.locator("a, button, input:not([type=hidden])").all():
            box = target.bounding_box()
            assert box
            assert box["height"] >= 44, f"{path}: {target.evaluate('it => it.outerHTML')}"


def _look_at_the_pages_of_visitors(page: Page) -> None:
    for path in [*VISITORS, "/console/login", *BROKEN_LINKS]:
        page.goto(path)
        assert_is_accessible(page)
    page.goto("/signup")
    fill_in(page)
    assert_is_accessible(page)
    page.goto("/login")
    fill_in(page, email="who@example.com", password="not the password")
    assert_is_accessible(page)
    page.goto("/forgot-password")
    fill_in(page, email="who@example.com")
    assert_is_accessible(page)


def _look_at_the_pages_of_a_person(page: Page, email: str, admin: Page) -> None:
    page.goto("/signup")
    fill_in(page, email=email, password=PASSWORD)
    page.wait_for_url("**/account")
    for path in ("/account", "/login", "/logout", "/oauth/logout"):
        page.goto(path)
        assert_is_accessible(page)
    link = link_mailed_to(admin, email, "Verify")
    page.context.clear_cookies()
    page.goto(link)
    assert_is_accessible(page)
    page.goto("/forgot-password")
    fill_in(page, email=email)
    page.goto(link_mailed_to(admin, email, "password"))
    assert_is_accessible(page)


def _look_at_the_console(page: Page) -> None:
    page.goto("/console/settings")
    fill_in(page, email=ROOT, password=PASSWORD)
    assert_is_accessible(page)
    fill_in(page, callback_url="no address")
    page.locator(".notice.bad[role=alert]").wait_for()
    assert_is_accessible(page)
    page.goto("/console/inbox")
    assert_is_accessible(page)
    page.locator(".mails a").first.click()
    page.locator(".letter").wait_for()
    assert_is_accessible(page)
