"""The console's shell: where one is, and the way back up."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from authpages.services.users import create_user
from datahub.services.tables import create_table
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD

HERE = {"host": "127.0.0.1:8000"}
GATES = {"console-login", "console-setup", "console-logout"}
ORDER = ["Overview", "Datahub", "Users", "Roles", "Events", "Webhooks", "Settings", "Apps", "API keys", "Inbox"]


@pytest.fixture
def console(db: None) -> Client:
    """A browser with an admin in it."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    client = Client(headers=HERE)
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


def test_no_page_opens_or_does_anything_for_who_is_no_admin(db: None) -> None:
    visitor, person = Client(headers=HERE), Client(headers=HERE)
    person.post("/signup", {"email": "ann@example.com", "password": PASSWORD})
    paths = sorted(_paths())

    open_ones = [
        path
        for path in paths
        for answer in (visitor.get(path), visitor.post(path), person.get(path), person.post(path))
        if answer.status_code != 303 or not answer["Location"].startswith("/console/login")
    ]

    assert len(paths) > 60
    assert open_ones == []


def _navigation(answer: Any) -> str:
    page: str = answer.content.decode()
    return page.partition('aria-label="Main"')[2].partition("</nav>")[0]


def _crumbs(answer: Any) -> list[tuple[str, str]]:
    crumbs = answer.content.decode().partition('class="crumbs"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="([^"]+)">([^<]+)</a>', crumbs)


def _paths() -> Iterator[str]:
    """An address of every page of the console but its gates."""
    values = {"uuid": "0" * 8 + "-0000-7000-8000-" + "0" * 12, "int": "1", "str": "x", "slug": "x"}
    for pattern in get_resolver().url_patterns:
        for each in getattr(pattern, "url_patterns", []):
            if (each.name or "").startswith("console") and each.name not in GATES:
                yield "/" + re.sub(r"<(\w+):\w+>", lambda found: values[found[1]], str(each.pattern))
