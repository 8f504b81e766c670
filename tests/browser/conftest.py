"""Chromium against a real `manage.py up`: every page that a test opens is watched for errors and strangers.

One browser and one `up` serve all tests of a process, because to start them takes longer than most tests. So each test
finds no table, webhook or key, and settings as they come; the people, events and mails of tests before are still there.
"""

import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright

from tests.browser.console import ROOT
from tests.browser.forms import fill_in
from tests.conftest import PASSWORD, is_required
from tests.processes import PATIENCE, Running, new_database, starting, wait_for

PER_ADDRESS = ["SIGNUPS_PER_ADDRESS_PER_HOUR", "MAILS_PER_ADDRESS_PER_HOUR", "AUTHORIZATIONS_PER_ADDRESS_PER_HOUR"]
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_MS = 30_000  # whatever the machine does besides; what comes at once is not waited for
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SETTINGS = {
    "callbackUrl": "",
    "allowedOrigins": None,
    "productName": "Fastgen",
    "logoUrl": "",
    "accentColor": "#4f46e5",
    "termsUrl": "",
}
RUN_AXE = """async rules => {
    const context = { exclude: ["#grid tbody tr:nth-child(n+9)"] };  // more rows of a table are but more of the same
    const { violations } = await axe.run(context, { iframes: false, runOnly: rules, resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html} ${node.failureSummary}`));
}"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Without it, or without axe-core, these tests are left out, or fail where they are required."""
    if not CHROMIUM or not AXE.exists():
        missing = "Chromium" if not CHROMIUM else "axe-core (`npm ci` in tests/browser installs it)"
        (pytest.fail if is_required() else pytest.skip)(f"The browser tests need {missing}, and it is not installed.")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with new_database(tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Running]:
    """An `up` that is ready. All that is tried comes from one address, which may do more in an hour than others."""
    with starting(tmp_path_factory.mktemp("up"), database_url) as start:
        running = start(**dict.fromkeys(PER_ADDRESS, "10000"))
        assert wait_for(running.is_ready), running.err.read_text()
        yield running


@dataclass
class CallbackApp:
    """The customer's app, on a port of its own."""

    url: str
    visits: list[str] = field(default_factory=list)


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Iterator[CallbackApp]:
    """The app, on this machine; at `::1` where a test asks for that."""
    address = getattr(request, "param", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.visits.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Notes</title><link rel=icon href=data:,><h1>Welcome to your notes</h1>")

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    server = Server((address, 0), Handler)
    seen = CallbackApp(f"http://{f'[{address}]' if ':' in address else address}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Watch:
    """What must not happen in any browser: a complaint in its console, a request to a stranger."""

    own: tuple[str, ...]
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> BrowserContext:
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", lambda request: self._see(request.url))
        return context

    def _hear(self, message: ConsoleMessage) -> None:
        refused_page = message.text.startswith("Failed to load resource: the server responded with a status of 4")
        url = message.location["url"].partition("#")[0]
        own_page = message.page is not None and url == message.page.url.partition("#")[0]
        in_panel = "/console/datahub/" in url  # a form that is refused there
        is_cut = "net::ERR_FAILED" in message.text  # a connection that a test has cut
        if message.type in {"error", "warning"} and not is_cut and not (refused_page and (own_page or in_panel)):
            self.complaints.append(f"{message.type}: {message.text}")

    def _see(self, url: str) -> None:
        if not url.startswith((*self.own, "data:")):
            self.complaints.append(f"a request to {url}")


@pytest.fixture
def new_page(chromium: Browser, up: Running, app: CallbackApp) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own, with nothing in it; options as Playwright's `new_context`."""
    watch = Watch((up.url, app.url))
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        contexts.append(watch.over(chromium.new_context(base_url=up.url, **options)))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert not watch.complaints


@pytest.fixture(scope="session")
def root(chromium: Browser, up: Running) -> StorageState:
    """The first admin, made by the link that the start printed: what their browser keeps of the console."""
    link = re.search(r"http\S+/console/setup\?token=\S+", up.out.read_text())
    assert link
    watch = Watch((up.url,))
    with watch.over(chromium.new_context()) as context:
        page = context.new_page()
        page.goto(link[0])
        fill_in(page, email=ROOT, password=PASSWORD)
        page.wait_for_url("**/console")
        state = context.storage_state()
    assert not watch.complaints
    return state


@pytest.fixture(scope="session")
def as_root(root: StorageState, up: Running) -> Iterator[httpx.Client]:
    """Asks the API with the admin's cookies, as the console's own pages do."""
    cookies = {each["name"]: each["value"] for each in root["cookies"]}
    headers = {"X-CSRFToken": cookies["fastgen_csrf"]}
    with httpx.Client(base_url=f"{up.url}/api/v1", cookies=cookies, headers=headers, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(autouse=True)
def _as_it_was_at_first(as_root: httpx.Client) -> None:
    """Without what a test before has made and set."""
    for path in ("/tables", "/webhooks", "/api-keys", "/apps"):
        made = [each for each in as_root.get(path, params={"limit": 200}).json()["items"] if not each.get("default")]
        for each in reversed(made):  # tables that refer to others came after them
            as_root.delete(f"{path}/{each['id']}").raise_for_status()
    as_root.patch("/settings/hosted-auth", json=SETTINGS).raise_for_status()


@pytest.fixture
def new_admin(new_page: Callable[..., Page], root: StorageState) -> Callable[..., Page]:
    """Opens the console in a browser of its own, in which the admin is logged in; options as those of `new_page`."""

    def open_page(at: str = "/console/datahub", **options: Any) -> Page:
        page = new_page(storage_state=root, **options)
        page.goto(at)
        return page

    return open_page


@pytest.fixture
def admin(new_admin: Callable[..., Page]) -> Page:
    """The admin in the Datahub, where there are no tables yet."""
    return new_admin()


@pytest.fixture
def email() -> str:
    """The address of somebody who is not there yet."""
    return f"ann.{uuid4().hex[:8]}@example.com"


def link_mailed_to(admin: Page, email: str, subject: str) -> str:
    """Wait for a mail in the development inbox, open it there, and answer where its link leads."""
    mail = admin.locator(".mails a", has_text=email).filter(has_text=subject)

    def has_come() -> bool:
        admin.goto("/console/inbox")
        return mail.count() > 0

    assert wait_for(has_come)
    mail.first.click()
    return str(admin.locator(".letter a").get_attribute("href"))


def assert_is_accessible(page: Page) -> None:
    """Nothing that axe-core finds, and neither the page nor its search has to be scrolled sideways."""
    _assert_axe_finds_nothing(page, WCAG)
    for search in page.locator("form[role=search]").all():
        assert search.evaluate("it => it.scrollWidth <= it.clientWidth")


def assert_is_readable(page: Page) -> None:
    """As above, of a page that is not all ours: its colours and its width."""
    _assert_axe_finds_nothing(page, ["color-contrast"])


def _assert_axe_finds_nothing(page: Page, rules: list[str]) -> None:
    page.wait_for_load_state()
    page.evaluate(AXE.read_text())
    with _as_tall_as_it_is(page):
        assert page.evaluate(RUN_AXE, rules) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@contextmanager
def _as_tall_as_it_is(page: Page) -> Iterator[None]:
    """A window in which nothing is scrolled, so that no bar that stays in sight cuts a field at its edge in two."""
    window, high = page.viewport_size, page.evaluate("document.documentElement.scrollHeight")
    if not window or high <= window["height"]:
        yield
        return
    page.set_viewport_size({"width": window["width"], "height": high})
    try:
        yield
    finally:
        page.set_viewport_size(window)
