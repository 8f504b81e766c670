"""A file becomes a table of its own, with the columns that its values need."""

import json

import pytest

from datahub import import_files
from datahub.inference import JsonGuess
from datahub.services.column_checks import COLUMNS_MAX
from tests.conftest import Api
from tests.datahub.conftest import id_of, made, pointers
from tests.datahub.importing import CSV, NDJSON, do_jobs, imported, rows_of, send, state_of

pytestmark = pytest.mark.django_db
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
PERSON = "name,email,age\nAnn,ann@example.com,42\n"


def test_a_new_table_gets_the_types_that_its_file_has(admin: Api):
    content = "Name,Age,Price,Born,Seen,Active\nAnn,1,1.50,2026-11-24,2026-11-24T09:30:00Z,true\n"

    result = imported(admin, "table=things&create=true", content)

    columns = made(admin.get("/tables/things"), 200)["columns"]
    types = [column["type"] for column in columns]
    assert result["state"] == "done"
    assert types == ["text", "integer", "decimal", "date", "dateTime", "boolean"]
    keys = [column["key"] for column in columns]
    assert rows_of(admin, "things", *keys) == [["Ann", 1, "1.50", "2026-11-24", "2026-11-24T09:30:00Z", True]]


def test_a_key_that_is_taken_makes_no_new_table(people: Api):
    assert pointers(send(people, "table=people&create=true", PERSON), 409) == ["/table"]


def test_a_key_that_was_taken_meanwhile_ends_the_import(admin: Api):
    id = made(send(admin, "table=people&create=true", PERSON), 202)["id"]
    made(admin.post("/tables", {"name": "People"}))

    do_jobs()

    assert state_of(admin, id)["state"] == "failed"
    assert "people" in state_of(admin, id)["detail"]


def test_a_new_table_needs_the_scope_for_tables_as_well(key):
    assert send(key("rows:write"), "table=people&create=true", PERSON).status_code == 403
    assert send(key("rows:write", "tables:write"), "table=people&create=true", PERSON).status_code == 202


def test_a_new_table_is_an_event_before_its_import(admin: Api, told):
    imported(admin, "table=people&create=true", PERSON)

    assert told() == ["api.dataTable_created", "api.dataTable_imported"]


def test_a_file_without_any_column_makes_no_table_and_tells_what_is_wrong_with_its_lines(admin: Api):
    result = imported(admin, "table=things&create=true", "{}\n[1]\n", NDJSON)

    assert result["state"] == "failed"
    assert result["detail"] == "The file names no column that could be made."
    assert [(each["line"], each["detail"]) for each in result["rejects"]] == [(2, "A row is a JSON object.")]
    assert (result["rowsRead"], result["rowsRejected"]) == (2, 2)
    assert admin.get("/tables/things").status_code == 404


def test_the_export_of_a_table_makes_another_like_it(people: Api, person):
    person()
    owner = id_of("ann@example.com")
    made(people.post("/tables/people/rows", [{"name": "Ann", "owner": owner}, {"name": "Ben"}]))
    export = b"".join(people.get("/tables/people/rows.csv").streaming_content)

    result = imported(people, "table=others&create=true", export)

    columns = made(people.get("/tables/others"), 200)["columns"]
    assert result["state"] == "done"
    assert [column["key"] for column in columns] == ["name", "email", "age", "city", "amount"]
    assert rows_of(people, "others", "name", "owner", "revision") == [["Ann", owner, 1], ["Ben", None, 1]]


@pytest.mark.parametrize(
    ("content", "type"),
    [
        ("name,owner\nAnn,\nBen,Eve\nTom,Eve\n", CSV),
        ("owner\n\nEve\n", CSV),
        ('{"name": "Ann"}\n\n{"name": "Ben", "owner": 7}\n', NDJSON),
        (f"name,owner\nAnn,\nBen,{NOBODY}\nTom,Eve\n", CSV),
        (f"name,owner\nAnn,\nTom,Eve\nBen,{NOBODY}\n", CSV),
    ],
)
def test_a_file_whose_owners_are_no_ids_of_people_makes_no_table(admin: Api, content: str, type: str):
    result = imported(admin, "table=things&create=true", content, type)

    assert (result["state"], result["rowsRead"], result["columns"]) == ("failed", 0, None)
    assert "line 3 has something else, and no other line has one." in result["detail"]
    assert admin.get("/tables/things").status_code == 404


def test_an_owner_of_which_some_are_ids_rejects_the_rows_of_others(admin: Api, person):
    person()

    result = imported(admin, "table=things&create=true", f"name,owner\nEve,eve\nAnn,{id_of('ann@example.com')}\n")

    assert (result["state"], result["rowsImported"], result["rejects"][0]["line"]) == ("done", 1, 2)


def test_the_one_person_among_the_owners_may_stand_in_any_batch(admin: Api, person, monkeypatch: pytest.MonkeyPatch):
    person()
    monkeypatch.setattr(import_files, "BATCH_ROWS", 2)
    content = f"name,owner\nEve,eve\nUma,{NOBODY}\nZoe,\nTom,\nAnn,{id_of('ann@example.com')}\n"

    result = imported(admin, "table=things&create=true", content)

    assert (result["state"], result["rowsImported"], result["rowsRejected"]) == ("done", 3, 2)
    without = imported(admin, "table=others&create=true", content.replace(id_of("ann@example.com"), NOBODY))
    assert without["state"] == "failed"


def test_members_that_are_too_many_are_refused_before_any_is_looked_at(admin: Api, monkeypatch: pytest.MonkeyPatch):
    looked_at: list[object] = []
    monkeypatch.setattr(JsonGuess, "__init__", looked_at.append)
    content = json.dumps({f"a{number}": 1 for number in range(COLUMNS_MAX + 6)})

    result = imported(admin, "table=things&create=true", content, NDJSON)

    assert (result["state"], result["detail"]) == ("failed", "A table may have 400 columns; here are more.")
    assert looked_at == []


def test_members_that_every_row_has_make_no_columns_of_ndjson(admin: Api):
    first = '{"id": 1, "name": "Ann", "revision": 7, "createdAt": 1, "updatedAt": 1}'
    imported(admin, "table=things&create=true", f'{first}\n{{"owner": null}}\n', NDJSON)

    assert [column["key"] for column in made(admin.get("/tables/things"), 200)["columns"]] == ["name"]
    assert rows_of(admin, "things", "name", "revision") == [["Ann", 1], [None, 1]]


@pytest.mark.parametrize(
    ("content", "type"), [("id,name\n17,Ann\n", CSV), ('{"name": "Ann"}\n{"name": "Ben", "id": 17}\n', NDJSON)]
)
def test_a_foreign_id_is_a_column_of_its_own(admin: Api, content: str, type: str):
    result = imported(admin, "table=things&create=true", content, type)

    assert (result["ignored"], sorted(each["key"] for each in result["columns"])) == ([], ["c_id", "name"])
    assert 17 in [row["c_id"] for row in made(admin.get("/tables/things/rows"), 200)["items"]]


def test_more_headers_than_columns_are_possible_are_one_flaw(admin: Api):
    header = ",".join(f"a{number}" for number in range(500))

    assert pointers(send(admin, "table=wide&create=true", header)) == ["/headers"]


def test_a_new_table_of_ndjson_has_every_member_of_any_line(admin: Api):
    lines = [
        '{"name": "Ann", "tags": ["a"]}',
        '{"name": "", "age": 1.5, "on": true, "day": "2026-11-24"}',
        '{"mixed": 1}',
        '{"mixed": "a"}',
    ]

    imported(admin, "table=things&create=true", "\n".join(lines), NDJSON)

    columns = {each["key"]: each["type"] for each in made(admin.get("/tables/things"), 200)["columns"]}
    assert columns == {
        "name": "text",
        "tags": "json",
        "age": "decimal",
        "on": "boolean",
        "day": "date",
        "mixed": "json",
    }
    assert rows_of(admin, "things", "name", "tags", "age")[:2] == [["Ann", ["a"], None], ["", None, "1.5"]]
