"""The console's shell: where one is, and the way back up."""

import re
from typing import Any

import pytest
from django.test import Client

from authpages.services.users import create_user
from datahub.services.tables import create_table
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD

ORDER = ["Overview", "Datahub", "Users", "Roles", "Events", "Webhooks", "Settings", "API keys", "Inbox"]


@pytest.fixture
def console(db: None) -> Client:
    """A browser with an admin in it."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    client = Client(headers={"host": "127.0.0.1:8000"})
    client.post("/console/login", {"email": "root@example.com", "password": PASSWORD})
    return client


def test_the_navigation_is_in_its_order_and_marks_where_one_is(console: Client) -> None:
    entries = re.findall(
        r'<li><a href="[^"]+"( aria-current="page")?>([^<]+)<', _navigation(console.get("/console/datahub/new"))
    )

    assert [name for _, name in entries] == [name for name in ORDER if name in dict(map(reversed, entries))]
    assert [name for mark, name in entries if mark] == ["Datahub"]


def test_a_page_shows_the_pages_above_it(console: Client) -> None:
    create_table(name="Orders", key="orders", origin=COMMAND_LINE)

    crumbs = _crumbs(console.get("/console/datahub/tables/orders/settings"))

    assert crumbs == [("/console/datahub", "Datahub"), ("/console/datahub/tables/orders", "Orders")]
    assert _crumbs(console.get("/console/datahub")) == []


def _navigation(answer: Any) -> str:
    page: str = answer.content.decode()
    return page.partition('aria-label="Main"')[2].partition("</nav>")[0]


def _crumbs(answer: Any) -> list[tuple[str, str]]:
    crumbs = answer.content.decode().partition('class="crumbs"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="([^"]+)">([^<]+)</a>', crumbs)
