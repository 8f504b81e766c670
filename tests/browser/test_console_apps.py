"""Apps in the console, as an admin goes about them: one is made, misspelt, and mended by what the error page tells."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CallbackApp, assert_is_accessible
from tests.browser.forms import fill_in
from tests.browser.test_looks import SCREENS


def _make_an_app(admin: Page, callback: str, kind: str) -> str:
    """Its client id; the page is that of the app, or of its secret."""
    admin.goto("/console/apps/new")
    admin.get_by_role("radio", name=kind).check()
    fill_in(admin, name="Notes", redirect_uris=callback)
    admin.wait_for_url(re.compile(r"/console/apps/[0-9a-f-]{36}"))
    return admin.url.split("/")[5]


def _ask(page: Page, client_id: str, redirect_uri: str) -> None:
    asked = {"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "code", "scope": "openid"}
    page.goto(f"/oauth/authorize?{urlencode(asked | {'code_challenge': 'x' * 43, 'code_challenge_method': 'S256'})}")


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_a_misspelt_redirect_is_mended_by_its_reference(
    new_admin: Callable[..., Page], new_page: Callable[..., Page], app: CallbackApp, screen: dict[str, Any]
) -> None:
    admin, person = new_admin("/console/apps", **screen), new_page(**screen)
    assert_is_accessible(admin)
    client_id = _make_an_app(admin, f"{app.url}/back", "Single-page app")
    assert_is_accessible(admin)

    _ask(person, client_id, f"{app.url}/Back/")
    expect(person.get_by_role("heading", level=1)).to_have_text("We can’t take you there")
    assert_is_accessible(person)
    reference = person.locator(".reference strong").inner_text()

    admin.goto("/console/apps")
    admin.get_by_role("searchbox").fill(reference)
    admin.get_by_role("button", name="Search").click()
    admin.wait_for_url(f"**/console/apps/{client_id}#{reference}")
    refused = admin.get_by_role("region", name=reference)
    expect(refused).to_contain_text("It ends with a slash; the registered one doesn’t.")
    expect(refused.locator("mark").first).to_be_visible()
    assert_is_accessible(admin)
    refused.get_by_role("link", name="Add this URI").click()
    admin.get_by_role("heading", name="Add this URI?").wait_for()
    assert_is_accessible(admin)
    admin.get_by_role("button", name="Add this URI").click()
    expect(admin.get_by_role("status")).to_contain_text("The address is registered.")

    _ask(person, client_id, f"{app.url}/Back/")
    expect(person.get_by_role("heading", level=1)).to_have_text("Log in to Fastgen")


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_a_look_alike_is_not_waved_through(
    new_admin: Callable[..., Page], new_page: Callable[..., Page], screen: dict[str, Any]
) -> None:
    admin, person = new_admin(**screen), new_page(**screen)
    client_id = _make_an_app(admin, "https://notes.example.com/back", "Single-page app")

    _ask(person, client_id, "https://notes-example.com/back")
    reference = person.locator(".reference strong").inner_text()
    admin.goto(f"/console/apps/{client_id}/refused/{reference}")
    assert_is_accessible(admin)
    admin.get_by_role("button", name="Add this URI").click()
    expect(admin.get_by_role("alert")).to_have_text("One field needs another look.")
    assert_is_accessible(admin)
    admin.get_by_label("Type the host").fill("notes-example.com")
    admin.get_by_role("button", name="Add this URI").click()

    expect(admin.get_by_role("status")).to_contain_text("The address is registered.")


def test_the_form_asks_for_what_this_kind_of_app_needs(new_admin: Callable[..., Page]) -> None:
    page = new_admin("/console/apps/new")
    where, itself = page.get_by_label("Redirect URIs"), page.get_by_role("heading", name="By itself it may")

    seen = {}
    for kind in ("Website with a server", "Single-page app", "Mobile or desktop app", "Only machines"):
        page.get_by_role("radio", name=kind).check()
        seen[kind] = (where.is_visible(), itself.is_visible())

    assert list(seen.values()) == [(True, True), (True, False), (True, False), (False, True)]


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_a_secret_is_copied_and_rotated(new_admin: Callable[..., Page], screen: dict[str, Any]) -> None:
    page = new_admin(**screen)
    client_id = _make_an_app(page, "https://notes.example.com/back", "Website with a server")
    page.wait_for_url("**/secret")
    first = page.locator("pre.secret").inner_text()
    expect(page.get_by_role("button", name="Copy")).to_have_count(3)
    assert_is_accessible(page)

    page.get_by_role("link", name="To the app").click()
    page.get_by_role("link", name="New secret").click()
    assert_is_accessible(page)
    page.get_by_role("button", name="Make a new secret").click()
    page.wait_for_url("**/secret")
    assert page.locator("pre.secret").inner_text() != first
    page.goto(f"/console/apps/{client_id}")
    assert_is_accessible(page)
    page.get_by_role("button", name="End the former secret").click()

    expect(page.get_by_role("status")).to_have_text("The former secret works no longer.")
    for path in ("edit", "delete"):
        page.goto(f"/console/apps/{client_id}/{path}")
        assert_is_accessible(page)
