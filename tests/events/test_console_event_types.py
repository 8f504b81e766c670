"""The page that documents every kind of event, from the catalogue."""

import html
import re

from events.catalog import CATALOG
from tests.authpages.conftest import Visitor, admin, root, text_of, visitor

__all__ = ["admin", "root", "visitor"]


def test_every_kind_has_its_section_with_what_its_data_says(admin: Visitor):
    page = admin.get("/console/events/types")

    sections = dict(re.findall(r'<section class="kind" id="([^"]+)"(.*?)</section>', page.content.decode(), re.DOTALL))
    assert set(sections) == {".".join(kind).rstrip(".") for kind in CATALOG} | {"custom"}
    for (type, stage), kind in CATALOG.items():
        section = html.unescape(sections[f"{type}.{stage}".rstrip(".")])
        assert kind.description.replace("`", "") in re.sub("</?code>", "", section)
        assert all(f">{name}" in section for name in kind.schema["properties"])


def test_an_event_leads_to_the_section_of_its_kind(admin: Visitor):
    log = admin.get("/console/events?type=auth.user_loggedIn").content.decode()
    event = re.search(r"/console/events/evt_[0-9a-f]{32}", log)
    assert event

    page = admin.get(event[0])

    assert 'href="/console/events/types#auth.user_loggedIn"' in page.content.decode()


def test_the_page_stays_small_and_asks_nothing_of_the_log(admin: Visitor):
    page = admin.get("/console/events/types")

    assert len(page.content) < 100_000
    assert "carries secrets" in text_of(page)
