"""The way from an app on another port and back, in a browser: `form-action`, cookies and CSRF bite only here."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.authpages.oauth import CHALLENGE
from tests.browser.conftest import CallbackApp, assert_is_accessible, link_mailed_to
from tests.browser.forms import fill_in
from tests.browser.test_looks import PHONE, SCREENS
from tests.conftest import PASSWORD

NEW_PASSWORD = "another horse, another battery"
NewPage = Callable[..., Page]
Asking = Callable[..., str]


@pytest.fixture
def asking(as_root: httpx.Client, app: CallbackApp) -> Asking:
    """Where an app, whose callback is on another port, sends people."""

    def address(first_party: bool = True, **parameters: str) -> str:
        wanted = {
            "name": "Notes",
            "type": "public",
            "firstParty": first_party,
            "redirectUris": [f"{app.url}/callback"],
        }
        made = as_root.post("/apps", json=wanted).raise_for_status().json()
        sent = {
            "response_type": "code",
            "client_id": made["id"],
            "redirect_uri": f"{app.url}/callback",
            "scope": "openid profile email offline_access",
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"/oauth/authorize?{urlencode(sent | parameters)}"

    return address


def sign_up(page: Page, email: str) -> None:
    page.goto("/signup")
    fill_in(page, email=email, password=PASSWORD)
    page.wait_for_url("**/account")


def is_back(page: Page, app: CallbackApp, answer: str = "code=") -> None:
    page.wait_for_url(lambda url: url.startswith(f"{app.url}/callback?{answer}"))
    assert "&state=xyz&iss=http%3A%2F%2F127.0.0.1" in page.url
    expect(page.get_by_role("heading", name="Welcome to your notes")).to_be_visible()


def test_a_wrong_password_then_the_right_one(new_page: NewPage, app: CallbackApp, asking: Asking, email: str) -> None:
    sign_up(new_page(), email)
    page = new_page()

    page.goto(asking(login_hint=email))
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    fill_in(page, password="not the password")
    expect(page.get_by_role("alert")).to_contain_text("don’t match")
    fill_in(page, password=PASSWORD)

    is_back(page, app)


@pytest.mark.parametrize("app", ["::1"], indirect=True)
@pytest.mark.parametrize("first_party", [True, False])
def test_an_address_that_a_policy_can_t_name(
    new_page: NewPage, app: CallbackApp, asking: Asking, email: str, first_party: bool
) -> None:
    sign_up(new_page(), email)
    page = new_page()

    page.goto(asking(first_party))
    fill_in(page, email=email, password=PASSWORD)
    if not first_party:
        page.get_by_role("button", name="Allow").click()

    is_back(page, app)


def test_a_sign_up_with_a_bad_password_first(new_page: NewPage, app: CallbackApp, asking: Asking, email: str) -> None:
    page = new_page()
    page.goto(asking())
    page.get_by_role("link", name="Create an account").click()

    fill_in(page, email=email, password="short")
    fill_in(page, password=PASSWORD)

    is_back(page, app)


def test_who_is_logged_in_sees_no_page(new_page: NewPage, app: CallbackApp, asking: Asking, email: str) -> None:
    page = new_page()
    sign_up(page, email)

    page.goto(asking())

    is_back(page, app)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize(("button", "answer"), [("Allow", "code="), ("Cancel", "error=access_denied")])
def test_a_stranger_asks(
    new_page: NewPage, app: CallbackApp, asking: Asking, email: str, button: str, answer: str, script: bool
) -> None:
    sign_up(new_page(), email)
    page = new_page(java_script_enabled=script)
    page.goto(asking(first_party=False))
    fill_in(page, email=email, password=PASSWORD)

    expect(page.get_by_role("heading", name="Notes wants to use your Fastgen account")).to_be_visible()
    page.get_by_role("button", name=button).click()

    is_back(page, app, answer)


def test_the_account_that_is_chosen_goes_on(new_page: NewPage, app: CallbackApp, asking: Asking, email: str) -> None:
    page = new_page()
    sign_up(page, email)

    page.goto(asking(prompt="select_account"))
    page.get_by_role("link", name="Continue").click()

    is_back(page, app)


def test_a_link_that_is_opened_on_a_phone_leads_to_the_app_there(
    admin: Page, new_page: NewPage, app: CallbackApp, asking: Asking, email: str
) -> None:
    desk, phone = new_page(), new_page()
    desk.goto(asking(prompt="create"))
    fill_in(desk, email=email, password=PASSWORD)
    is_back(desk, app)

    phone.goto(link_mailed_to(admin, email, "Verify"))
    phone.get_by_role("button", name="Verify").click()
    phone.get_by_role("status").wait_for()
    fill_in(phone, email=email, password=PASSWORD)

    is_back(phone, app)


def test_a_click_in_the_mail_leads_to_the_app_in_the_browser_that_signed_up(
    admin: Page, new_page: NewPage, app: CallbackApp, asking: Asking, email: str
) -> None:
    page = new_page()
    page.goto(asking(prompt="create"))
    fill_in(page, email=email, password=PASSWORD)

    page.goto(link_mailed_to(admin, email, "Verify"))

    is_back(page, app)
    assert len(app.visits) == 2


def test_a_password_that_is_reset_on_a_phone_leads_to_the_app_there(
    admin: Page, new_page: NewPage, app: CallbackApp, asking: Asking, email: str
) -> None:
    sign_up(new_page(), email)
    desk, phone = new_page(), new_page()
    desk.goto(asking())
    desk.get_by_role("link", name="Forgot it?").click()
    fill_in(desk, email=email)

    phone.goto(link_mailed_to(admin, email, "password"))
    fill_in(phone, password=NEW_PASSWORD)
    fill_in(phone, email=email, password=NEW_PASSWORD)

    is_back(phone, app)


def test_an_address_that_fits_a_line_of_a_phone_stands_on_one(new_page: NewPage, asking: Asking, email: str) -> None:
    page = new_page(**PHONE)
    sign_up(page, email)

    page.goto(asking(first_party=False))

    lines = "it => it.offsetHeight / parseFloat(getComputedStyle(it).lineHeight)"
    assert page.get_by_text(email, exact=True).evaluate(lines) < 1.5


@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_the_pages_on_the_way_look_right(
    new_page: NewPage, app: CallbackApp, asking: Asking, email: str, screen: dict[str, Any]
) -> None:
    page = new_page(**screen)
    sign_up(page, f"a.person.with.quite.a.long.address.to.show.{email}")

    page.goto(asking(first_party=False, scope="openid profile email roles offline_access"))
    assert_is_accessible(page)
    page.get_by_role("button", name="Allow").click()
    is_back(page, app)
    page.goto("/account#apps")
    expect(page.locator("#apps")).to_contain_text("Notes")
    assert_is_accessible(page)
    page.get_by_role("button", name="Remove access of Notes").click()
    expect(page.get_by_role("status")).to_have_text("That app has no access any more.")
    assert_is_accessible(page)
    page.goto("/oauth/authorize?request=gone")
    assert_is_accessible(page)
