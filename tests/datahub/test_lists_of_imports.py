"""What is told of imports: the list of a table's, the columns that a file fills, the event of an undo."""

from collections.abc import Callable

import pytest

from datahub.models import Import
from events.models import Event
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import NDJSON, do_jobs, imported, send, state_of, undone

PERSON = "name\nAnn\n"


def test_a_tables_imports_are_listed_newest_first_page_by_page(people: Api):
    made(people.post("/tables", {"name": "Others", "columns": [{"name": "Name", "type": "text"}]}))
    imported(people, "table=others", PERSON)
    ids = [imported(people, "table=people", PERSON)["id"] for _time in range(3)]

    first = made(people.get("/tables/people/imports?limit=2"), 200)
    second = made(people.get(f"/tables/people/imports?limit=2&cursor={first['nextCursor']}"), 200)

    assert [each["id"] for each in (*first["items"], *second["items"])] == ids[::-1]
    assert second["nextCursor"] is None


def test_an_import_in_a_list_tells_how_far_it_is_but_not_its_columns_and_rejects(people: Api):
    alone = imported(people, "table=people", "name,age\nAnn,x\nBen,1\n")

    [listed] = made(people.get("/tables/people/imports"), 200)["items"]

    assert len(alone.pop("rejects")) == 1
    assert alone.pop("ignored") == []
    assert [column["key"] for column in alone.pop("columns")] == ["name", "age"]
    assert listed == alone
    assert (listed["rowsImported"], listed["rowsRejected"], listed["state"]) == (1, 1, "done")


def test_a_list_takes_as_many_queries_as_one_import(people: Api, django_assert_max_num_queries):
    for _time in range(5):
        send(people, "table=people", PERSON)

    with django_assert_max_num_queries(4):
        made(people.get("/tables/people/imports"), 200)


def test_an_upload_that_is_not_complete_is_not_listed(people: Api):
    send(people, "table=people", PERSON)
    Import.objects.update(state=Import.State.UPLOADING)

    assert made(people.get("/tables/people/imports"), 200)["items"] == []


def test_there_is_no_list_without_a_table(admin: Api):
    assert admin.get("/tables/nothing/imports").status_code == 404


@pytest.mark.parametrize(("scope", "status"), [("rows:read", 200), ("rows:write", 200), ("tables:write", 403)])
def test_the_list_is_for_those_who_may_read_or_write_rows(
    people: Api, key: Callable[..., Api], scope: str, status: int
):
    assert key(scope).get("/tables/people/imports").status_code == status


def test_a_refusal_names_the_scopes(people: Api, key: Callable[..., Api]):
    id = made(send(people, "table=people", PERSON), 202)["id"]

    detail = made(key("tables:read").get(f"/imports/{id}"), 403)["detail"]

    assert "rows:read" in detail
    assert "rows:write" in detail


def test_the_columns_of_a_new_table_are_told_once_they_are_known(admin: Api):
    started = made(send(admin, "table=things&create=true", "Name,Price,owner\nAnn,1.50,\n"), 202)
    do_jobs()

    assert started["columns"] is None
    assert state_of(admin, started["id"])["columns"] == [
        {"key": "name", "name": "Name", "type": "text", "options": {"maxLength": 255}},
        {"key": "price", "name": "Price", "type": "decimal", "options": {"scale": 2}},
    ]


def test_the_columns_of_an_old_table_are_those_that_the_file_names(people: Api):
    started = made(send(people, "table=people", "City,name\nRome,Ann\n"), 202)

    assert [column["key"] for column in started["columns"]] == ["city", "name"]


def test_the_lines_of_ndjson_may_name_every_column(people: Api):
    started = made(send(people, "table=people", '{"name": "Ann"}', NDJSON), 202)

    assert [column["key"] for column in started["columns"]] == ["name", "email", "age", "city", "amount"]


def test_an_undo_is_an_event_of_whoever_asked_for_it(people: Api, key: Callable[..., Api]):
    id = imported(people, "table=people", "name\nAnn\nBen\n")["id"]
    row = people.get("/tables/people/rows").json()["items"][0]["id"]
    people.patch(f"/tables/people/rows/{row}", {"city": "Rome"})
    other = key("*")

    undone(other, id)

    table = made(people.get("/tables/people"), 200)["id"]
    event = Event.objects.get(type="api.dataTable_importUndone")
    assert event.data == {
        "ID": table,
        "Name": "People",
        "Description": "",
        "importId": id,
        "rowsDeleted": 1,
        "rowsKept": 1,
    }
    assert event.actor != Event.objects.get(type="api.dataTable_imported").actor


def test_an_undo_is_told_once(people: Api, told: Callable[[], list[str]]):
    id = imported(people, "table=people", PERSON)["id"]
    undone(people, id)

    people.post(f"/imports/{id}/undo")
    do_jobs()

    assert told().count("api.dataTable_importUndone") == 1


def test_an_undo_and_its_event_are_one(people: Api, monkeypatch: pytest.MonkeyPatch):
    id = imported(people, "table=people", PERSON)["id"]
    made(people.post(f"/imports/{id}/undo"), 202)
    monkeypatch.setattr("events.receivers.record_event", lambda **_: 1 / 0)

    do_jobs()

    assert Import.objects.get(pk=id).undo == Import.Undo.RUNNING  # and is tried again


def test_the_undo_of_a_table_that_is_gone_tells_nothing(people: Api, told: Callable[[], list[str]]):
    id = imported(people, "table=people", PERSON)["id"]
    people.delete("/tables/people")

    assert undone(people, id)["undone"] == {"rowsDeleted": 0, "rowsKept": 0}
    assert told()[-1] == "api.dataTable_deleted"


def test_all_imports_are_listed_also_one_whose_table_was_never_made(people: Api):
    into_people = imported(people, "table=people", PERSON)["id"]
    failed = made(send(people, "table=dogs&create=true", PERSON), 202)["id"]
    made(people.post("/tables", {"name": "Dogs"}))
    do_jobs()

    listed = made(people.get("/imports"), 200)["items"]

    assert [(each["id"], each["table"], each["state"]) for each in listed] == [
        (failed, "dogs", "failed"),
        (into_people, "people", "done"),
    ]


@pytest.mark.parametrize(("scope", "status"), [("rows:read", 200), ("rows:write", 200), ("tables:write", 403)])
def test_all_imports_are_for_those_who_may_read_or_write_rows(key: Callable[..., Api], scope: str, status: int):
    assert key(scope).get("/imports").status_code == status


def test_all_imports_are_for_no_person(people: Api, person: Callable[..., Api], api: Api):
    assert person().get("/imports").status_code == 403
    assert api.get("/imports").status_code == 401
