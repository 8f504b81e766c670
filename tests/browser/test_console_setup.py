"""Setting an installation up: the hosted pages with their preview, API keys, and the API to read and try."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import assert_is_accessible, assert_is_readable
from tests.browser.forms import fill_in
from tests.browser.test_looks import DESK, PHONE, SCREENS


def _logo() -> FilePayload:
    file = io.BytesIO()
    Image.new("RGB", (120, 40), "teal").save(file, "PNG")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": file.getvalue()}


@pytest.fixture
def admin(new_admin: Callable[..., Page]) -> Page:
    return new_admin(**DESK)


def test_the_preview_follows_what_is_typed_and_only_saving_saves(admin: Page) -> None:
    admin.goto("/console/settings")
    entries = admin.evaluate("history.length")
    preview = admin.frame_locator("iframe[name=preview]")

    admin.fill("[name=product_name]", "Acme")
    admin.fill("[name=accent_color]", "#ffd400")
    admin.set_input_files("[name=logo]", _logo())
    admin.locator("label[for=scheme-dark]").click()

    expect(preview.locator("img")).to_have_attribute("src", re.compile("^data:image/png"))
    expect(preview.locator("button.primary")).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(preview.locator("body")).to_have_css("background-color", "rgb(17, 18, 21)")
    expect(admin.locator("#contrast")).to_contain_text("Black, as white would reach only 1.43:1.")
    assert admin.evaluate("history.length") == entries
    fill_in(admin)
    expect(admin.get_by_role("status")).to_have_text("The settings are saved.")
    expect(admin.get_by_alt_text("The logo as it is now")).to_be_visible()
    admin.goto("/login")
    expect(admin.get_by_role("img", name="Acme")).to_be_visible()


def test_a_logo_that_is_too_large_is_let_go_at_once(admin: Page) -> None:
    admin.goto("/console/settings")

    admin.set_input_files("[name=logo]", {**_logo(), "buffer": b"x" * 300_000})

    expect(admin.get_by_role("alert")).to_contain_text("This file is larger than 256 kB and was not taken.")
    expect(admin.locator("[name=logo]")).to_have_value("")


def test_the_preview_works_without_script(new_admin: Callable[..., Page]) -> None:
    page = new_admin(**DESK, java_script_enabled=False)
    page.goto("/console/settings")

    page.fill("[name=product_name]", "Typed")
    page.get_by_role("button", name="Show what is typed").click()

    expect(page.frame_locator("iframe[name=preview]").locator("h1")).to_have_text("Log in to Typed")
    expect(page.locator("[name=product_name]")).to_have_value("Typed")
    page.reload()
    expect(page.locator("[name=product_name]")).not_to_have_value("Typed")


def test_a_key_is_made_tried_and_ended(admin: Page) -> None:
    admin.goto("/console/keys")
    admin.get_by_role("link", name="New key").first.click()
    admin.get_by_label("Read the log.").check()
    fill_in(admin, name="Nightly export")
    key = admin.locator("pre.secret").inner_text()
    assert_is_accessible(admin)

    asked = {"authorization": f"Bearer {key}"}
    assert admin.request.get("/api/v1/events?limit=1", headers=asked).status == 200
    admin.reload()
    expect(admin.get_by_role("heading", name="The key was shown once")).to_be_visible()
    admin.goto("/console/keys")
    admin.get_by_role("link", name="Delete Nightly export").click()
    admin.get_by_role("button", name="Delete key").click()

    expect(admin.get_by_role("status")).to_contain_text("The key is deleted.")
    assert admin.request.get("/api/v1/events?limit=1", headers=asked).status == 401


def test_the_api_is_read_and_tried_without_anything_from_elsewhere(admin: Page) -> None:
    admin.goto("/console/keys/new")
    admin.get_by_label("Everything, as an admin may").check()
    fill_in(admin, name="For the docs")
    key = admin.locator("pre.secret").inner_text()
    admin.context.clear_cookies()

    admin.goto("/api/docs")
    admin.get_by_role("button", name="Authorize", exact=True).click()
    admin.get_by_label("auth-bearer-value").fill(key)
    admin.get_by_role("button", name="Apply credentials").first.click()
    admin.get_by_role("button", name="Close").first.click()
    admin.locator("#operations-tag-api-keys").click()
    operation = admin.locator("#operations-api-keys-getApiKeys")
    operation.click()
    expect(operation.locator("pre", has_text='curl -s "$API/api-keys"')).to_be_visible()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table")).to_contain_text("For the docs")


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_an_operation_of_the_api_is_found_by_its_words(new_page: Callable[..., Page], screen: dict[str, Any]) -> None:
    page = new_page(**screen)
    page.goto("/api/docs")

    page.get_by_role("searchbox", name="Search operations").fill("PAUSE replay")

    found = page.locator(".opblock-tag-section .opblock")
    expect(found).to_have_count(1)
    found.locator(".opblock-summary-control").click()
    found.get_by_role("button", name="Try it out").click()
    ground = "rgb(28, 32, 34)" if screen["color_scheme"] == "dark" else "rgb(255, 255, 255)"
    expect(page.locator("body")).to_have_css("background-color", ground)
    assert_is_readable(page)
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".opblock-tag")).not_to_have_count(1)
    expect(found).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_the_pages_of_setting_up_look_right(new_admin: Callable[..., Page], screen: dict[str, Any]) -> None:
    page = new_admin(**screen)
    for path in ("/console/settings", "/console/keys", "/console/keys/new"):
        page.goto(path)
        assert_is_accessible(page)
    fill_in(page)
    assert_is_accessible(page)


def test_a_narrow_page_of_keys_stays_in_its_width(new_admin: Callable[..., Page]) -> None:
    page = new_admin(**PHONE)
    page.goto("/console/keys/new")
    page.get_by_label("Read the log.").check()
    fill_in(page, name="A key with a name that is as long as what it is for")

    page.goto("/console/keys")

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
