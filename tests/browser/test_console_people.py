"""The daily work with people and roles: by mouse, by keyboard, on a phone and on a desk, in light and dark."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_is_accessible
from tests.browser.console import call
from tests.browser.forms import fill_in
from tests.browser.grid import tab_to
from tests.browser.test_looks import DESK, SCREENS
from tests.conftest import PASSWORD

IS_IN_SIGHT = """() => {
    const it = document.activeElement;
    const { left, right, top, bottom } = it.getBoundingClientRect();
    const at = y => document.elementFromPoint((left + right) / 2, y);
    const line = Math.min(bottom, top + 40);  // of a larger field the line to write on is enough
    return !it.form || [top + 4, line - 4].every(y => it.contains(at(y)));
}"""


def person(page: Page, email: str, **fields: Any) -> str:
    """Make somebody; the address of their page."""
    page.goto("/console/users")
    made = call(page, "POST", "/users", {"email": email, "password": PASSWORD, **fields})
    return f"/console/users/{made['id']}"


def test_a_person_is_made_found_blocked_let_in_again_and_deleted(
    new_page: Callable[..., Page], new_admin: Callable[..., Page]
) -> None:
    page = new_admin(**DESK)

    # A role, and somebody who has it
    page.get_by_role("link", name="Roles", exact=True).click()
    page.get_by_role("link", name="New role").first.click()
    fill_in(page, name="Editor", description="Writes.")
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("Editor").check()
    fill_in(page, email="carla@example.com", password=PASSWORD, first_name="Carla")
    expect(page.get_by_role("status")).to_contain_text("The account is made.")

    # Found by the beginning of their address, and blocked
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("searchbox").fill("CARLA")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=CARLA**")
    page.get_by_role("link", name="carla@example.com").click()
    page.get_by_role("link", name="Block…").click()
    page.get_by_role("button", name="Block", exact=True).click()
    visitor = new_page()
    visitor.goto("/login")
    fill_in(visitor, email="carla@example.com", password=PASSWORD)
    expect(visitor.get_by_role("alert")).to_contain_text("blocked")

    # Why can't they sign in? The button beside the reason mends it
    reasons = page.get_by_role("region", name="Why can’t they sign in?")
    expect(reasons).to_contain_text("They are blocked")
    reasons.get_by_role("button", name="Unblock").click()
    expect(reasons).to_contain_text("Nothing stands in their way")
    fill_in(visitor, email="carla@example.com", password=PASSWORD)
    visitor.wait_for_url("**/account")

    # Their session is seen, and ended
    page.reload()
    sessions = page.get_by_role("region", name="Sessions")
    sessions.get_by_role("button", name="End the session").click()
    expect(sessions).to_contain_text("they are logged in nowhere")
    visitor.reload()
    visitor.wait_for_url("**/login**")

    # What is wrong with JSON is said with its line, at the field
    page.get_by_role("link", name="Edit", exact=True).click()
    fill_in(page, metadata='{"plan":\n"free",}')
    expect(page.locator(".wrong")).to_contain_text("line 2")
    fill_in(page, metadata='{"plan": "free"}')

    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status")).to_contain_text("The account is deleted.")


def test_somebody_is_found_and_unblocked_by_keyboard(new_admin: Callable[..., Page]) -> None:
    page = new_admin(**DESK)
    path = person(page, "dmitri@example.com", blocked=True)
    page.goto("/console/users")

    tab_to(page, "Find people by the beginning of their address or name")
    page.keyboard.type("dmitri")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=dmitri**")
    tab_to(page, "dmitri@example.com")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
    tab_to(page, "Unblock")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("They are unblocked")


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_the_bar_that_saves_never_covers_the_field_with_the_focus(
    new_admin: Callable[..., Page], email: str, screen: dict[str, Any]
) -> None:
    """WCAG 2.2, 2.4.11, in a window so low that every field passes under the bar."""
    page = new_admin(**screen)
    page.goto(person(page, email) + "/edit")
    page.set_viewport_size({"width": screen["viewport"]["width"], "height": 400})

    for key in ["Tab"] * 30 + ["Shift+Tab"] * 30:
        page.keyboard.press(key)
        assert page.evaluate(IS_IN_SIGHT), page.evaluate("document.activeElement.outerHTML")


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_every_page_about_people_looks_right(
    new_admin: Callable[..., Page], email: str, screen: dict[str, Any]
) -> None:
    page = new_admin(**screen)
    name = f"a.person.with.quite.a.long.address.to.show.{email}"
    story = person(page, name, firstName="A", lastName="N" * 80, blocked=True)
    role = "/console/roles/" + call(page, "POST", "/roles", {"name": f"Reader {name}"})["id"]

    for path in ("", "?span=days"):
        page.goto(f"/console{path}")
        assert_is_accessible(page)
    for path in ("/console/users", "/console/users?q=nobody", "/console/users/new", "/console/users?role=none"):
        page.goto(path)
        assert_is_accessible(page)
    for path in ("", "/edit", "/block", "/password", "/end-sessions", "/delete"):
        page.goto(story + path)
        assert_is_accessible(page)
    for path in ("/console/roles", "/console/roles/new", role, f"{role}/delete"):
        page.goto(path)
        assert_is_accessible(page)
