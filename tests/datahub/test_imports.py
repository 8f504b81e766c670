"""A file becomes rows: what goes in, what is kept apart, and how it is undone."""

import pytest
from django.db import IntegrityError, connection

from datahub import import_files
from datahub.dynamic import find_definition
from datahub.models import ImportChunk, Job
from datahub.services.imports.plan import Converted, Plan
from events.models import Event
from tests.conftest import Api
from tests.datahub.conftest import Console, id_of, made, pointers
from tests.datahub.importing import CSV, NDJSON, do_jobs, imported, rows_of, send, state_of, undone

pytestmark = pytest.mark.django_db
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
PERSON = "name,email,age\nAnn,ann@example.com,42\n"


def test_a_file_becomes_rows_in_its_order(people: Api):
    result = imported(people, "table=people", "Name,AGE,City\nAnn,42,Rome\nBen,,\n")

    assert (result["state"], result["rowsRead"], result["rowsImported"]) == ("done", 2, 2)
    assert rows_of(people, "people", "name", "age", "city") == [["Ann", 42, "Rome"], ["Ben", None, None]]


def test_an_import_is_accepted_and_then_runs(people: Api):
    answer = made(send(people, "table=people", PERSON), 202)

    assert (answer["table"], answer["state"], answer["rejects"]) == ("people", "running", [])


def test_a_new_table_gets_the_types_that_its_file_has(admin: Api):
    content = "Name,Age,Price,Born,Seen,Active\nAnn,1,1.50,2026-11-24,2026-11-24T09:30:00Z,true\n"

    result = imported(admin, "table=things&create=true", content)

    columns = made(admin.get("/tables/things"), 200)["columns"]
    types = [column["type"] for column in columns]
    assert result["state"] == "done"
    assert types == ["text", "integer", "decimal", "date", "dateTime", "boolean"]
    keys = [column["key"] for column in columns]
    assert rows_of(admin, "things", *keys) == [["Ann", 1, "1.50", "2026-11-24", "2026-11-24T09:30:00Z", True]]


def test_bad_rows_are_kept_apart_and_good_ones_go_in(people: Api):
    content = 'name,age\nAnn,42\nBen,old\n\n"C\nD",1\nEve\n,7\nFay,-1\n'

    result = imported(people, "table=people", content)

    assert (result["rowsRead"], result["rowsImported"], result["rowsRejected"]) == (6, 2, 4)
    assert [(each["line"], each["pointer"]) for each in result["rejects"]] == [
        (3, "/age"),
        (7, ""),
        (8, "/name"),
        (9, "/age"),
    ]
    assert result["rejects"][1]["detail"] == "This row has 1 cell; there are 2 headers."
    assert rows_of(people, "people", "name") == [["Ann"], ["C\nD"]]


def test_a_value_that_another_row_has_is_a_reject_if_it_must_be_unique(people: Api):
    made(people.post("/tables/people/rows", {"name": "Ann", "email": "ann@example.com"}))
    content = "name,email\nBob,ann@example.com\nBen,ben@example.com\nEve,ben@example.com\nFay,\nGil,\n"

    result = imported(people, "table=people", content)

    assert [(each["line"], each["pointer"]) for each in result["rejects"]] == [(2, "/email"), (4, "/email")]
    assert [name for [name] in rows_of(people, "people", "name")] == ["Ann", "Ben", "Fay", "Gil"]


def test_a_relation_must_name_a_row_that_is_there(people: Api):
    [there] = made(people.post("/tables/people/rows", [{"name": "Ann"}]))["items"]
    columns = [{"name": "Person", "type": "relation", "options": {"table": "people"}}]
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    result = imported(people, "table=orders", f"person\n{there['id']}\n{NOBODY}\n")

    assert [(each["line"], each["pointer"]) for each in result["rejects"]] == [(3, "/person")]
    assert rows_of(people, "orders", "person") == [[there["id"]]]


def test_a_flaw_names_the_column_by_its_key_and_every_flaw_of_a_row_is_told(people: Api):
    result = imported(people, "table=people", "Name,AGE,Email\nAnn,old,nowhere\n")

    assert result["rejects"] == [
        {"line": 2, "pointer": "/age", "detail": "This must be a whole number."},
        {"line": 2, "pointer": "/email", "detail": "This is no e-mail address."},
    ]
    assert result["rowsRejected"] == 1


def test_only_the_first_thousand_flaws_are_kept_and_all_are_counted(people: Api):
    result = imported(people, "table=people", "name,age\n" + "Ann,old\n" * 1200)

    assert len(result["rejects"]) == 1000
    assert result["rowsRejected"] == 1200


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ("name,shoes\n", "/headers/1"),
        ("name,name\n", "/headers/1"),
        ("name,\n", "/headers/1"),
        ("age\n1\n", "/headers"),
        ("", ""),
        ("\ufeff", ""),
        ("\ufeff\n", ""),
        ("Größe\n1\n".encode("latin-1"), "/headers/0"),
        ("name\nAnn\n".encode("utf-16"), ""),
        ("name\nAnn\n".encode("utf-16-le"), ""),
    ],
)
def test_a_file_that_can_not_fit_is_refused_at_once(people: Api, content: str | bytes, pointer: str):
    answer = send(people, "table=people", content)

    assert pointers(answer) == [pointer]


def test_headers_without_rows_are_an_import_of_nothing(people: Api):
    result = imported(people, "table=people", "name")

    assert (result["state"], result["rowsRead"]) == ("done", 0)


def test_a_table_that_is_not_there_is_404(admin: Api):
    assert send(admin, "table=nothing", PERSON).status_code == 404


def test_a_key_that_is_taken_makes_no_new_table(people: Api):
    assert pointers(send(people, "table=people&create=true", PERSON), 409) == ["/table"]


def test_a_key_that_was_taken_meanwhile_ends_the_import(admin: Api):
    id = made(send(admin, "table=people&create=true", PERSON), 202)["id"]
    made(admin.post("/tables", {"name": "People"}))

    do_jobs()

    assert state_of(admin, id)["state"] == "failed"
    assert "people" in state_of(admin, id)["detail"]


def test_another_media_type_is_refused(people: Api):
    assert send(people, "table=people", PERSON, "application/json").status_code == 415


def test_unknown_parameters_are_refused(people: Api):
    assert pointers(send(people, "table=people&creat=true", PERSON)) == ["/creat"]


def test_a_person_may_not_import(people: Api, person):
    assert send(person(), "table=people", PERSON).status_code == 403


def test_nobody_without_credentials_sees_or_starts_an_import(people: Api, api: Api):
    id = imported(people, "table=people", PERSON)["id"]

    assert api.get(f"/imports/{id}").status_code == 401
    assert api.post("/imports?table=people").status_code == 401


def test_a_new_table_needs_the_scope_for_tables_as_well(key):
    assert send(key("rows:write"), "table=people&create=true", PERSON).status_code == 403
    assert send(key("rows:write", "tables:write"), "table=people&create=true", PERSON).status_code == 202


def test_who_may_write_rows_may_import_into_a_table_and_see_it(people: Api, key):
    writer = key("rows:write")

    assert imported(writer, "table=people", PERSON)["rowsImported"] == 1


def test_an_import_is_one_event_and_none_for_its_rows(admin: Api, told):
    made(admin.post("/tables", {"name": "People", "rowEvents": True, "columns": [{"name": "Name", "type": "text"}]}))

    imported(admin, "table=people", "name\nAnn\nBen\n")

    assert told() == ["api.dataTable_created", "api.dataTable_imported"]


def test_the_event_of_an_import_tells_which_and_how_many(people: Api):
    id = imported(people, "table=people", PERSON)["id"]

    table = made(people.get("/tables/people"), 200)["id"]
    data = Event.objects.get(type="api.dataTable_imported").data
    assert data == {"ID": table, "Name": "People", "Description": "", "importId": id, "rowsImported": 1}


def test_a_new_table_is_an_event_before_its_import(admin: Api, told):
    imported(admin, "table=people&create=true", PERSON)

    assert told() == ["api.dataTable_created", "api.dataTable_imported"]


def test_a_column_that_is_deleted_meanwhile_ends_the_import(people: Api):
    id = made(send(people, "table=people", "name,city\nAnn,Rome\n"), 202)["id"]
    people.delete("/tables/people/columns/city")

    do_jobs()

    result = state_of(people, id)
    assert (result["state"], result["rowsImported"]) == ("failed", 0)
    assert "city" in result["detail"]


def test_a_column_that_is_renamed_meanwhile_is_filled_all_the_same(people: Api):
    send(people, "table=people", "name,city\nAnn,Rome\n")
    people.patch("/tables/people/columns/city", {"key": "town"})

    do_jobs()

    assert rows_of(people, "people", "name", "town") == [["Ann", "Rome"]]


def test_a_table_that_is_deleted_meanwhile_ends_the_import(people: Api):
    id = made(send(people, "table=people", PERSON), 202)["id"]
    people.delete("/tables/people")

    do_jobs()

    assert state_of(people, id)["state"] == "failed"


def test_formulas_are_text_like_any_other(people: Api):
    imported(people, "table=people", 'name\n"=1+1"\n@SUM(A1)\n')

    assert rows_of(people, "people", "name") == [["=1+1"], ["@SUM(A1)"]]


def test_a_byte_order_mark_and_any_line_ends_are_no_part_of_the_values(people: Api):
    imported(people, "table=people", b"\xef\xbb\xbfname,city\r\nAnn,Rome\rBen,Oslo\nEve,Bonn")

    assert rows_of(people, "people", "name", "city") == [["Ann", "Rome"], ["Ben", "Oslo"], ["Eve", "Bonn"]]


def test_a_row_that_is_not_utf_8_is_a_reject_and_no_other(people: Api):
    result = imported(people, "table=people", b"name\nAnn\n\xff\xfe\nBen\n")

    assert result["rejects"] == [{"line": 3, "pointer": "/name", "detail": "This is not UTF-8."}]
    assert rows_of(people, "people", "name") == [["Ann"], ["Ben"]]


def test_a_cell_of_a_megabyte_is_a_long_text(admin: Api):
    imported(admin, "table=texts&create=true", "text\n" + "x" * 1_000_000 + "\n")

    [[text]] = rows_of(admin, "texts", "text")
    assert len(text) == 1_000_000


def test_members_that_the_system_sets_are_passed_over_and_the_owner_is_taken(people: Api, person):
    person()
    owner = id_of("ann@example.com")

    imported(people, "table=people", f"id,name,owner,revision\nwhatever,Ann,{owner},7\nx,Ben,,1\n")

    assert rows_of(people, "people", "name", "owner", "revision") == [["Ann", owner, 1], ["Ben", None, 1]]


def test_a_row_of_somebody_who_is_not_there_is_a_reject(people: Api):
    result = imported(people, "table=people", f"name,owner\nAnn,{NOBODY}\nBen,\nEve,eve\n")

    assert [(each["line"], each["pointer"]) for each in result["rejects"]] == [(2, "/owner"), (4, "/owner")]
    assert rows_of(people, "people", "name") == [["Ben"]]


def test_rows_that_an_admin_imports_are_theirs(people: Api, console: Console):
    answer = console.call("POST", "/imports?table=people", raw=b"name\nAnn\n", **{"content-type": "text/csv"})
    do_jobs()

    assert answer.status_code == 202
    assert rows_of(people, "people", "owner") == [[id_of("root@example.com")]]


def test_ndjson_becomes_rows_and_what_is_none_is_kept_apart(people: Api):
    lines = [
        '{"name": "Ann", "age": 42}',
        "",
        "[1]",
        '{"name": "Ben", "age": "42"}',
        '{"name": "Eve", "shoes": 1}',
        "{",
    ]

    result = imported(people, "table=people", "\n".join([*lines, '{"name": "Fay", "amount": 1.5}']), NDJSON)

    assert [(each["line"], each["pointer"]) for each in result["rejects"]] == [
        (3, ""),
        (4, "/age"),
        (5, "/shoes"),
        (6, ""),
    ]
    assert rows_of(people, "people", "name", "age", "amount") == [["Ann", 42, None], ["Fay", None, "1.50"]]


def test_members_with_impossible_names_are_rejects_and_end_nothing(people: Api):
    lines = [r'{"name": "Ann"}', r'{"\u0000": 1}', r'{"\ud800": 1}', '{"' + "x" * 10_000 + '": 1}', r'{"name": "Ben"}']

    result = imported(people, "table=people", "\n".join(lines), NDJSON)

    assert result["state"] == "done"
    assert sorted({each["line"] for each in result["rejects"]}) == [2, 3, 4]
    assert rows_of(people, "people", "name") == [["Ann"], ["Ben"]]


@pytest.mark.parametrize("type", [CSV, NDJSON])
def test_a_line_without_an_end_in_sight_ends_the_import(people: Api, type: str, monkeypatch: pytest.MonkeyPatch):
    first = {CSV: "name", NDJSON: '{"name": "Ann"}'}[type]
    id = made(send(people, "table=people", f"{first}\n" + '"' * 2000, type), 202)["id"]
    monkeypatch.setattr(import_files, {CSV: "LINE_MAX", NDJSON: "JSON_LINE_MAX"}[type], 1000)

    do_jobs()

    result = state_of(people, id)
    assert (result["state"], result["detail"]) == ("failed", "Line 2 has more than 1,000 characters.")


def test_a_line_of_ndjson_has_ten_megabytes_at_most(people: Api):
    content = '{"name": "' + "x" * 10_000_000 + '"}'

    assert imported(people, "table=people", content, NDJSON)["detail"] == "Line 1 has more than 10,000,000 characters."


def test_a_line_that_is_too_long_is_named_in_whichever_batch(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_files, "JSON_LINE_MAX", 1000)
    monkeypatch.setattr(import_files, "BATCH_ROWS", 2)
    content = '{"name": "Ann"}\n' * 5 + '"' * 2000

    result = imported(people, "table=people", content, NDJSON)

    assert (result["rowsImported"], result["detail"]) == (4, "Line 6 has more than 1,000 characters.")


def test_a_file_without_any_column_makes_no_table_and_tells_what_is_wrong_with_its_lines(admin: Api):
    result = imported(admin, "table=things&create=true", "{}\n[1]\n", NDJSON)

    assert (result["state"], result["detail"]) == ("failed", "The file names no column that could be made.")
    assert [(each["line"], each["detail"]) for each in result["rejects"]] == [(2, "A row is a JSON object.")]
    assert (result["rowsRead"], result["rowsRejected"]) == (2, 2)
    assert admin.get("/tables/things").status_code == 404


def test_what_is_no_json_is_told_without_a_line_of_its_own(people: Api):
    result = imported(people, "table=people", '{"name": "Ann"}\n{name}\n', NDJSON)

    [reject] = result["rejects"]
    assert reject["line"] == 2
    assert reject["detail"].startswith("This is no valid JSON: Expecting property name")
    assert "line 1" not in reject["detail"]


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
    [("name,owner\nAnn,\nBen,Eve\nTom,Eve\n", CSV), ('{"name": "Ann"}\n\n{"name": "Ben", "owner": 7}\n', NDJSON)],
)
def test_a_file_whose_owners_are_no_ids_of_people_makes_no_table(admin: Api, content: str, type: str):
    result = imported(admin, "table=things&create=true", content, type)

    assert (result["state"], result["rowsRead"], result["columns"]) == ("failed", 0, None)
    assert "line 3 has something else. Call the column otherwise" in result["detail"]
    assert admin.get("/tables/things").status_code == 404


def test_an_owner_of_which_some_are_ids_rejects_the_rows_of_others(admin: Api, person):
    person()

    result = imported(admin, "table=things&create=true", f"name,owner\nEve,eve\nAnn,{id_of('ann@example.com')}\n")

    assert (result["state"], result["rowsImported"], result["rejects"][0]["line"]) == ("done", 1, 2)


@pytest.mark.parametrize(
    ("query", "content", "type", "ignored"),
    [
        ("table=people", "id,name,Revision,owner\nx,Ann,7,\n", CSV, ["id", "Revision"]),
        ("table=things&create=true", "id,name\n17,Ann\n", CSV, ["id"]),
        ("table=things&create=true", '{"createdAt": 1, "name": "Ann"}', NDJSON, ["createdAt"]),
        ("table=people", '{"name": "Ann"}', NDJSON, []),
    ],
)
def test_headers_that_are_passed_over_are_told(people: Api, query: str, content: str, type: str, ignored: list[str]):
    assert imported(people, query, content, type)["ignored"] == ignored


def test_members_that_every_row_has_make_no_columns_of_ndjson(admin: Api):
    imported(admin, "table=things&create=true", '{"id": 1, "name": "Ann", "revision": 7}\n{"owner": null}\n', NDJSON)

    assert [column["key"] for column in made(admin.get("/tables/things"), 200)["columns"]] == ["name"]
    assert rows_of(admin, "things", "name", "revision") == [["Ann", 1], [None, 1]]


@pytest.mark.parametrize(("header", "said"), [("name;age", "semicolons"), ("name\tage", "tabs")])
def test_fields_that_are_not_parted_by_commas_are_refused(admin: Api, header: str, said: str):
    answer = send(admin, "table=people&create=true", f"{header}\nAnn;42\n")

    assert pointers(answer) == ["/headers"]
    assert answer.json()["detail"] == f"Part the fields by commas; this file has {said}."


def _with_columns(admin: Api, **names: str) -> None:
    columns = [{"key": key, "name": name, "type": "text"} for key, name in names.items()]
    made(admin.post("/tables", {"name": "Things", "columns": columns}))


def test_a_header_is_the_key_of_a_column_before_it_is_the_name_of_another(admin: Api):
    _with_columns(admin, one="Two", two="One")

    imported(admin, "table=things", "One,TWO\n1,2\n")

    assert rows_of(admin, "things", "one", "two") == [["1", "2"]]


@pytest.mark.parametrize("header", ["Size", "size"])
def test_a_header_that_is_the_name_of_several_columns_is_refused(admin: Api, header: str):
    _with_columns(admin, width="Size", height="Size")

    answer = send(admin, "table=things", f"{header}\n1\n")

    assert pointers(answer) == ["/headers/0"]
    assert "width, height" in answer.json()["detail"]


def test_a_name_in_its_very_letters_goes_before_one_in_others(admin: Api):
    _with_columns(admin, width="Size", height="SIZE")

    imported(admin, "table=things", "SIZE\n1\n")

    assert rows_of(admin, "things", "width", "height") == [[None, "1"]]


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


def test_an_undo_takes_the_rows_out_again_and_leaves_others(people: Api):
    made(people.post("/tables/people/rows", {"name": "Zoe"}))
    id = imported(people, "table=people", "name\nAnn\nBen\n")["id"]

    result = undone(people, id)

    assert (result["state"], result["undone"]) == ("done", {"rowsDeleted": 2, "rowsKept": 0})
    assert rows_of(people, "people", "name") == [["Zoe"]]


def test_an_undo_leaves_rows_that_were_changed_since(people: Api):
    id = imported(people, "table=people", "name\nAnn\nBen\n")["id"]
    [[first], _] = rows_of(people, "people", "id")
    made(people.patch(f"/tables/people/rows/{first}", {"age": 1}), 200)

    assert undone(people, id)["undone"] == {"rowsDeleted": 1, "rowsKept": 1}
    assert rows_of(people, "people", "name") == [["Ann"]]


@pytest.mark.parametrize("many", [False, True])
def test_an_undo_leaves_rows_that_others_must_not_be_without(people: Api, many: bool):
    id = imported(people, "table=people", "name\nAnn\nBen\nEve\n")["id"]
    [_, [second], _] = rows_of(people, "people", "id")
    columns = [{"name": "Person", "type": "relation", "options": {"table": "people", "many": many}}]
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    made(people.post("/tables/orders/rows", {"person": [second] if many else second}))

    assert undone(people, id)["undone"] == {"rowsDeleted": 2, "rowsKept": 1}
    assert rows_of(people, "people", "name") == [["Ben"]]


def test_an_undo_leaves_what_is_needed_by_a_row_that_stays(people: Api):
    columns = [{"name": "Boss", "type": "relation", "options": {"table": "people"}}]
    made(people.post("/tables/people/columns", columns[0]))
    id = imported(people, "table=people", "name\nAnn\nBen\nEve\nFay\n")["id"]
    [[ann], [ben], [eve], [fay]] = rows_of(people, "people", "id")
    definition = find_definition("people")
    for row, boss in ((ben, ann), (fay, eve)):  # as imported with it, so that nobody has changed them since
        definition.rows().filter(pk=row).update(**{definition.own["boss"].attribute: boss})
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    made(people.post("/tables/orders/rows", {"boss": ben}))

    assert undone(people, id)["undone"] == {"rowsDeleted": 2, "rowsKept": 2}
    assert rows_of(people, "people", "name") == [["Ann"], ["Ben"]]


def test_an_undo_asks_once_what_is_needed_and_not_row_by_row(people: Api, django_assert_max_num_queries):
    id = imported(people, "table=people", "name\n" + "Ann\n" * 200)["id"]
    columns = [{"name": "Person", "type": "relation", "options": {"table": "people"}}]
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    made(people.post("/tables/orders/rows", [{"person": row} for [row] in rows_of(people, "people", "id")]))

    with django_assert_max_num_queries(100):
        result = undone(people, id)

    assert result["undone"] == {"rowsDeleted": 0, "rowsKept": 200}


def test_an_undo_that_is_asked_for_twice_is_done_once(people: Api):
    id = imported(people, "table=people", PERSON)["id"]
    undone(people, id)

    again = people.post(f"/imports/{id}/undo")

    assert made(again, 200)["undone"] == {"rowsDeleted": 1, "rowsKept": 0}


def test_what_runs_can_not_be_undone(people: Api):
    id = made(send(people, "table=people", PERSON), 202)["id"]

    assert made(people.post(f"/imports/{id}/undo"), 409)["code"] == "import-running"


def test_an_import_that_is_not_there_is_404(admin: Api):
    nothing = "/imports/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"

    assert admin.get(nothing).status_code == 404
    assert admin.post(f"{nothing}/undo").status_code == 404


def test_the_file_is_not_kept_longer_than_its_import(people: Api):
    imported(people, "table=people", PERSON)

    assert not ImportChunk.objects.exists()
    assert not Job.objects.exists()


def test_a_row_that_is_too_large_for_the_database_is_a_reject_and_no_other(admin: Api):
    columns = [{"name": f"Text {number}", "type": "text"} for number in range(400)]
    made(admin.post("/tables", {"name": "Wide", "columns": columns}))
    rows = [["short"] * 400, ["x" * 22] * 400, ["short"] * 400]  # shorter than what PostgreSQL would put elsewhere
    header = ",".join(f"text_{number}" for number in range(400))

    result = imported(admin, "table=wide", "\n".join([header, *map(",".join, rows)]))

    too_large = 1 if connection.vendor == "postgresql" else 0
    assert [each["line"] for each in result["rejects"]] == [3] * too_large
    assert result["rowsImported"] == 3 - too_large


def test_a_value_that_another_takes_at_the_same_moment_is_a_reject(people: Api, monkeypatch: pytest.MonkeyPatch):
    real = Plan.refuse_conflicts

    def and_then_another_comes(plan: Plan, converted: Converted) -> None:
        real(plan, converted)
        if not seen:
            seen.append(True)
            raise IntegrityError("as by a row that was committed after we had looked")

    seen: list[bool] = []
    monkeypatch.setattr(Plan, "refuse_conflicts", and_then_another_comes)

    result = imported(people, "table=people", PERSON)

    assert (result["state"], result["rowsImported"]) == ("done", 1)


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "us-ascii"])
def test_a_file_may_say_that_it_is_utf_8(people: Api, charset: str):
    assert send(people, "table=people", PERSON, f"text/csv; charset={charset}").status_code == 202


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "nonsense"])
def test_a_file_that_says_it_is_something_else_is_refused(people: Api, charset: str):
    answer = send(people, "table=people", PERSON, f"text/csv; charset={charset}")

    assert pointers(answer) == ["/Content-Type"]
    assert charset in answer.json()["errors"][0]["detail"]
