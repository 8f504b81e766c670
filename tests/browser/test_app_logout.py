"""Logging out by an app, as a browser has it: its cookies go along or not, and its form leads to another origin."""

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CallbackApp
from tests.browser.forms import fill_in
from tests.conftest import PASSWORD
from tests.processes import PATIENCE, Running

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def client_id(as_root: httpx.Client, app: CallbackApp) -> str:
    """The app, on a port of its own."""
    uris = {"redirectUris": [f"{app.url}/back"], "postLogoutRedirectUris": [f"{app.url}/bye"]}
    made = as_root.post("/apps", json={"name": "Notes", "type": "public", **uris})
    made.raise_for_status()
    return str(made.json()["id"])


@pytest.fixture
def ann(new_page: Callable[..., Page], email: str) -> Page:
    """Somebody who is logged in."""
    page = new_page()
    page.goto("/signup")
    fill_in(page, email=email, password=PASSWORD)
    page.wait_for_url("**/account")
    return page


def _id_token(ann: Page, up: Running, app: CallbackApp, client_id: str) -> str:
    """What the app got for the code that the browser brought it."""
    sent = {"client_id": client_id, "redirect_uri": f"{app.url}/back", "response_type": "code", "scope": "openid"}
    ann.goto(f"/oauth/authorize?{urlencode({**sent, 'code_challenge': CHALLENGE, 'code_challenge_method': 'S256'})}")
    code = parse_qs(urlsplit(ann.url).query)["code"][0]
    form = {**sent, "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    return str(httpx.post(f"{up.url}/oauth/token", data=form, timeout=PATIENCE).json()["id_token"])


def _post_from_another_site(ann: Page, to: str, fields: dict[str, str]) -> None:
    """Send a form as a page does that is not ours, and of no site that we know."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    ann.goto("about:blank")
    ann.set_content(f'<form method="post" action="{to}/oauth/logout">{hidden}<button>Log out</button></form>')
    ann.get_by_role("button").click()


def test_the_button_of_the_page_that_asks_leads_to_the_app(
    ann: Page, app: CallbackApp, client_id: str, email: str
) -> None:
    asked = {"client_id": client_id, "post_logout_redirect_uri": f"{app.url}/bye", "state": "s"}
    ann.goto(f"/oauth/logout?{urlencode(asked)}")
    expect(ann.get_by_text(email)).to_be_visible()

    ann.get_by_role("button", name="Log out").click()

    ann.wait_for_url(f"{app.url}/bye?state=s")
    ann.goto("/account")
    ann.wait_for_url("**/login?next=**")


def test_an_app_of_another_site_that_posts_its_hint_logs_out_at_once(
    ann: Page, up: Running, app: CallbackApp, client_id: str
) -> None:
    hint = _id_token(ann, up, app, client_id)

    _post_from_another_site(ann, up.url, {"id_token_hint": hint, "post_logout_redirect_uri": f"{app.url}/bye"})

    ann.wait_for_url(f"{app.url}/bye")
    ann.goto("/account")
    ann.wait_for_url("**/login?next=**")


def test_a_page_of_another_site_without_a_hint_leads_to_the_question(ann: Page, up: Running, email: str) -> None:
    _post_from_another_site(ann, up.url, {"csrfmiddleware": "x"})

    expect(ann.get_by_role("heading", name="Log out?")).to_be_visible()
    expect(ann.get_by_text(email)).to_be_visible()
