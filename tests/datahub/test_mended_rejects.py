"""Rows that an import rejected are mended and taken in, each once; those that are not fit stay as they were typed."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from datahub.errors import ImportRunning, ImportUndone, NoSuchImport, NotMendable
from datahub.models import Import, ImportReject, RejectedRow
from datahub.services.housekeeping import keep_house
from datahub.services.imports.mending import Mended, keep_cells, leave_out, mend_rows
from events.models import Event
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api, together
from tests.datahub.conftest import made
from tests.datahub.importing import CSV, NDJSON, do_jobs, imported, rows_of, send, state_of, undone

pytestmark = pytest.mark.django_db
CONTENT = "name,email,age\nAnn,ann@example.com,42\nBen,nowhere,old\nEve,eve@example.com,x\n"


def start(api: Api, content: str = CONTENT, type: str = CSV) -> UUID:
    return UUID(imported(api, "table=people", content, type)["id"])


def mend(id: UUID, rows: dict[int, list[str]]) -> Mended:
    return mend_rows(id=id, rows=rows, origin=COMMAND_LINE)


def cells_of(id: UUID) -> dict[int, Any]:
    return dict(RejectedRow.objects.filter(of=id).order_by("line").values_list("line", "cells"))


def reasons_of(id: UUID) -> list[tuple[int, str]]:
    return list(ImportReject.objects.filter(of=id).order_by("line", "id").values_list("line", "pointer"))


def test_a_rejected_row_keeps_its_cells(people: Api):
    id = start(people)

    assert cells_of(id) == {3: ["Ben", "nowhere", "old"], 4: ["Eve", "eve@example.com", "x"]}


def test_a_row_of_another_width_keeps_the_cells_it_has(people: Api):
    id = start(people, 'name,age\nAnn\nBen,1,2,3\n"Eve')

    assert cells_of(id) == {2: ["Ann"], 3: ["Ben", "1", "2", "3"], 4: ["Eve"]}


def test_the_members_of_an_object_are_kept_as_texts_and_those_that_are_no_columns_after_them(people: Api):
    made(people.post("/tables/people/columns", {"name": "Data", "type": "json"}))
    lines = [{"name": "Ann", "age": "x", "amount": 1.5, "data": "a"}, {"name": "Ben", "shoes": [1]}]

    id = start(people, "\n".join(map(json.dumps, lines)) + "\n{", NDJSON)

    headers = Import.objects.get(pk=id).headers
    first = dict(zip(headers, cells_of(id)[1], strict=False))
    assert {key: text for key, text in first.items() if text} == {
        "name": "Ann",
        "age": "x",
        "amount": "1.5",
        "data": '"a"',
    }
    assert cells_of(id)[2][len(headers) :] == ['"shoes": [1]']


def test_a_line_that_is_no_object_is_kept_beyond_the_columns(people: Api):
    id = start(people, '{"name": "Ann"}\n{"name":', NDJSON)

    width = len(Import.objects.get(pk=id).headers)
    assert cells_of(id)[2] == [""] * width + ['{"name":']


def test_a_row_that_is_too_large_keeps_no_cells(people: Api):
    id = start(people, f"name,age\n{'x' * 20_000},old\n")

    assert cells_of(id) == {2: None}


def test_what_no_database_keeps_is_replaced(people: Api):
    id = UUID(imported(people, "table=people", b"name,age\n\xff\0,1\n")["id"])

    assert cells_of(id) == {2: ["\ufffd\ufffd", "1"]}


def test_a_mended_row_goes_in_and_is_no_reject_any_more(people: Api):
    id = start(people)

    assert mend(id, {3: ["Ben", "ben@example.com", "7"]}) == Mended(taken_in=1, still_rejected=0)

    assert rows_of(people, "people", "name", "email", "age") == [
        ["Ann", "ann@example.com", 42],
        ["Ben", "ben@example.com", 7],
    ]
    result = state_of(people, str(id))
    assert (result["rowsRead"], result["rowsImported"], result["rowsRejected"]) == (3, 2, 1)
    assert [each["line"] for each in result["rejects"]] == [4]
    assert list(cells_of(id)) == [4]


def test_a_row_that_still_is_not_fit_stays_as_it_was_typed_with_the_reasons_of_now(people: Api):
    id = start(people)

    mended = mend(id, {3: ["Ben", "ben@example.com", "seven"], 4: ["", "eve@example.com", "8"]})

    assert mended == Mended(taken_in=0, still_rejected=2)
    assert cells_of(id) == {3: ["Ben", "ben@example.com", "seven"], 4: ["", "eve@example.com", "8"]}
    assert reasons_of(id) == [(3, "/age"), (4, "/name")]
    assert state_of(people, str(id))["rowsRejected"] == 2


def test_good_rows_go_in_beside_those_that_stay(people: Api):
    id = start(people)

    mended = mend(id, {3: ["Ben", "ben@example.com", "seven"], 4: ["Eve", "eve@example.com", "8"]})

    assert mended == Mended(taken_in=1, still_rejected=1)
    assert [name for [name] in rows_of(people, "people", "name")] == ["Ann", "Eve"]


def test_a_value_that_another_row_has_by_now_is_a_reason_to_stay(people: Api):
    id = start(people)

    mend(id, {3: ["Ben", "ann@example.com", "7"], 4: ["Eve", "eve@example.com", "8"]})

    assert reasons_of(id) == [(3, "/email")]


def test_of_two_mended_rows_with_one_value_the_first_goes_in(people: Api):
    id = start(people)

    mend(id, {3: ["Ben", "e@example.com", "7"], 4: ["Eve", "e@example.com", "8"]})

    assert reasons_of(id) == [(4, "/email")]


def test_cells_beyond_the_headers_must_be_emptied(people: Api):
    id = start(people, "name,age\nAnn,1,2\nBen\n")

    assert mend(id, {2: ["Ann", "1", "2"], 3: ["Ben", ""]}) == Mended(taken_in=1, still_rejected=1)
    assert mend(id, {2: ["Ann", "1", ""]}) == Mended(taken_in=1, still_rejected=0)
    assert rows_of(people, "people", "name", "age") == [["Ben", None], ["Ann", 1]]


def test_an_object_is_mended_by_texts(people: Api):
    id = start(people, '{"name": "Ann", "age": "x", "amount": 1.5}', NDJSON)
    headers, cells = Import.objects.get(pk=id).headers, cells_of(id)[1]

    mend(id, {1: ["7" if header == "age" else cell for header, cell in zip(headers, cells, strict=True)]})

    assert rows_of(people, "people", "name", "age", "amount") == [["Ann", 7, "1.50"]]


def test_an_undo_takes_mended_rows_out_as_well(people: Api):
    id = start(people)
    mend(id, {3: ["Ben", "ben@example.com", "7"]})

    assert undone(people, str(id))["undone"] == {"rowsDeleted": 2, "rowsKept": 0}
    assert rows_of(people, "people", "name") == []


def test_nothing_is_mended_once_an_import_is_undone(people: Api):
    id = start(people)
    undone(people, str(id))

    with pytest.raises(ImportUndone):
        mend(id, {3: ["Ben", "ben@example.com", "7"]})


def test_nothing_is_mended_while_an_import_runs(people: Api):
    id = made(send(people, "table=people", CONTENT), 202)["id"]

    with pytest.raises(ImportRunning):
        mend(UUID(id), {3: ["Ben", "ben@example.com", "7"]})


def test_nothing_is_mended_of_an_import_that_is_not_there(people: Api):
    with pytest.raises(NoSuchImport):
        mend(UUID(int=7), {3: []})


def test_nothing_is_mended_where_a_column_was_deleted(people: Api):
    id = start(people)
    people.delete("/tables/people/columns/age")

    with pytest.raises(NotMendable):
        mend(id, {3: ["Ben", "ben@example.com", "7"]})


def test_what_was_rejected_goes_with_its_table(people: Api):
    id = start(people)
    people.delete("/tables/people")

    assert cells_of(id) == {}
    with pytest.raises(NotMendable):
        mend(id, {3: ["Ben", "ben@example.com", "7"]})


def test_a_row_that_is_sent_twice_goes_in_once(people: Api):
    id = start(people)
    row = {4: ["Eve", "", "8"]}

    assert [mend(id, row), mend(id, row)] == [Mended(1, 0), Mended(0, 0)]
    assert [name for [name] in rows_of(people, "people", "name")] == ["Ann", "Eve"]


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_who_mend_a_row_one_takes_it_in(people: Api):
    id = start(people)

    mended = together(lambda _number: mend(id, {3: ["Ben", "", "7"], 4: ["Eve", "", "8"]}), 6)

    assert sum(each.taken_in for each in mended) == 2
    assert [name for [name] in rows_of(people, "people", "name")] == ["Ann", "Ben", "Eve"]
    assert state_of(people, str(id))["rowsImported"] == 3


def test_a_line_that_is_no_reject_is_passed_over(people: Api):
    assert mend(start(people), {2: ["Zoe", "", ""]}) == Mended(0, 0)


def test_mended_rows_are_told_with_all_that_the_import_made(people: Api, told):
    id = start(people)
    mend(id, {3: ["Ben", "", "7"]})

    assert told()[-2:] == ["api.dataTable_imported"] * 2
    last = Event.objects.filter(type="api.dataTable_imported").order_by("-id").first()
    assert last is not None
    assert (last.data["importId"], last.data["rowsImported"]) == (str(id), 2)


def test_where_nothing_was_taken_in_nothing_is_told(people: Api, told):
    mend(start(people), {3: ["Ben", "", "old"]})

    assert told().count("api.dataTable_imported") == 1


def test_mended_rows_and_their_event_are_one(people: Api, monkeypatch: pytest.MonkeyPatch):
    id = start(people)
    monkeypatch.setattr("events.receivers.record_event", lambda **_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        mend(id, {3: ["Ben", "", "7"]})

    assert list(cells_of(id)) == [3, 4]


def test_what_is_typed_can_be_kept_without_a_look_at_it(people: Api):
    id = start(people)

    keep_cells(id=id, rows={3: ["Ben", "half", "o"]})

    assert cells_of(id)[3] == ["Ben", "half", "o"]


def test_a_row_that_is_left_out_is_forgotten_and_stays_counted(people: Api):
    id = start(people)

    assert leave_out(id=id, lines=[3]) == 1

    assert list(cells_of(id)) == [4]
    assert reasons_of(id) == [(4, "/age")]
    assert state_of(people, str(id))["rowsRejected"] == 2


def test_what_rejected_rows_held_is_forgotten_in_time(people: Api):
    id = start(people)
    Import.objects.update(created_at=timezone.now() - timedelta(days=settings.COLUMN_RETENTION_DAYS))

    keep_house()

    assert cells_of(id) == {}
    assert len(state_of(people, str(id))["rejects"]) == 3  # why they were rejected is no secret


def test_more_reasons_than_are_kept_lose_no_row(admin: Api):
    columns = [{"name": f"a{number}", "type": "integer"} for number in range(300)]
    made(admin.post("/tables", {"name": "Wide", "columns": columns}))
    header = ",".join(f"a{number}" for number in range(300))
    bad = ["x"] * 300
    id = UUID(imported(admin, "table=wide", f"{header}\n" + f"{','.join(bad)}\n" * 3)["id"])

    mended = mend(id, dict.fromkeys((2, 3, 4, 5), bad))

    assert mended.taken_in == 0
    assert list(cells_of(id)) == [2, 3, 4]
    do_jobs()
