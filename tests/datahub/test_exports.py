"""Rows as CSV and NDJSON."""

import csv
import io
import json
from itertools import islice
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from datahub import export
from datahub.listing import walk
from tests.conftest import Api
from tests.datahub.conftest import made

ROWS = "/tables/people/rows"
TEXTS = ["plain", 'with "quotes", and commas', "two\nlines\r\n", "", " ends ", "=1+1", "ß İ \U0001f600", "null"]


@pytest.fixture
def texts(people: Api) -> Api:
    made(people.post(ROWS, [{"name": text, "amount": "1.50" if text else None} for text in TEXTS]))
    return people


def _content(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return bytes(answer.getvalue()).decode()


def test_csv_has_a_line_of_keys_and_every_row(texts: Api):
    answer = texts.get(f"{ROWS}.csv?fields=name,amount,owner")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="people.csv"'
    lines = list(csv.reader(io.StringIO(_content(answer), newline="")))
    assert lines[0] == ["name", "amount", "owner"]
    assert lines[1:] == [[text, "1.50" if text else "", ""] for text in TEXTS]


def test_ndjson_has_a_row_on_each_line(texts: Api):
    answer = texts.get(f"{ROWS}.ndjson")

    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Content-Disposition"] == 'attachment; filename="people.ndjson"'
    rows = [json.loads(line) for line in _content(answer).rstrip("\n").split("\n")]
    assert rows == texts.get(ROWS).json()["items"]


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_an_export_has_what_was_asked_for(texts: Api, ending: str):
    content = _content(texts.get(f"{ROWS}.{ending}?name__in=null,plain&order=-name&fields=name&q=l"))

    expected = {"csv": "name\r\nplain\r\nnull\r\n", "ndjson": '{"name":"plain"}\n{"name":"null"}\n'}
    assert content == expected[ending]


def test_an_export_of_nothing_is_empty(people: Api):
    assert _content(people.get(f"{ROWS}.csv?fields=name,age")) == "name,age\r\n"
    assert _content(people.get(f"{ROWS}.ndjson")) == ""


@pytest.mark.parametrize("order", ["", "&order=amount", "&order=-amount,name"])
@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_rows_are_walked_in_pieces_and_none_is_lost(
    texts: Api, monkeypatch: pytest.MonkeyPatch, ending: str, order: str
):
    whole = _content(texts.get(f"{ROWS}.{ending}?fields=name{order}"))
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 3)

    answer = texts.get(f"{ROWS}.{ending}?fields=name{order}")
    with CaptureQueriesContext(connection) as queries:
        pieces = [bytes(piece) for piece in answer.streaming_content]

    assert b"".join(pieces).decode() == whole
    assert len([piece for piece in pieces if piece]) >= 3
    assert all("LIMIT" in query["sql"] for query in queries.captured_queries)


def test_a_row_is_not_read_before_it_is_sent(texts: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 1)
    answer = texts.get(f"{ROWS}.ndjson")
    pieces = iter(answer.streaming_content)
    next(pieces)

    with CaptureQueriesContext(connection) as queries:
        next(pieces)

    assert len(queries) == 1


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
@pytest.mark.parametrize("query", ["agee=1", "order=nothing", "fields=", "limit=1", "expand=owner", "count=exact"])
def test_what_can_not_be_asked_is_refused_before_anything_is_sent(texts: Api, ending: str, query: str):
    assert texts.get(f"{ROWS}.{ending}?{query}").status_code == 400


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_an_export_that_is_cut_short_says_so_in_its_last_line(
    texts: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ending: str
):

    def fail_later(*given: Any) -> Any:
        yield from islice(walk(*given), 2)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(export, "walk", fail_later)
    lines = _content(texts.get(f"{ROWS}.{ending}?fields=amount,name&order=createdAt")).splitlines()

    if ending == "csv":
        assert "not complete" in lines[-1]
        assert "," not in lines[-1].strip('"'), "no row has one cell only"
    else:
        assert json.loads(lines[-1])["error"]["code"] == "export-incomplete"
        assert len(lines) == 4 + 1
    assert "An export ended before its end." in caplog.messages
