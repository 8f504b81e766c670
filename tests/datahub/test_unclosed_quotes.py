"""A quote that is missing takes in lines it should not: whose they are is told, and none of it becomes a value."""

from typing import Any

import pytest

from datahub.import_files import CsvFile
from tests.conftest import Api
from tests.datahub.conftest import pointers
from tests.datahub.importing import imported, send


def _read(text: str) -> tuple[list[list[str]], list[Any]]:
    """The rows of a file and the flaws of others, batch by batch."""
    file = CsvFile(bytes([each]) for each in text.encode())
    records: list[list[str]] = []
    flaws: list[Any] = []
    while True:
        batch = file.batch()
        records += map(list, zip(*file.cells(batch, file.headers), strict=True))
        flaws += batch.flaws
        assert batch.read == len(batch.lines) + len(batch.flaws)
        if batch.is_last:
            return records, flaws


@pytest.mark.parametrize("start", ['"Ann', '"Ann""'])
@pytest.mark.parametrize("rest", ["", "\n", "\nBen\nCid", "\nBen\nCid\n", "\r\nBen\r\n\r\n"])
def test_one_that_is_never_closed_makes_no_row_of_the_rest(start: str, rest: str):
    records, [flaw] = _read(f"name\nZoe\n{start}{rest}")

    assert records == [["Zoe"]]
    assert flaw.line == 3
    assert f"line {3 + rest.count(chr(10)) - rest.endswith(chr(10))}" in flaw.detail
    assert "never closed" in flaw.detail


def test_one_in_a_row_of_several_cells_is_told_the_same_whatever_cells_it_leaves():
    for line in ('1,2,"3', '1,"2,3', '"1,2,3', '1,2,3,"4'):
        records, [flaw] = _read(f"a,b,c\n0,0,0\n{line}\n5,6,7\n")

        assert records == [["0", "0", "0"]]
        assert (flaw.line, "never closed" in flaw.detail) == (3, True)


def test_one_that_another_closes_is_told_with_the_lines_it_takes_in():
    records, [flaw] = _read('a,b,c\n1,"2,0\n3,4,"5"\n7,8,9\n')

    assert records == [["7", "8", "9"]]
    assert flaw.line == 2
    assert "goes on to line 3" in flaw.detail


@pytest.mark.parametrize("text", ["a\n1\n2", "a\n1\n2\n", "a\n1\n\n\n2\n\n", 'a\r\n"1"\r\n"2"'])
def test_a_file_whose_quotes_are_closed_ends_as_it_did(text: str):
    assert _read(text) == ([["1"], ["2"]], [])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_end_of_a_full_batch_is_no_row(monkeypatch: pytest.MonkeyPatch, size: int):
    monkeypatch.setattr("datahub.import_files.BATCH_ROWS", size)

    assert _read("a\n1\n2\n")[0] == [["1"], ["2"]]
    assert _read('a\n1\n"2\n')[0] == [["1"]]


def test_what_was_read_before_is_passed_over_up_to_the_end():
    file = CsvFile([b'a\n1\n"2\n'])
    file.skip(2)

    assert file.batch().read == 0


def test_an_import_rejects_what_the_quote_takes_in_and_nothing_else(people: Api):
    result = imported(people, "table=people", 'name,city\nAnn,Rome\nBen,"Oslo\nCid,Bern\n')

    assert (result["rowsImported"], result["rowsRejected"]) == (1, 1)
    assert people.get("/tables/people/rows?fields=name").json()["items"] == [{"name": "Ann"}]
    assert "never closed" in result["rejects"][0]["detail"]


def test_one_in_the_headers_is_refused_at_once(people: Api):
    assert pointers(send(people, "table=people", 'name,"city\nAnn,Rome\n')) == ["/headers"]


def test_one_in_a_new_tables_file_makes_no_column_a_text(admin: Api):
    result = imported(admin, "table=numbers&create=true", 'a,b\n1,2\n3,"4\n5,6\n')

    assert [column["type"] for column in result["columns"]] == ["integer", "integer"]
    assert (result["rowsImported"], result["rowsRejected"]) == (1, 1)
