"""A row of CSV has no more cells than memory allows: they are counted as Python's reader makes them."""

import csv
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datahub import import_files
from datahub.import_files import CsvFile, Unreadable
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import do_jobs, send, state_of


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "CELLS_MAX", 5)


@pytest.mark.usefixtures("most")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from('a,",\n'), max_size=60))
@example('a"b,c"d,e,f,g,h')
@example('"a""b,c"d"e,f,g,h,i\n"')
@example('"a,\n,b"c,d,e,f,\n"')
def test_they_are_counted_as_they_are_read(text: str):
    longest = max(map(len, csv.reader(io.StringIO(f"a\n{text}", newline=""))))
    file = CsvFile([f"a\n{text}".encode()])

    try:
        while not file.batch().is_last:
            pass
        assert longest <= 2 * 5  # the first five characters are not looked at
    except Unreadable:
        assert longest > 5


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize(
    "row",
    [
        "1,2,3,4,5,6",
        ",,,,,",
        '"1","2","3","4","5","6"',
        'a"b,2,3,4,5,6"',
        '"1"x"y,2,3,4,5,6',
        '"1\n1",2,3,"4\n4",5,6,7',
    ],
)
def test_too_many_end_the_file(row: str):
    file = CsvFile([f"a,b\n1,2\n{row}\n".encode()])

    assert file.batch().texts == ["1", "2"]
    with pytest.raises(Unreadable, match="more than 5 cells"):
        file.batch()


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("row", ['"1,1,1,1,1,1",2', '"1"",1,1,1\n,1,1,1""",2', '"1,1,\n,1,1,\n,1,1",2'])
def test_commas_within_quotes_make_none(row: str):
    file = CsvFile([f"a,b\n{row}\n{row}\n".encode()])

    assert (len(file.batch().texts), file.batch().flaws) == (4, [])


def test_so_many_cells_take_little_memory(people: Api):
    """Six million cells of a character would take half a gigabyte: they are refused before they are made."""
    id = made(send(people, "table=people", f"name\nAnn\n{'€,' * 6_000_000}\n"), 202)["id"]

    do_jobs()

    result = state_of(people, id)
    assert (result["state"], result["rowsImported"]) == ("failed", 1)
    assert result["detail"] == "Line 3 has more than 100,000 cells."
