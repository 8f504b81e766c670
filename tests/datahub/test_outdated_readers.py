"""Readers that looked at a table's definition just before it changed."""

from collections.abc import Callable, Iterator

import pytest

from datahub import dynamic
from datahub.api import row_endpoint
from datahub.dynamic import Definition, find_definition
from tests.conftest import Api

Key = Callable[..., Api]


pytestmark = pytest.mark.django_db(transaction=True)  # a refused query would spoil the one around a test


@pytest.fixture
def outdated(transactional_db: None, key: Key, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A caller whose next look at the table `items` gives it as it was before a column was purged."""
    admin = key("*")
    columns = [{"name": "Name", "type": "text"}, {"name": "Gone", "type": "text"}]
    admin.post("/tables", {"name": "Items", "columns": columns})
    admin.post("/tables/items/rows", {"name": "Ann", "gone": "x"})
    looks = [find_definition("items")]
    admin.delete("/tables/items/columns/gone")
    admin.post("/tables/items/columns/gone/purge")

    def look(id_or_key: str) -> Definition:
        return looks.pop() if looks else dynamic.find_definition(id_or_key)

    monkeypatch.setattr(row_endpoint, "find_definition", look)
    yield admin
    admin.delete("/tables/items")


@pytest.mark.parametrize("path", ["/rows", "/rows/aggregate?max=name", "/rows?fields=name&order=-name"])
def test_they_read_again(outdated: Api, path: str):
    answer = outdated.get(f"/tables/items{path}")

    assert answer.status_code == 200
    assert "gone" not in answer.json()["items"][0]


def test_what_is_gone_by_then_is_refused_as_unknown(outdated: Api):
    answer = outdated.get("/tables/items/rows?order=gone")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown-member")
