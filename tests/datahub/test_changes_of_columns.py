"""Columns by REST: added, changed, moved, deleted, restored and purged, whatever rows there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from datahub import locks
from datahub.dynamic import find_table
from datahub.models import Column
from events.models import Event
from tests.conftest import Api
from tests.datahub.conftest import made, pointers

pytestmark = pytest.mark.usefixtures("sound")

TABLE = "/tables/people"
COLUMNS = f"{TABLE}/columns"
ROWS = f"{TABLE}/rows"
Told = Callable[[], list[str]]


def _table(admin: Api) -> dict[str, Any]:
    return dict(made(admin.get(TABLE), 200))


def _version(admin: Api) -> int:
    return int(_table(admin)["version"])


def _keys(admin: Api) -> list[str]:
    return [column["key"] for column in made(admin.get(COLUMNS), 200)["items"]]


def _hidden(admin: Api) -> list[dict[str, Any]]:
    return list(made(admin.get(f"{COLUMNS}?hidden=true"), 200)["items"])


def _change(admin: Api, column: str, status: int = 200, **changes: Any) -> Any:
    return made(admin.patch(f"{COLUMNS}/{column}", changes), status)


def _add_rows(admin: Api, count: int, **values: Any) -> list[str]:
    items = made(admin.post(ROWS, [{"name": f"Ann {number}", **values} for number in range(count)]))["items"]
    return [row["id"] for row in items]


# Adding -------------------------------------------------------------------------------------------------------------


def test_a_new_column_is_the_last_and_empty(people: Api):
    [row] = _add_rows(people, 1)

    column = made(people.post(COLUMNS, {"name": "Born on", "type": "date", "indexed": True}))

    told = {"key": "born_on", "name": "Born on", "type": "date", "options": {}}
    assert column == {"id": column["id"], **told, "required": False, "unique": False, "indexed": True}
    assert _keys(people)[-1] == "born_on"
    assert made(people.get(f"{ROWS}/{row}"), 200)["born_on"] is None
    assert made(people.get(f"{ROWS}/{row}"), 200)["revision"] == 1


def test_columns_of_the_same_name_have_numbered_keys(people: Api):
    assert made(people.post(COLUMNS, {"name": "age", "type": "text"}))["key"] == "age_2"


def test_a_key_that_another_column_has_is_refused(people: Api):
    assert pointers(people.post(COLUMNS, {"name": "A", "key": "AGE", "type": "text"}), 409) == ["/key"]


def test_the_key_of_a_deleted_column_is_free(people: Api):
    people.delete(f"{COLUMNS}/age")

    assert made(people.post(COLUMNS, {"name": "A", "key": "age", "type": "text"}))["key"] == "age"


def test_a_required_column_needs_a_table_without_rows(people: Api):
    made(people.post(COLUMNS, {"name": "A", "type": "text", "required": True}))
    ids = _add_rows(people, 2, a="a")

    refusal = made(people.post(COLUMNS, {"name": "B", "type": "text", "required": True}), 409)

    assert (refusal["code"], refusal["count"]) == ("missing-values", 2)
    assert [error["pointer"] for error in refusal["errors"]] == [f"/rows/{id}/b" for id in ids]
    assert "b" not in _keys(people)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "text"}, "/name"),
        ({"name": "A"}, "/type"),
        ({"name": "A", "type": "words"}, "/type"),
        ({"name": "A", "type": "text", "position": 1}, "/position"),
        ({"name": "A", "type": "text", "options": {"maxLength": 0}}, "/options/maxLength"),
        ({"name": "A", "type": "text", "options": {"scale": 1}}, "/options/scale"),
        ({"name": "A", "type": "text", "options": "long"}, "/options"),
        ({"name": "A", "type": "choice"}, "/options/choices"),
        ({"name": "A", "type": "relation"}, "/options/table"),
        ({"name": "A", "type": "relation", "options": {"table": "none"}}, "/options/table"),
        ({"name": "A", "type": "longText", "indexed": True}, "/indexed"),
        ({"name": "A", "type": "text", "options": {"maxLength": 501}, "unique": True}, "/unique"),
        ({"name": "A", "type": "text", "unique": 1}, "/unique"),
    ],
)
def test_what_is_wrong_with_a_new_column_is_named(people: Api, told: Told, body: dict[str, Any], pointer: str):
    assert pointers(people.post(COLUMNS, body)) == [pointer]
    assert _version(people) == 1
    assert told() == ["api.dataTable_created"]


# Changing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("age", {"name": "Years"}),
        ("age", {"key": "years"}),
        ("age", {"key": "AGE"}),
        ("age", {"unique": True}),
        ("age", {"indexed": True}),
        ("age", {"required": True}),
        ("email", {"unique": False}),
        ("name", {"required": False}),
        ("age", {"options": {"min": 1}}),
        ("age", {"options": {"max": 200}}),
        ("age", {"options": {"min": None}}),
        ("city", {"options": {"maxLength": 500}}),
        ("age", {"type": "text"}),
        ("age", {"type": "text", "name": "Years", "key": "years", "unique": True, "position": 1}),
    ],
)
def test_a_change_is_one_version_and_one_event(people: Api, told: Told, column: str, change: dict[str, Any]):
    before = made(people.get(COLUMNS), 200)["items"]
    [was] = [each for each in before if each["key"] == column]

    now = _change(people, column, **change)

    for member, value in change.items():
        if member not in ("options", "position"):
            assert now[member] == value
    assert now["id"] == was["id"]
    assert now in made(people.get(COLUMNS), 200)["items"]
    assert _version(people) == 2
    assert told() == ["api.dataTable_created", "api.dataTable_updated"]


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("age", {}),
        ("age", {"name": "Age", "key": "age", "type": "integer", "required": False}),
        ("age", {"options": {}}),
        ("age", {"options": {"min": 0}}),
        ("age", {"options": {"max": None}}),
        ("city", {"options": {"maxLength": 255}}),
        ("age", {"position": 3}),
        ("amount", {"position": 5}),
        ("amount", {"position": 99}),
        ("email", {"unique": True}),
        ("name", {"required": True}),
        ("age", {"onFailure": "null"}),
    ],
)
def test_a_change_that_changes_nothing_is_no_version(people: Api, told: Told, column: str, change: dict[str, Any]):
    before = _table(people)

    _change(people, column, **change)

    assert _table(people) == before
    assert told() == ["api.dataTable_created"]


def test_every_event_tells_of_the_table(people: Api):
    _change(people, "age", name="Years")

    event = Event.objects.latest("id")
    assert event.data == {"ID": _table(people)["id"], "Name": "People", "Description": ""}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"key": "limit"}, "/key"),
        ({"key": None}, "/key"),
        ({"position": 0}, "/position"),
        ({"position": "1"}, "/position"),
        ({"colour": "red"}, "/colour"),
        ({"type": "words"}, "/type"),
        ({"options": {"scale": 1}}, "/options/scale"),
        ({"options": None}, "/options"),
        ({"type": "json", "indexed": True}, "/indexed"),
        ({"onFailure": "ignore"}, "/onFailure"),
        ({"onFailure": None}, "/onFailure"),
    ],
)
def test_what_is_wrong_with_a_change_is_named(people: Api, told: Told, change: dict[str, Any], pointer: str):
    assert pointers(people.patch(f"{COLUMNS}/age", change)) == [pointer]
    assert told() == ["api.dataTable_created"]


def test_a_key_that_another_column_has_by_now_is_refused(people: Api):
    refusal = _change(people, "age", 409, key="City")

    assert (refusal["code"], refusal["errors"][0]["pointer"]) == ("key-taken", "/key")


def test_unknown_parameters_are_refused(people: Api):
    assert people.patch(f"{COLUMNS}/age?dry=true", {}).status_code == 400
    [error] = made(people.patch(f"{COLUMNS}/age?dryRun=1", {}), 400)["errors"]
    assert (error["pointer"], error["detail"]) == ("/dryRun", "This must be one of: true, false.")
    assert people.get(f"{COLUMNS}?hidden=1").status_code == 400


@pytest.mark.parametrize("path", ["PATCH", "DELETE", "POST /restore", "POST /purge"])
def test_a_column_that_is_not_there_is_not_found(people: Api, path: str):
    method, _, rest = path.partition(" ")

    answer = people.call(method, f"{COLUMNS}/none{rest}", {} if method == "PATCH" else None)

    assert made(answer, 404)["code"] == "not-found"


def test_a_renamed_column_is_called_by_its_new_key_alone(people: Api):
    [row] = _add_rows(people, 1, age=3)

    _change(people, "age", key="years")

    assert made(people.get(f"{ROWS}/{row}"), 200)["years"] == 3
    assert pointers(people.patch(f"{ROWS}/{row}", {"age": 4})) == ["/age"]


# Unique, required, indexed ------------------------------------------------------------------------------------------


def test_a_column_whose_values_stand_twice_does_not_become_unique(people: Api):
    ids = _add_rows(people, 2, age=3) + _add_rows(people, 1, age=4) + _add_rows(people, 1)

    refusal = _change(people, "age", 409, unique=True)

    assert (refusal["code"], refusal["count"]) == ("duplicates", 2)
    errors = [(error["pointer"], error["detail"]) for error in refusal["errors"]]
    assert errors == [(f"/rows/{id}/age", "3") for id in ids[:2]]
    assert _version(people) == 1


def test_a_hundred_rows_in_the_way_are_named_and_all_are_counted(people: Api):
    _add_rows(people, 130, age=3)

    for refusal in (_change(people, "age", 409, unique=True), _change(people, "city", 409, required=True)):
        assert refusal["count"] == 130
        assert len(refusal["errors"]) == 100


def test_a_column_without_which_some_rows_are_does_not_become_required(people: Api):
    _add_rows(people, 1, age=3)
    [row] = _add_rows(people, 1)

    refusal = _change(people, "age", 409, required=True)

    assert (refusal["code"], refusal["count"]) == ("missing-values", 1)
    assert refusal["errors"][0]["pointer"] == f"/rows/{row}/age"
    assert _version(people) == 1


def test_many_rows_without_a_value_are_unique(people: Api):
    _add_rows(people, 3)

    assert _change(people, "age", unique=True)["unique"] is True


def test_a_unique_column_refuses_the_next_of_the_same_value(people: Api):
    _change(people, "age", unique=True)
    _add_rows(people, 1, age=3)

    assert pointers(people.post(ROWS, {"name": "Bob", "age": 3}), 409) == ["/age"]
    _change(people, "age", unique=False)
    assert people.post(ROWS, {"name": "Bob", "age": 3}).status_code == 201


def test_a_required_column_refuses_rows_without(people: Api):
    _change(people, "age", required=True)

    assert pointers(people.post(ROWS, {"name": "Bob"})) == ["/age"]


# Moving -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "position", "order"),
    [
        ("age", 1, ["age", "name", "email", "city", "amount"]),
        ("name", 2, ["email", "name", "age", "city", "amount"]),
        ("name", 5, ["email", "age", "city", "amount", "name"]),
        ("age", 99, ["name", "email", "city", "amount", "age"]),
        ("amount", 4, ["name", "email", "age", "amount", "city"]),
    ],
)
def test_a_moved_column_goes_between_the_others(people: Api, column: str, position: int, order: list[str]):
    _change(people, column, position=position)

    assert _keys(people) == order
    assert list(made(people.post(ROWS, {"name": "Ann"})))[5:] == order
    assert _version(people) == 2


@pytest.mark.parametrize("position", [3, 4, 99])
def test_a_move_past_deleted_columns_is_a_version_where_the_order_is_another(people: Api, told: Told, position: int):
    people.delete(f"{COLUMNS}/email")

    _change(people, "age", position=position)

    assert _keys(people) == (["name", "city", "age", "amount"] if position == 3 else ["name", "city", "amount", "age"])
    assert _version(people) == 3
    assert told()[1:] == ["api.dataTable_updated"] * 2


def test_the_last_of_some_of_which_one_was_deleted_stays_the_last_without_a_version(people: Api):
    people.delete(f"{COLUMNS}/email")

    _change(people, "amount", position=99)

    assert _version(people) == 2


# Deleting, restoring, purging ---------------------------------------------------------------------------------------


def test_a_deleted_column_is_gone_from_table_and_rows_but_listed_as_hidden(people: Api):
    [row] = _add_rows(people, 1, age=3)

    assert people.delete(f"{COLUMNS}/age").status_code == 204

    [hidden] = _hidden(people)
    assert (hidden["key"], hidden["originalOf"]) == ("age", None)
    assert hidden["hiddenAt"].endswith("Z")
    assert "age" not in _keys(people)
    assert "age" not in made(people.get(f"{ROWS}/{row}"), 200)
    assert people.delete(f"{COLUMNS}/age").status_code == 404


def test_a_restored_column_has_its_values_its_id_and_is_the_last(people: Api, told: Told):
    [row] = _add_rows(people, 1, age=3)
    [before] = [each for each in made(people.get(COLUMNS), 200)["items"] if each["key"] == "age"]
    people.delete(f"{COLUMNS}/age")

    restored = made(people.post(f"{COLUMNS}/age/restore"), 200)

    assert restored == before
    assert _keys(people)[-1] == "age"
    assert made(people.get(f"{ROWS}/{row}"), 200)["age"] == 3
    assert _version(people) == 3
    assert told()[1:] == ["api.dataTable_updated"] * 2


def test_a_restored_column_is_unique_again(people: Api):
    made(people.post(ROWS, {"name": "Ann", "email": "a@b.example"}))
    people.delete(f"{COLUMNS}/email")
    made(people.post(ROWS, {"name": "Bob"}))

    assert made(people.post(f"{COLUMNS}/email/restore"), 200)["unique"] is True
    assert pointers(people.post(ROWS, {"name": "Cid", "email": "a@b.example"}), 409) == ["/email"]


def test_a_restored_column_whose_key_is_taken_gets_a_number(people: Api):
    people.delete(f"{COLUMNS}/age")
    made(people.post(COLUMNS, {"name": "Age", "type": "text"}))

    assert made(people.post(f"{COLUMNS}/age/restore"), 200)["key"] == "age_2"
    assert _keys(people)[-2:] == ["age", "age_2"]


def test_of_two_deleted_columns_of_a_key_the_one_to_restore_is_named_by_its_id(people: Api):
    older = made(people.get(COLUMNS), 200)["items"][_keys(people).index("age")]
    people.delete(f"{COLUMNS}/age")
    newer = made(people.post(COLUMNS, {"name": "Age", "type": "text"}))
    people.delete(f"{COLUMNS}/age")

    refusal = made(people.post(f"{COLUMNS}/age/restore"), 409)

    assert refusal["code"] == "several-columns"
    assert all(f"{each['id']} ({each['type']}, " in refusal["detail"] for each in (older, newer))
    assert made(people.post(f"{COLUMNS}/{older['id']}/restore"), 200) == older


@pytest.mark.parametrize("is_filled", [True, False])
def test_a_restored_column_is_required_only_where_every_row_has_a_value(people: Api, is_filled: bool):
    [row] = _add_rows(people, 1)
    people.delete(f"{COLUMNS}/name")
    if not is_filled:
        made(people.post(ROWS, {}))

    assert made(people.post(f"{COLUMNS}/name/restore"), 200)["required"] is is_filled
    assert made(people.get(f"{ROWS}/{row}"), 200)["name"] == "Ann 0"


@pytest.mark.django_db(transaction=True)
def test_a_relation_is_not_restored_while_rows_it_may_name_are_being_deleted(
    people: Api, monkeypatch: pytest.MonkeyPatch
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    monkeypatch.setattr(locks, "CHANGE_SECONDS", 1)
    relation = {"name": "Keeper", "type": "relation", "options": {"table": "people"}}
    made(people.post("/tables", {"name": "Pets", "columns": [relation]}))
    people.delete("/tables/pets/columns/keeper")
    others = find_table("people").pk

    with ThreadPoolExecutor(1) as another, locks.writing([others]):
        answer = another.submit(_elsewhere, people.post, "/tables/pets/columns/keeper/restore").result()

    assert made(answer, 503)["code"] == "table-busy"
    assert people.post("/tables/pets/columns/keeper/restore").status_code == 200


def _elsewhere(call: Callable[..., Any], *args: Any) -> Any:
    """The same, with the connection of a thread of its own."""
    try:
        return call(*args)
    finally:
        connections.close_all()


@pytest.mark.parametrize("action", ["restore", "purge"])
def test_a_column_that_is_not_deleted_is_neither_restored_nor_purged(people: Api, action: str):
    assert made(people.post(f"{COLUMNS}/age/{action}"), 409)["code"] == "not-hidden"
    assert _version(people) == 1


def test_a_purged_column_is_gone_without_a_version(people: Api, told: Told):
    _add_rows(people, 1, age=3)
    people.delete(f"{COLUMNS}/age")
    before = _table(people)

    assert people.post(f"{COLUMNS}/age/purge").status_code == 204

    assert _hidden(people) == []
    assert _table(people) == before
    assert people.post(f"{COLUMNS}/age/restore").status_code == 404
    assert told()[1:] == ["api.dataTable_updated"]


def test_no_physical_name_comes_twice(people: Api):
    last = max(Column.objects.values_list("number", flat=True))
    people.delete(f"{COLUMNS}/amount")
    people.post(f"{COLUMNS}/amount/purge")

    made(people.post(COLUMNS, {"name": "Amount", "type": "decimal"}))

    assert max(Column.objects.values_list("number", flat=True)) == last + 1


# Access rules -------------------------------------------------------------------------------------------------------

ABOUT_AGE = {"read": {"filter": {"and": [{"field": "age", "op": "gte", "value": 18}]}}}


@pytest.mark.parametrize(
    ("method", "change"),
    [("DELETE", None), ("PATCH", {"key": "years"}), ("PATCH", {"type": "json"}), ("PATCH", {"type": "date"})],
)
def test_a_column_of_which_a_rule_speaks_stays_as_the_rule_needs_it(people: Api, method: str, change: Any):
    made(people.patch(TABLE, {"access": ABOUT_AGE}), 200)
    before = _table(people)

    refusal = made(people.call(method, f"{COLUMNS}/age", change), 409)

    assert refusal["code"] == "column-in-use"
    assert "read" in refusal["detail"]
    assert _table(people) == before
    assert _hidden(people) == []


@pytest.mark.parametrize("change", [{"name": "Years"}, {"type": "decimal"}, {"position": 1}, {"indexed": True}])
def test_a_column_of_which_a_rule_speaks_may_change_where_the_rule_still_holds(people: Api, change: dict[str, Any]):
    made(people.patch(TABLE, {"access": ABOUT_AGE}), 200)

    _change(people, "age", **change)


def test_a_column_of_which_a_rule_spoke_can_be_deleted(people: Api):
    made(people.patch(TABLE, {"access": ABOUT_AGE}), 200)
    made(people.patch(TABLE, {"access": {"read": "admin"}}), 200)

    assert people.delete(f"{COLUMNS}/age").status_code == 204


@pytest.mark.parametrize("path", ["POST", "PATCH /age", "DELETE /age", "POST /age/restore", "POST /age/purge"])
def test_who_may_only_read_tables_changes_no_column(people: Api, key: Callable[..., Api], path: str):
    method, _, rest = path.partition(" ")

    assert key("tables:read").call(method, f"{COLUMNS}{rest}", {}).status_code == 403
    assert _version(people) == 1


def test_one_of_several_deleted_columns_of_a_key_is_purged_by_its_id_alone(people: Api):
    for _time in range(2):
        people.delete(f"{COLUMNS}/age")
        made(people.post(COLUMNS, {"name": "Age", "type": "text"}))
    hidden = [column["id"] for column in made(people.get(f"{COLUMNS}?hidden=true"), 200)["items"]]

    refusal = made(people.post(f"{COLUMNS}/age/purge"), 409)

    assert refusal["code"] == "several-columns"
    assert f"{hidden[0]} (text, 20" in refusal["detail"]
    assert f"{hidden[1]} (integer, 20" in refusal["detail"]
    assert people.post(f"{COLUMNS}/{hidden[1]}/purge").status_code == 204
    assert people.post(f"{COLUMNS}/age/purge").status_code == 204
