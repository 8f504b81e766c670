"""Tables by REST: created, changed, cleared and deleted, each with one event and nothing half done."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import IntegrityError, connection

from datahub import locks, signals
from datahub.errors import TableBusy
from datahub.models import Column, Table
from datahub.services import tables
from events.models import Event
from tests.conftest import Api, together
from tests.datahub.conftest import PEOPLE, made, pointers

pytestmark = pytest.mark.usefixtures("sound")

TABLE = "/tables/people"
CLOSED = dict.fromkeys(["list", "read", "create", "update", "delete"], "admin")
Told = Callable[[], list[str]]


def _table(admin: Api) -> dict[str, Any]:
    return dict(made(admin.get(TABLE), 200))


def _do(caller: Api, line: str, body: Any) -> Any:
    """The answer to a request such as `PATCH /tables/people`."""
    method, path = line.split()
    return caller.call(method, path, body)


def _physical_tables() -> list[str]:
    return [name for name in connection.introspection.table_names() if name.startswith("dh_")]


def test_a_new_table_is_answered_whole(admin: Api):
    table = made(admin.post("/tables", {"name": "Our People", "columns": [{"name": "Name", "type": "text"}]}))

    [column] = table.pop("columns")
    assert table == {
        "id": table["id"],
        "key": "our_people",
        "name": "Our People",
        "description": "",
        "access": CLOSED,
        "onOwnerDelete": "keep",
        "rowEvents": False,
        "version": 1,
        "createdAt": table["createdAt"],
        "updatedAt": table["updatedAt"],
    }
    flags = {"required": False, "unique": False, "indexed": False}
    told = {"key": "name", "name": "Name", "type": "text", "options": {"maxLength": 255}}
    assert column == {"id": column["id"], **told, **flags}


def test_a_table_is_read_as_it_was_answered(admin: Api):
    table = made(admin.post("/tables", {"name": "People", "description": "All", "columns": PEOPLE}))

    assert made(admin.get("/tables/PEOPLE"), 200) == table
    assert made(admin.get(f"/tables/{table['id']}"), 200) == table
    assert made(admin.get("/tables"), 200) == {"items": [table], "nextCursor": None}


@pytest.mark.parametrize(
    ("path", "body", "type"),
    [
        ("POST /tables", {"name": "Two", "description": "Two", "columns": PEOPLE}, "created"),
        ("PATCH /tables/people", {"name": "Two", "description": "Two"}, "updated"),
        ("POST /tables/people/clear", None, "emptied"),
        ("DELETE /tables/people", None, "deleted"),
    ],
)
def test_every_change_is_one_event_with_the_values_of_then(people: Api, path: str, body: Any, type: str):
    before = Event.objects.count()

    answer = _do(people, path, body)

    assert answer.status_code in {200, 201, 204}
    [event] = Event.objects.order_by("id")[before:]
    expected = {"Name": "Two", "Description": "Two"} if body else {"Name": "People", "Description": ""}
    assert event.type == f"api.dataTable_{type}"
    assert event.source == "api"
    assert event.data == {"ID": event.subject, **expected}


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("POST /tables", {"name": "Two", "columns": PEOPLE}, "table_created"),
        ("PATCH /tables/people", {"name": "Two"}, "table_updated"),
        ("POST /tables/people/columns", {"name": "Two", "type": "text", "unique": True}, "table_updated"),
        ("PATCH /tables/people/columns/age", {"type": "text", "indexed": True}, "table_updated"),
        ("DELETE /tables/people/columns/email", None, "table_updated"),
        ("POST /tables/people/clear", None, "table_emptied"),
        ("DELETE /tables/people", None, "table_deleted"),
    ],
)
def test_a_change_of_which_nobody_can_be_told_is_not_made(people: Api, path: str, body: Any, name: str):
    made(people.post("/tables/people/rows", {"name": "Ann"}))
    before = (_table(people), _physical_tables())

    def fail(**_: Any) -> None:
        raise TableBusy("No.")

    signal = getattr(signals, name)
    signal.connect(fail)
    try:
        answer = _do(people, path, body)
    finally:
        signal.disconnect(fail)

    assert answer.status_code == 503
    assert (_table(people), _physical_tables()) == before
    assert len(made(people.get("/tables/people/rows"), 200)["items"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Two"},
        {"key": "two"},
        {"key": "PEOPLE"},
        {"description": "Two\nlines"},
        {"access": {"read": "everyone"}},
        {"onOwnerDelete": "clear"},
        {"rowEvents": True},
        {"name": "Two", "description": "Two", "key": "two"},
    ],
)
def test_a_change_is_one_version(people: Api, told: Told, change: dict[str, Any]):
    before = _table(people)

    after = made(people.patch(TABLE, change), 200)

    access = before["access"] | change.get("access", {})
    expected = {**before, **change, "access": access, "version": 2}
    assert after == {**expected, "updatedAt": after["updatedAt"]}
    assert datetime.fromisoformat(after["updatedAt"]) > datetime.fromisoformat(before["updatedAt"])
    assert told().count("api.dataTable_updated") == 1


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "People"},
        {"key": "people"},
        {"description": ""},
        {"access": {}},
        {"access": {"read": "admin"}},
        {"onOwnerDelete": "keep"},
        {"rowEvents": False},
    ],
)
def test_a_change_that_changes_nothing_is_no_version(people: Api, told: Told, change: dict[str, Any]):
    before = _table(people)

    assert made(people.patch(TABLE, change), 200) == before
    assert told() == ["api.dataTable_created"]


def test_a_new_name_keeps_the_key(people: Api):
    assert made(people.patch(TABLE, {"name": "Others"}), 200)["key"] == "people"


def test_access_is_changed_for_the_verbs_that_are_named(people: Api):
    people.patch(TABLE, {"access": {"read": "everyone", "list": "owner"}})

    assert made(people.patch(TABLE, {"access": {"list": {"roles": ["staff"]}}}), 200)["access"] == {
        **CLOSED,
        "read": "everyone",
        "list": {"roles": ["staff"]},
    }


def test_keys_of_the_same_name_are_numbered(people: Api):
    keys = [made(people.post("/tables", {"name": "PEOPLE"}))["key"] for _ in range(2)]

    assert keys == ["people_2", "people_3"]


@pytest.mark.parametrize(
    ("name", "made_key"), [("Order", "t_order"), ("2 Ärzte!", "t_2_arzte"), ("日本", "t"), ("a" * 60, "a" * 50)]
)
def test_keys_are_made_from_names(admin: Api, name: str, made_key: str):
    assert made(admin.post("/tables", {"name": name}))["key"] == made_key


@pytest.mark.parametrize("taken", ["people", "People", "PEOPLE"])
def test_a_key_that_another_table_has_is_refused(people: Api, taken: str):
    created = people.post("/tables", {"name": "Two", "key": taken})
    people.post("/tables", {"name": "Three"})
    changed = people.patch("/tables/three", {"key": taken})

    assert [made(answer, 409)["code"] for answer in (created, changed)] == ["key-taken", "key-taken"]
    assert [pointers(answer, 409) for answer in (created, changed)] == [["/key"], ["/key"]]
    assert Table.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "a" * 201}, "/name"),
        ({"name": "Two", "key": "limit"}, "/key"),
        ({"name": "Two", "key": "a__b"}, "/key"),
        ({"name": "Two", "key": "2a"}, "/key"),
        ({"name": "Two", "key": ""}, "/key"),
        ({"name": "Two", "description": "a" * 2001}, "/description"),
        ({"name": "Two", "colour": "red"}, "/colour"),
        ({"name": "Two", "version": 3}, "/version"),
        ({"name": "Two", "onOwnerDelete": "burn"}, "/onOwnerDelete"),
        ({"name": "Two", "rowEvents": "yes"}, "/rowEvents"),
        ({"name": "Two", "access": "everyone"}, "/access"),
        ({"name": "Two", "access": ["read"]}, "/access"),
        ({"name": "Two", "access": None}, "/access"),
        ({"name": "Two", "access": {"write": "everyone"}}, "/access/write"),
        ({"name": "Two", "access": {"read": "all"}}, "/access/read"),
        ({"name": "Two", "columns": {"name": "A", "type": "text"}}, "/columns"),
        ({"name": "Two", "columns": [{"name": "A"}]}, "/columns/0/type"),
        ({"name": "Two", "columns": [{"name": "A", "type": "text", "colour": 1}]}, "/columns/0/colour"),
        ({"name": "Two", "columns": [{"name": "A", "type": "words"}]}, "/columns/0/type"),
        ({"name": "Two", "columns": [{"name": "A", "type": "text", "options": {"min": 1}}]}, "/columns/0/options/min"),
        ({"name": "Two", "columns": [{"name": "A", "type": "text", "options": []}]}, "/columns/0/options"),
        ({"name": "Two", "columns": [{"name": "A", "key": "owner", "type": "text"}]}, "/columns/0/key"),
        ({"name": "Two", "columns": [{"name": "A", "type": "json", "unique": True}]}, "/columns/0/unique"),
        ({"name": "Two", "columns": [{"name": "A", "key": k, "type": "text"} for k in ("a", "A")]}, "/columns/1/key"),
    ],
)
def test_what_is_wrong_with_a_new_table_is_named(admin: Api, told: Told, body: dict[str, Any], pointer: str):
    answer = admin.post("/tables", body)

    assert pointers(answer) == [pointer]
    assert not Table.objects.exists()
    assert told() == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"key": "order"}, "/key"),
        ({"columns": []}, "/columns"),
        ({"access": "everyone"}, "/access"),
        ({"access": [["read", "everyone"]]}, "/access"),
        ({"access": None}, "/access"),
        ({"access": {"a/b~c": "admin"}}, "/access/a~1b~0c"),
        ({"access": {"read": {"filter": {"field": "colour", "op": "eq", "value": 1}}}}, "/access/read/filter"),
        ({"onOwnerDelete": ""}, "/onOwnerDelete"),
        ({"id": "1"}, "/id"),
    ],
)
def test_what_is_wrong_with_a_change_is_named(people: Api, told: Told, change: dict[str, Any], pointer: str):
    assert pointers(people.patch(TABLE, change)) == [pointer]
    assert told() == ["api.dataTable_created"]


def test_a_cleared_table_has_no_rows_and_is_the_same_version(people: Api):
    made(people.post(f"{TABLE}/rows", [{"name": "Ann"}, {"name": "Bob"}]))
    before = _table(people)

    assert people.post(f"{TABLE}/clear").status_code == 204

    assert made(people.get(f"{TABLE}/rows"), 200)["items"] == []
    assert _table(people) == before


def test_a_deleted_table_is_gone_and_its_key_is_free(people: Api):
    id = _table(people)["id"]

    assert people.delete(TABLE).status_code == 204

    assert people.get(TABLE).status_code == people.get(f"/tables/{id}").status_code == 404
    assert _physical_tables() == []
    assert not Column.objects.exists()
    assert made(people.post("/tables", {"name": "People"}))["key"] == "people"


@pytest.mark.parametrize(
    "path", ["GET", "PATCH", "DELETE", "POST /clear", "GET /columns", "POST /columns", "GET /rows"]
)
def test_a_table_that_is_not_there_is_not_found(admin: Api, path: str):
    method, _, rest = path.partition(" ")
    body = {"name": "A", "type": "text"} if path == "POST /columns" else None if method != "PATCH" else {}

    assert made(admin.call(method, f"/tables/none{rest}", body), 404)["code"] == "not-found"


def _refer(admin: Api, **options: Any) -> str:
    """A table `pets`, whose column `keeper` refers to `people`; where it is."""
    relation = {"name": "Keeper", "type": "relation", "options": {"table": "people", **options}}
    made(admin.post("/tables", {"name": "Pets", "columns": [relation]}))
    return "/tables/pets/columns/keeper"


def test_a_table_that_another_refers_to_stays(people: Api, told: Told):
    _refer(people)

    refusal = made(people.delete(TABLE), 409)

    assert refusal["code"] == "table-in-use"
    assert "pets.keeper" in refusal["detail"]
    assert told() == ["api.dataTable_created"] * 2
    assert people.get(TABLE).status_code == 200


def test_a_table_can_not_refer_to_one_that_is_deleted_meanwhile(
    people: Api, told: Told, monkeypatch: pytest.MonkeyPatch
):
    def and_then_it_is_deleted(name: str) -> str:
        people.delete(TABLE)
        return "pets"

    monkeypatch.setattr(tables, "free_table_key", and_then_it_is_deleted)
    keeper = {"name": "Keeper", "type": "relation", "options": {"table": "people"}}

    answer = people.post("/tables", {"name": "Pets", "columns": [{"name": "Name", "type": "text"}, keeper]})

    assert pointers(answer) == ["/columns/1/options/table"]
    assert told() == ["api.dataTable_created", "api.dataTable_deleted"]


@pytest.mark.django_db(transaction=True)
def test_a_table_is_not_deleted_while_another_that_refers_to_it_is_made(people: Api, monkeypatch: pytest.MonkeyPatch):
    answers: list[Any] = []
    deletion = threading.Thread(target=lambda: answers.extend(together(lambda _: Api(people.token).delete(TABLE), 1)))
    build = tables._build

    def meanwhile(*args: Any) -> Table:
        deletion.start()
        deletion.join(0.5)  # it would be through by then
        return build(*args)

    monkeypatch.setattr(tables, "_build", meanwhile)
    monkeypatch.setattr(locks, "CHANGE_SECONDS", 60)

    _refer(people)
    deletion.join()

    assert made(answers[0], 409)["code"] == "table-in-use"


def test_a_failure_that_is_not_about_the_key_is_not_told_as_such(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "_build", Mock(side_effect=IntegrityError("another constraint")))

    assert people.post("/tables", {"name": "Pets", "key": "pets"}).status_code == 500


def test_a_table_that_refers_to_itself_can_be_deleted(people: Api):
    made(people.post(f"{TABLE}/columns", {"name": "Boss", "type": "relation", "options": {"table": "people"}}))

    assert people.delete(TABLE).status_code == 204


def test_a_deleted_column_holds_no_table_and_can_be_purged_but_not_restored(people: Api):
    column = _refer(people)
    people.delete(column)

    assert people.delete(TABLE).status_code == 204

    assert made(people.post(f"{column}/restore"), 409)["code"] == "target-gone"
    assert people.post(f"{column}/purge").status_code == 204


def test_a_table_that_rows_refer_to_is_not_cleared(people: Api):
    _refer(people)
    keeper = made(people.post(f"{TABLE}/rows", {"name": "Ann"}))["id"]
    pet = made(people.post("/tables/pets/rows", {"keeper": keeper}))["id"]

    refusal = made(people.post(f"{TABLE}/clear"), 409)

    assert (refusal["code"], refusal["count"]) == ("row-in-use", 1)
    assert refusal["errors"][0]["pointer"] == f"/rows/{pet}/keeper"
    assert len(made(people.get(f"{TABLE}/rows"), 200)["items"]) == 1


def test_what_refers_to_a_cleared_table_is_cleared_where_it_says_so(people: Api):
    _refer(people, onDelete="clear")
    keeper = made(people.post(f"{TABLE}/rows", {"name": "Ann"}))["id"]
    pet = made(people.post("/tables/pets/rows", {"keeper": keeper}))["id"]

    assert people.post(f"{TABLE}/clear").status_code == 204

    row = made(people.get(f"/tables/pets/rows/{pet}"), 200)
    assert (row["keeper"], row["revision"]) == (None, 2)


@pytest.mark.parametrize(
    "path", ["POST /tables", "PATCH /tables/people", "DELETE /tables/people", "POST /tables/people/clear"]
)
def test_who_may_only_read_tables_changes_none(people: Api, key: Callable[..., Api], api: Api, path: str):
    assert _do(key("tables:read"), path, {"name": "Two"}).status_code == 403
    assert _do(api, path, {"name": "Two"}).status_code == 401
    assert _table(key("tables:read"))["version"] == 1
