"""A file becomes rows: what goes in, what is kept apart, and who may do it."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, connection

from datahub import import_files
from datahub.models import ImportChunk, Job
from datahub.services.imports.plan import Converted, Plan
from events.models import Event
from tests.conftest import Api
from tests.datahub.conftest import made, pointers
from tests.datahub.importing import CSV, NDJSON, do_jobs, imported, rows_of, send, state_of

pytestmark = pytest.mark.django_db
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
EMPTY = "\n" * 150_000
PERSON = "name,email,age\nAnn,ann@example.com,42\n"


def test_a_file_becomes_rows_in_its_order(people: Api):
    result = imported(people, "table=people", "Name,AGE,City\nAnn,42,Rome\nBen,,\n")

    assert (result["state"], result["rowsRead"], result["rowsImported"]) == ("done", 2, 2)
    assert rows_of(people, "people", "name", "age", "city") == [["Ann", 42, "Rome"], ["Ben", None, None]]


def test_an_import_is_accepted_and_then_runs(people: Api):
    answer = made(send(people, "table=people", PERSON), 202)

    assert (answer["table"], answer["state"], answer["rejects"]) == ("people", "running", [])


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


def test_headers_without_rows_are_an_import_of_nothing(people: Api):
    result = imported(people, "table=people", "name")

    assert (result["state"], result["rowsRead"]) == ("done", 0)


def test_a_table_that_is_not_there_is_404(admin: Api):
    assert send(admin, "table=nothing", PERSON).status_code == 404


def test_another_media_type_is_refused_and_those_that_are_taken_are_told(people: Api):
    answer = send(people, "table=people", "[]", "application/json")

    assert answer.status_code == 415
    assert answer.json()["detail"].endswith("Send one of: text/csv, application/x-ndjson.")


def test_unknown_parameters_are_refused(people: Api):
    assert pointers(send(people, "table=people&creat=true", PERSON)) == ["/creat"]


def test_who_sends_what_is_not_taken_is_told_that_nothing_is(people: Api):
    [error] = made(people.post("/tables/people/clear", {"confirm": "people"}), 400)["errors"]

    assert (error["pointer"], error["detail"]) == ("/confirm", "There is no such member; nothing is taken here.")


def test_a_person_may_not_import(people: Api, person):
    assert send(person(), "table=people", PERSON).status_code == 403


def test_nobody_without_credentials_sees_or_starts_an_import(people: Api, api: Api):
    id = imported(people, "table=people", PERSON)["id"]

    assert api.get(f"/imports/{id}").status_code == 401
    assert api.post("/imports?table=people").status_code == 401


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

    assert (result["rowsImported"], result["detail"]) == (5, "Line 6 has more than 1,000 characters.")


@pytest.mark.parametrize(
    ("flaw", "detail"),
    [
        ('"' + "x\n" * 400 + '"\n', "The row that goes on in line 202 has more than 400 characters."),
        ("x" * 401, "Line 3 has more than 400 characters."),
    ],
)
def test_a_row_that_can_not_be_read_ends_the_import_after_those_before_it(
    people: Api, flaw: str, detail: str, monkeypatch: pytest.MonkeyPatch
):
    id = made(send(people, "table=people", f"name\nAnn\n{flaw}\nBen\n"), 202)["id"]
    monkeypatch.setattr(import_files, "LINE_MAX", 400)

    do_jobs()

    result = state_of(people, id)
    assert (result["state"], result["rowsImported"], result["detail"]) == ("failed", 1, detail)


def test_a_cell_that_is_too_long_is_told_in_our_words(people: Api):
    result = imported(people, "table=people", 'name\nAnn\n"' + ("x" * 99 + "\n") * 100_001 + '"\n')

    assert (result["rowsImported"], result["detail"]) == (
        1,
        "Line 3 can’t be read (a cell has more than 10,000,000 characters); a quote may be missing there.",
    )


@pytest.mark.parametrize(
    ("content", "type"),
    [
        (f"name\n{EMPTY}Ann\n{EMPTY}Ben\n{EMPTY}", CSV),
        (f'{EMPTY}{{"name": "Ann"}}\n{EMPTY} \n{{"name": "Ben"}}{EMPTY}', NDJSON),
    ],
)
@pytest.mark.parametrize("portions", [1, 4])
def test_empty_lines_are_read_some_at_a_time_and_passed_over_once_more(
    people: Api, monkeypatch: pytest.MonkeyPatch, content: str, type: str, portions: int
):
    monkeypatch.setattr(import_files, "BATCH_BYTES", 1)
    id = made(send(people, "table=people", content, type), 202)["id"]

    do_jobs(portions)
    assert state_of(people, id)["state"] == "running"
    do_jobs()

    result = state_of(people, id)
    assert (result["state"], result["rowsRead"], result["rowsImported"]) == ("done", 2, 2)


@pytest.mark.parametrize(
    ("content", "type"),
    [("name,age\n" + "Ann,x\n" * 3000, CSV), (json.dumps(dict.fromkeys(map(str, range(3000)))) + "\n", NDJSON)],
)
def test_of_any_number_of_flaws_of_a_batch_the_first_thousand_are_kept(
    people: Api, monkeypatch: pytest.MonkeyPatch, content: str, type: str
):
    kept: list[int] = []
    refuse = Converted.refuse

    def watch(self: Converted, reasons: Any) -> None:
        refuse(self, reasons)
        kept.append(len(self.flaws))

    monkeypatch.setattr(Converted, "refuse", watch)

    result = imported(people, "table=people", content, type)

    assert (len(result["rejects"]), max(kept)) == (1000, 1000)
    assert result["rowsRejected"] == content.count("\n") - (type == CSV)


def test_rows_on_many_lines_are_bounded_each_by_itself(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_files, "LINE_MAX", 100)

    assert imported(people, "table=people", "name\n" + '"x\ny"\n' * 100)["rowsImported"] == 100


def test_what_is_no_json_is_told_without_a_line_of_its_own(people: Api):
    result = imported(people, "table=people", '{"name": "Ann"}\n{name}\n', NDJSON)

    [reject] = result["rejects"]
    assert reject["line"] == 2
    assert reject["detail"].startswith("This is no valid JSON: Expecting property name")
    assert "line 1" not in reject["detail"]


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
