"""A file that somebody wants to see first becomes a table only as they have confirmed it."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.services.users import create_user
from datahub import import_files
from datahub.errors import KeyTaken, NoSuchImport
from datahub.models import Import, ImportChunk, ImportPreview, Job, Table
from datahub.services.housekeeping import keep_house
from datahub.services.imports.previews import Confirmed, confirm_import, forget_import, start_look
from datahub.services.imports.upload import Upload
from events.models import Event
from fastgen_backend.errors import InvalidInput
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api
from tests.datahub.conftest import made
from tests.datahub.importing import do_jobs, imported, rows_of, state_of

pytestmark = pytest.mark.django_db
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
CONTENT = "Name,Price,State\nAnn,1.50,open\nBen,2,paid\nEve,,open\n"


def look(content: str = CONTENT, format: str = "csv", *, key: str | None = None) -> Import:
    """An import that waits to be confirmed, or failed before."""
    upload = Upload(format, len(content.encode()), io.BytesIO(content.encode()))
    found = start_look(name="My things", key=key, upload=upload, file_name="things.csv", origin=COMMAND_LINE)
    do_jobs()
    found.refresh_from_db()
    return found


def confirm(found: Import, *columns: Confirmed | None, name: str = "Things", key: str | None = "things") -> Import:
    return confirm_import(id=found.pk, name=name, key=key, columns=columns, origin=COMMAND_LINE)


def pointers_of(found: Import, *columns: Confirmed | None, **named: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        confirm(found, *columns, **named)
    return [each.pointer for each in refused.value.errors]


NAME, PRICE, STATE = Confirmed("Name", "text"), Confirmed("Price", "decimal", scale=2), Confirmed("State", "text")


def test_a_file_is_looked_through_and_nothing_is_made(admin: Api, told):
    found = look()

    assert found.state == Import.State.WAITING
    assert not Table.objects.exists()
    assert not Job.objects.exists()
    assert told() == []


def test_the_look_tells_columns_choices_first_rows_and_how_many_there_are(admin: Api):
    preview = look(CONTENT + "Fay\n").preview

    assert (preview.name, preview.key, preview.rows, preview.rows_flawed) == ("My things", "", 4, 1)
    assert [(each["name"], each["type"], each["choices"]) for each in preview.columns] == [
        ("Name", "text", ["Ann", "Ben", "Eve"]),
        ("Price", "decimal", ["1.50", "2"]),
        ("State", "text", ["open", "paid"]),
    ]
    assert preview.columns[1]["options"] == {"scale": 2}
    assert preview.sample == [["Ann", "1.50", "open"], ["Ben", "2", "paid"], ["Eve", "", "open"]]


def test_the_first_ten_rows_are_kept_in_part(admin: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_files, "BATCH_ROWS", 3)

    preview = look("text\n" + "".join(f"{number}{'x' * 300}\n" for number in range(30))).preview

    assert [row[0][:2] for row in preview.sample] == [f"{number}x" for number in range(10)]
    assert {len(row[0]) for row in preview.sample} == {201}
    assert preview.rows == 30


def test_more_than_fifty_different_values_are_no_choices(admin: Api):
    few = look("a\n" + "".join(f"{number}\n" for number in range(50)) * 2).preview
    many = look("a\n" + "".join(f"{number}\n" for number in range(51))).preview

    assert (len(few.columns[0]["choices"]), many.columns[0]["choices"]) == (50, [])


def test_objects_may_name_new_members_on_any_line(admin: Api):
    found = look('{"a": 1}\n{"b": [1], "a": 2}\n', "ndjson")

    assert found.headers == ["a", "b"]
    assert found.preview.sample == [["1", ""], ["2", "[1]"]]
    assert [each["choices"] for each in found.preview.columns] == [[], []]


def test_a_member_with_an_impossible_name_ends_the_look(admin: Api):
    found = look(r'{"a\u0000": 1}', "ndjson")

    assert found.state == Import.State.FAILED
    assert "a\ufffd" in found.detail


def test_an_import_that_waits_is_not_seen_by_programs(admin: Api):
    found = look()

    assert admin.get(f"/imports/{found.pk}").status_code == 404
    assert admin.post(f"/imports/{found.pk}/undo").status_code == 404
    assert made(admin.get("/imports"), 200)["items"] == []


def test_a_confirmed_table_is_made_as_it_was_corrected(admin: Api):
    columns = Confirmed("Who", "text", unique=True), Confirmed("Price", "float"), Confirmed("State", "choice")

    found = confirm(look(), *columns)
    do_jobs()

    assert state_of(admin, str(found.pk))["rowsImported"] == 3
    table = made(admin.get("/tables/things"), 200)
    assert (table["name"], [each["key"] for each in table["columns"]]) == ("Things", ["who", "price", "state"])
    assert table["columns"][0]["unique"]
    assert table["columns"][2]["options"] == {"choices": ["open", "paid"]}
    assert rows_of(admin, "things", "who", "price", "state") == [
        ["Ann", 1.5, "open"],
        ["Ben", 2.0, "paid"],
        ["Eve", None, "open"],
    ]


def test_what_is_left_out_goes_nowhere(admin: Api):
    found = confirm(look(), NAME, None, STATE)
    do_jobs()

    assert [each["key"] for each in made(admin.get("/tables/things"), 200)["columns"]] == ["name", "state"]
    assert rows_of(admin, "things", "name", "state")[1] == ["Ben", "paid"]
    assert state_of(admin, str(found.pk))["ignored"] == ["Price"]


def test_a_member_of_objects_is_left_out_as_well(admin: Api):
    found = confirm(look('{"a": 1, "b": 2}\n', "ndjson"), Confirmed("b", "integer"), None)
    do_jobs()

    assert state_of(admin, str(found.pk))["rowsImported"] == 1
    assert rows_of(admin, "things", "b") == [[1]]


def test_rows_that_do_not_fit_a_corrected_type_are_rejected(admin: Api):
    found = confirm(look(), NAME, Confirmed("Price", "integer"), STATE)
    do_jobs()

    assert [each["line"] for each in state_of(admin, str(found.pk))["rejects"]] == [2]


def test_a_required_column_rejects_rows_without_a_value(admin: Api):
    found = confirm(look(), NAME, Confirmed("Price", "decimal", scale=2, required=True), STATE)
    do_jobs()

    assert [each["pointer"] for each in state_of(admin, str(found.pk))["rejects"]] == ["/price"]


def test_a_text_takes_the_longest_there_is(admin: Api):
    found = confirm(look(f"a\n{'x' * 300}\n"), Confirmed("a", "text"))
    do_jobs()

    assert state_of(admin, str(found.pk))["rowsImported"] == 1
    assert made(admin.get("/tables/things"), 200)["columns"][0]["options"] == {"maxLength": 300}


def test_flaws_are_told_at_the_headers(admin: Api):
    long = Confirmed("x" * 300, "text", unique=True)

    assert pointers_of(look(), None, long, Confirmed("State", "shoe")) == ["/columns/1/name", "/columns/2/type"]


def test_a_choice_without_choices_is_refused_at_its_column(admin: Api):
    found = look("a,b\n1,\n")

    assert pointers_of(found, None, Confirmed("b", "choice")) == ["/columns/1/options/choices"]


def test_name_and_key_are_checked(people: Api):
    columns = NAME, PRICE, STATE

    assert pointers_of(look(), *columns, name=" ", key="people") == ["/name", "/key"]
    assert pointers_of(look(), *columns, key="a b") == ["/key"]


def test_one_column_must_be_kept(admin: Api):
    assert pointers_of(look(), None, None, None) == ["/columns"]


def test_a_refusal_changes_nothing(admin: Api):
    found = look()
    pointers_of(found, None, None, None)

    assert Import.objects.get(pk=found.pk).state == Import.State.WAITING
    assert not Job.objects.exists()


def test_a_key_is_made_from_the_name_where_none_is_given(people: Api):
    confirm(look(), NAME, PRICE, STATE, name="People", key=None)
    do_jobs()

    assert rows_of(people, "people_2", "name")[0] == ["Ann"]


def test_a_key_that_is_taken_is_refused_before_the_file_comes(people: Api):
    with pytest.raises((InvalidInput, KeyTaken)):
        look(key="people")

    assert not Import.objects.exists()


def test_who_confirms_is_whom_the_events_tell_of(admin: Api):
    confirm(look(), NAME, PRICE, STATE)
    do_jobs()

    assert [each.type for each in Event.objects.order_by("id")] == ["api.dataTable_created", "api.dataTable_imported"]


def test_to_confirm_twice_is_to_confirm_once(admin: Api):
    found = look()
    for _time in range(2):
        confirm(found, NAME, PRICE, STATE)
    do_jobs()
    confirm(found, None, None, None)
    do_jobs()

    assert len(rows_of(admin, "things", "name")) == 3


def test_the_file_and_what_was_seen_of_it_are_gone_in_the_end(admin: Api):
    confirm(look(), NAME, PRICE, STATE)
    do_jobs()

    assert not ImportChunk.objects.exists()
    assert not ImportPreview.objects.exists()


def test_a_file_that_is_forgotten_is_gone(admin: Api):
    found = look()

    forget_import(id=found.pk)
    do_jobs()

    assert (Import.objects.count(), ImportChunk.objects.count(), Job.objects.count()) == (0, 0, 0)
    with pytest.raises(NoSuchImport):
        confirm(found, NAME, PRICE, STATE)


def test_a_file_can_be_forgotten_while_it_is_looked_through(admin: Api):
    upload = Upload("csv", len(CONTENT), io.BytesIO(CONTENT.encode()))
    found = start_look(name="Things", key=None, upload=upload, file_name="", origin=COMMAND_LINE)

    forget_import(id=found.pk)
    do_jobs()

    assert (Import.objects.count(), Job.objects.count()) == (0, 0)


def test_an_import_that_has_begun_is_not_forgotten(admin: Api):
    found = look()
    confirm(found, NAME, PRICE, STATE)

    with pytest.raises(NoSuchImport):
        forget_import(id=found.pk)


def test_what_nobody_confirms_is_forgotten_after_a_day(admin: Api):
    old, young = look(), look()
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))

    keep_house()
    do_jobs()

    assert list(Import.objects.values_list("pk", flat=True)) == [young.pk]


def test_a_worker_that_dies_while_it_looks_leaves_the_look_to_another(admin: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_files, "BATCH_ROWS", 1)
    upload = Upload("csv", len(CONTENT), io.BytesIO(CONTENT.encode()))
    found = start_look(name="Things", key=None, upload=upload, file_name="", origin=COMMAND_LINE)
    do_jobs(portions=2)

    do_jobs()

    assert Import.objects.get(pk=found.pk).preview.rows == 3


def test_what_the_system_sets_and_whom_rows_belong_to_are_no_columns_of_an_export(people: Api):
    owner = create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE).pk
    made(people.post("/tables/people/rows", {"name": "Ann", "owner": str(owner)}))
    export = b"".join(people.get("/tables/people/rows.csv").streaming_content).decode()

    found = look(export)

    apart = {header: each.get("target") for header, each in zip(found.headers, found.preview.columns, strict=True)}
    assert {header: target for header, target in apart.items() if target is not None} == {
        "id": "",
        "createdAt": "",
        "updatedAt": "",
        "revision": "",
        "owner": "owner",
    }
    kept = [None if "target" in each else Confirmed(each["name"], "text") for each in found.preview.columns]
    confirm(found, *kept)
    do_jobs()
    assert rows_of(people, "things", "name", "owner") == [["Ann", str(owner)]]


def test_owners_that_are_nobody_we_know_are_a_column_like_others(admin: Api):
    found = look(f"name,owner\nAnn,{NOBODY}\n")

    confirm(found, Confirmed("name", "text"), Confirmed("owner", "text"))
    do_jobs()

    assert rows_of(admin, "things", "name", "c_owner") == [["Ann", NOBODY]]


def test_who_creates_by_a_program_waits_for_nobody(admin: Api):
    assert imported(admin, "table=things&create=true", CONTENT)["rowsImported"] == 3
