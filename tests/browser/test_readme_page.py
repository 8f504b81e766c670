"""The README's page without a server, in Chromium and on another port: from the sign-up to the logout."""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Watch
from tests.browser.forms import fill_in
from tests.conftest import PASSWORD, is_required
from tests.processes import Running
from tests.readme import block, bodies

MODULES = Path(__file__).parent / "node_modules"


class Quiet(SimpleHTTPRequestHandler):
    """`python -m http.server`, without its log."""

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the page is, with what npm installs beside it."""
    if not (MODULES / "oauth4webapi").exists():
        missing = "This needs oauth4webapi (`npm ci` in tests/browser)."
        (pytest.fail if is_required() else pytest.skip)(missing)
    (tmp_path / "node_modules").symlink_to(MODULES)
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser(chromium: Browser, up: Running, address: str) -> Iterator[BrowserContext]:
    """Somebody's browser, with nothing in it; it finds nothing to complain of."""
    watch = Watch((up.url, address))
    with watch.over(chromium.new_context()) as context:
        yield context
    assert watch.complaints == []


@pytest.fixture
def new_app(up: Running, as_root: httpx.Client, folder: Path, address: str) -> Callable[..., None]:
    """Makes the app as the README says, but for `changes`, and its page."""

    def make(**changes: Any) -> None:
        create, allow = (_at(address, body) for body in bodies('"public"'))
        made = as_root.post("/apps", json=create | changes).raise_for_status().json()
        as_root.patch("/settings/hosted-auth", json=allow).raise_for_status()
        script = block("js", "oauth4webapi").replace("http://127.0.0.1:8000", up.url).replace("<id>", made["id"])
        (folder / "index.html").write_text(block("html", "importmap"))
        (folder / "page.js").write_text(script)

    return make


def _at(address: str, body: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(body).replace("http://127.0.0.1:5173", address)))


def _begin(browser: BrowserContext, address: str) -> Page:
    """The page, on which somebody who is not logged in has clicked “Log in”."""
    page = browser.new_page()
    page.goto(f"{address}/")
    expect(page.locator("#who")).to_have_text("Nobody is logged in.")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Create an account")).to_be_visible()
    return page


def _sign_up(page: Page, email: str) -> None:
    page.get_by_role("link", name="Create an account").click()
    fill_in(page, email=email, password=PASSWORD)


def test_the_page_of_the_readme_logs_in_and_out(
    browser: BrowserContext, new_app: Callable[..., None], address: str, email: str
) -> None:
    new_app()
    page = _begin(browser, address)

    _sign_up(page, email)
    expect(page.locator("#who")).to_have_text(email)
    assert page.url == f"{address}/"
    page.get_by_role("button", name="Renew").click()
    expect(page.locator("#who")).to_have_text(f"{email}, renewed")
    page.reload()
    expect(page.locator("#who")).to_have_text(email)
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#who")).to_have_text("Nobody is logged in.")
    expect(page.get_by_role("button", name="Renew")).to_be_disabled()

    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()  # there is no session any more


def test_who_comes_back_to_the_page_in_another_tab_is_logged_in(
    browser: BrowserContext, new_app: Callable[..., None], address: str, email: str
) -> None:
    new_app()
    began, other = _begin(browser, address), browser.new_page()

    other.goto(began.url)  # whose way on a mail would carry to a tab of its own
    _sign_up(other, email)

    expect(other.locator("#who")).to_have_text(email)
    assert other.url == f"{address}/"


def test_who_cancels_is_told_by_the_page_and_can_begin_anew(
    browser: BrowserContext, new_app: Callable[..., None], address: str, email: str
) -> None:
    new_app(firstParty=False)
    page = _begin(browser, address)
    _sign_up(page, email)

    page.get_by_role("button", name="Cancel").click()

    expect(page.locator("#who")).to_contain_text("Nobody is logged in: ")
    assert page.url == f"{address}/"
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.locator("#who")).to_have_text(email)


def test_the_page_notices_that_its_session_has_ended(
    chromium: Browser, as_root: httpx.Client, new_app: Callable[..., None], address: str, email: str
) -> None:
    new_app()
    with chromium.new_context() as browser:  # which complains of the 400
        page = _begin(browser, address)
        _sign_up(page, email)
        expect(page.locator("#who")).to_have_text(email)
        person = as_root.get("/users", params={"q": email}).json()["items"][0]

        as_root.post(f"/users/{person['id']}/end-sessions").raise_for_status()
        page.get_by_role("button", name="Renew").click()

        expect(page.locator("#who")).to_contain_text("Nobody is logged in: ")
        expect(page.get_by_role("button", name="Log in")).to_be_enabled()
