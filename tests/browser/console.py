"""The console as the admin has it: to log in by its form, and to ask the API as its own pages do."""

from typing import Any

from playwright.sync_api import Page

from tests.browser.forms import fill_in
from tests.conftest import PASSWORD

ROOT = "root@example.com"
CALL = """async ([method, path, body]) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch("/api/v1" + path, { method, headers, body: body && JSON.stringify(body) });
    return answer.status === 204 ? null : await answer.json();
}"""


def log_in(page: Page) -> Page:
    """Log in to the console, as the admin."""
    page.goto("/console/datahub")
    fill_in(page, email=ROOT, password=PASSWORD)
    return page


def call(page: Page, method: str, path: str, body: Any = None) -> Any:
    """Ask the API as the console's own pages may, when this one is there."""
    page.wait_for_load_state()
    return page.evaluate(CALL, [method, path, body])
