"""One `up` for all tests of a file: to start one for each takes longer than most of them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import fill_in
from tests.conftest import PASSWORD
from tests.processes import Running, new_database, run, starting, wait_for

ROOT = "root@example.com"
CALL = """async ([method, path, body]) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch("/api/v1" + path, { method, headers, body: body && JSON.stringify(body) });
    return answer.status === 204 ? null : await answer.json();
}"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """With an admin."""
    folder = tmp_path_factory.mktemp("up")
    with new_database(folder) as url, starting(folder, url) as start:
        running = start()
        assert wait_for(running.is_ready), running.err.read_text()
        root = {"DJANGO_SUPERUSER_EMAIL": ROOT, "DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DATABASE_URL": url}
        made = run("createsuperuser", "--noinput", **root)
        assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture
def admin(new_page: Callable[..., Page]) -> Page:
    """The admin in the console, where there are no tables yet."""
    page = enter(new_page())
    tables = call(page, "GET", "/tables?limit=200")["items"]
    for table in reversed(tables):  # those that refer to others came after them
        call(page, "DELETE", f"/tables/{table['id']}")
    return page


def enter(page: Page) -> Page:
    """Log in to the console, as the admin."""
    page.goto("/console/datahub")
    fill_in(page, email=ROOT, password=PASSWORD)
    return page


def call(page: Page, method: str, path: str, body: Any = None) -> Any:
    """Ask the API as the console's own pages may."""
    return page.evaluate(CALL, [method, path, body])
