"""Requests go by the definition that this process remembers, and find out where the table has another by now."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from datahub import dynamic
from datahub.api import row_endpoint
from datahub.dynamic import Definition, OutdatedDefinition, find_definition, forget_definitions
from datahub.errors import TableBusy
from datahub.services import rows
from tests.conftest import Api

Key = Callable[..., Api]
Stale = Callable[[str], None]
pytestmark = pytest.mark.django_db(transaction=True)  # a refused query would spoil the one around a test
OPEN = dict.fromkeys(["list", "read", "create", "update", "delete"], "everyone")


@pytest.fixture
def admin(transactional_db: None, key: Key) -> Api:
    """A program that may do all; with a table `items` of the column `name`, open to everyone, and a row."""
    admin = key("*")
    made = {"name": "Items", "columns": [{"name": "Name", "type": "text"}], "access": OPEN}
    assert admin.post("/tables", made).status_code == 201
    assert admin.post("/tables/items/rows", {"name": "Ann"}).status_code == 201
    return admin


@pytest.fixture
def remember(monkeypatch: pytest.MonkeyPatch) -> Stale:
    """Has this process remember the table of a key as it is now, whatever becomes of it."""
    kept: dict[str, Definition] = {}
    monkeypatch.setattr(row_endpoint, "recall", lambda id_or_key: kept.get(id_or_key))

    def keep(key: str) -> None:
        kept[key] = find_definition(key)

    return keep


def replace(admin: Api, *, by_deletion: bool) -> None:
    """Another table takes the key `items`, with a column and a row of its own."""
    if by_deletion:
        assert admin.delete("/tables/items").status_code == 204
    else:
        assert admin.patch("/tables/items", {"key": "former"}).status_code == 200
    made = {"name": "Items", "columns": [{"name": "Title", "type": "text"}], "access": OPEN}
    assert admin.post("/tables", made).status_code == 201
    assert admin.post("/tables/items/rows", {"title": "New"}).status_code == 201


def titles(admin: Api, table: str = "items", key: str = "title") -> list[Any]:
    return [row.get(key) for row in admin.get(f"/tables/{table}/rows").json()["items"]]


@pytest.mark.parametrize("by_deletion", [True, False], ids=["deleted", "renamed"])
class TestAnotherTableHasTheKey:
    @pytest.fixture(autouse=True)
    def replaced(self, admin: Api, remember: Stale, by_deletion: bool) -> None:
        remember("items")
        replace(admin, by_deletion=by_deletion)

    def test_its_rows_are_listed(self, api: Api):
        assert titles(api) == ["New"]

    def test_its_rows_are_asked_for(self, api: Api):
        answer = api.post("/tables/items/rows/query", {"filter": {"field": "title", "op": "eq", "value": "New"}})

        assert [row["title"] for row in answer.json()["items"]] == ["New"]

    def test_its_row_is_read(self, api: Api):
        id = api.get("/tables/items/rows").json()["items"][0]["id"]

        assert api.get(f"/tables/items/rows/{id}").json()["title"] == "New"

    def test_a_row_is_created_there(self, api: Api, by_deletion: bool):
        assert api.post("/tables/items/rows", {"title": "Next"}).status_code == 201
        assert titles(api) == ["New", "Next"]
        if not by_deletion:
            assert titles(api, "former", "name") == ["Ann"]

    def test_a_row_is_changed_there(self, api: Api):
        id = api.get("/tables/items/rows").json()["items"][0]["id"]

        assert api.patch(f"/tables/items/rows/{id}", {"title": "Newer"}).json()["title"] == "Newer"

    def test_rows_are_deleted_there(self, api: Api, by_deletion: bool):
        assert api.delete("/tables/items/rows?title=New").json() == {"deleted": 1}
        if not by_deletion:
            assert titles(api, "former", "name") == ["Ann"]


def test_a_table_that_is_gone_is_none(admin: Api, api: Api, remember: Stale):
    remember("items")
    admin.delete("/tables/items")

    answers = [api.get("/tables/items/rows"), api.post("/tables/items/rows", {"name": "Bea"})]

    assert [each.status_code for each in answers] == [404, 404]


def test_a_renamed_column_goes_by_its_new_name(admin: Api, api: Api, remember: Stale):
    remember("items")
    admin.patch("/tables/items/columns/name", {"key": "label"})

    assert titles(api, key="label") == ["Ann"]
    assert api.get("/tables/items/rows?label=Ann").json()["items"]
    assert api.get("/tables/items/rows?name=Ann").status_code == 400


def test_an_empty_page_is_that_of_the_present_definition(admin: Api, api: Api, remember: Stale):
    remember("items")
    admin.patch("/tables/items/columns/name", {"key": "label"})

    assert api.get("/tables/items/rows?name=Nobody").status_code == 400


@pytest.mark.parametrize("verb", ["list", "read", "create", "update", "delete"])
def test_a_rule_holds_from_when_it_is_made(admin: Api, api: Api, remember: Stale, verb: str):
    id = admin.get("/tables/items/rows").json()["items"][0]["id"]
    calls: dict[str, Callable[[], Any]] = {
        "list": lambda: api.get("/tables/items/rows"),
        "read": lambda: api.get(f"/tables/items/rows/{id}"),
        "create": lambda: api.post("/tables/items/rows", {"name": "Bea"}),
        "update": lambda: api.patch(f"/tables/items/rows/{id}", {"name": "Bea"}),
        "delete": lambda: api.delete(f"/tables/items/rows/{id}"),
    }
    remember("items")
    admin.patch("/tables/items", {"access": OPEN | {verb: "admin"}})
    closed = calls[verb]()
    remember("items")
    admin.patch("/tables/items", {"access": OPEN})
    opened = calls[verb]()

    assert (closed.status_code, opened.status_code) == (401, {"create": 201, "delete": 204}.get(verb, 200))


def test_a_table_that_changes_whenever_it_is_read_is_busy(admin: Api, api: Api, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any) -> None:
        raise OutdatedDefinition

    monkeypatch.setattr("datahub.listing.refuse_outdated", refuse)
    answer = api.get("/tables/items/rows")

    assert (answer.status_code, answer.json()["code"]) == (503, "table-busy")
    assert answer.headers["Retry-After"]


def test_the_definition_costs_no_query(admin: Api, api: Api):
    [row] = api.get("/tables/items/rows").json()["items"]
    counts = []
    for path in ("/tables/items/rows", f"/tables/items/rows/{row['id']}"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert api.get(path).status_code == 200
        counts.append(len(queries))

    assert counts == [1, 1]


def test_forgetting_a_table_forgets_its_names(admin: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dynamic, "KEPT_MAX", 1)
    uid = admin.get("/tables/items").json()["id"]
    find_definition("items")
    admin.post("/tables", {"name": "Others"})
    others = find_definition("others")

    assert dynamic.recall("others") is dynamic.recall(str(others.table.uid)) is others
    assert dynamic.recall("items") is dynamic.recall(uid) is None


def test_an_earlier_answer_is_not_given_where_the_table_is_closed_by_now(admin: Api, api: Api, remember: Stale):
    once = {"Idempotency-Key": "a"}
    assert api.post("/tables/items/rows", {"name": "Bea"}, **once).status_code == 201
    remember("items")
    admin.patch("/tables/items", {"access": OPEN | {"create": "admin"}})

    assert api.post("/tables/items/rows", {"name": "Bea"}, **once).status_code == 401


@pytest.mark.parametrize("path", ["/tables/items/rows", "/tables/items/rows/query"])
@pytest.mark.parametrize("body", [b"{", b"[]", b""], ids=["no JSON", "nothing", "empty"])
def test_what_is_wrong_with_a_body_tells_nothing_of_a_table_that_was_closed(
    admin: Api, api: Api, remember: Stale, path: str, body: bytes
):
    remember("items")
    admin.patch("/tables/items", {"access": dict.fromkeys(OPEN, "admin")})

    assert api.call("POST", path, raw=body).status_code == 401


def test_a_definition_that_is_forgotten_in_between_is_looked_for_by_its_name(
    admin: Api, api: Api, remember: Stale, monkeypatch: pytest.MonkeyPatch
):
    remember("items")
    replace(admin, by_deletion=True)
    forget_definitions()

    assert api.post("/tables/items/rows", {"title": "Next"}).status_code == 201


def test_a_row_whose_commit_was_not_heard_of_is_not_written_again(
    admin: Api, api: Api, remember: Stale, monkeypatch: pytest.MonkeyPatch
):
    create_rows = rows.create_rows

    def lose_the_answer(**given: Any) -> Any:
        create_rows(**given)
        raise OperationalError("server closed the connection")

    remember("items")
    monkeypatch.setattr(rows, "create_rows", lose_the_answer)

    assert api.post("/tables/items/rows", {"name": "Bea"}).status_code == 500
    assert titles(api, key="name") == ["Ann", "Bea"]


def test_who_waited_for_a_table_in_vain_does_not_wait_twice(
    admin: Api, api: Api, remember: Stale, monkeypatch: pytest.MonkeyPatch
):
    busy = Mock(side_effect=TableBusy(retry_after=2))
    remember("items")
    monkeypatch.setattr(rows, "create_rows", busy)

    assert api.post("/tables/items/rows", {"name": "Bea"}).status_code == 503
    assert busy.call_count == 1
