"""What is exported from one table and imported into its twin is the same there."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import CSV, NDJSON, imported

pytestmark = pytest.mark.django_db

CHOICES = ["a", "b,c", '"d"', " e"]
COLUMNS: list[dict[str, Any]] = [
    {"name": "Text", "type": "text"},
    {"name": "Long text", "type": "longText"},
    {"name": "Integer", "type": "integer"},
    {"name": "Float", "type": "float"},
    {"name": "Decimal", "type": "decimal"},
    {"name": "Boolean", "type": "boolean"},
    {"name": "Date", "type": "date"},
    {"name": "Moment", "type": "dateTime"},
    {"name": "Choice", "type": "choice", "options": {"choices": CHOICES}},
    {"name": "Choices", "type": "multiChoice", "options": {"choices": CHOICES}},
    {"name": "Json", "type": "json"},
    {"name": "Uuid", "type": "uuid"},
]
HOSTILE = [
    "=1+1",
    "\ufeff",
    "\r",
    "\n",
    "\r\n",
    '"',
    '""',
    ",",
    "\t",
    "\\N",
    "\\.",
    "\\",
    "'",
    ";",
    "null",
    " a ",
    "\x1f",
]
TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join),
)
JSON = st.recursive(TEXT | st.integers(-9, 9) | st.booleans(), lambda each: st.lists(each, max_size=2), max_leaves=3)
ROW = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXT,
        "long_text": TEXT,
        "integer": st.integers(-(2**63), 2**63 - 1),
        "float": st.floats(allow_nan=False, allow_infinity=False),
        "decimal": st.decimals(-(10**12), 10**12, places=2, allow_nan=False).map(str),
        "boolean": st.booleans(),
        "date": st.dates().map(str),
        "moment": st.datetimes().map(lambda moment: f"{moment.isoformat('T', 'microseconds')}Z"),
        "choice": st.sampled_from(CHOICES),
        "choices": st.lists(st.sampled_from(CHOICES), unique=True, max_size=3),
        "json": JSON,
        "uuid": st.uuids().map(str),
    },
)
KEYS = [
    "text",
    "long_text",
    "integer",
    "float",
    "decimal",
    "boolean",
    "date",
    "moment",
    "choice",
    "choices",
    "json",
    "uuid",
]


@pytest.fixture
def twins(admin: Api) -> Api:
    for name in ("One", "Two"):
        made(admin.post("/tables", {"name": name, "columns": COLUMNS}))
    return admin


def _values(api: Api, table: str, nothing: object = "") -> list[dict[str, Any]]:
    """The rows without what the system sets; a text without characters is `nothing`."""
    rows = made(api.get(f"/tables/{table}/rows?limit=200"), 200)["items"]
    return [{key: None if row[key] == nothing and key != "json" else row[key] for key in KEYS} for row in rows]


@pytest.mark.parametrize(("ending", "type"), [("csv", CSV), ("ndjson", NDJSON)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=6))
def test_rows_are_the_same_after_an_export_and_an_import(
    twins: Api, ending: str, type: str, rows: list[dict[str, Any]]
):
    for table in ("one", "two"):
        assert twins.post(f"/tables/{table}/clear").status_code == 204
    made(twins.post("/tables/one/rows", rows))
    content = bytes(twins.get(f"/tables/one/rows.{ending}").getvalue())

    result = imported(twins, "table=two", content, type)

    nothing = "" if ending == "csv" else object()
    assert result["rejects"] == []
    assert _values(twins, "two", nothing) == _values(twins, "one", nothing)


LINE_END = st.sampled_from([b"\n", b"\r\n", b"\r"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(TEXT.filter(bool), min_size=1, max_size=6), ends=st.data(), has_mark=st.booleans())
def test_every_text_comes_through_whatever_the_line_ends_are(
    twins: Api, cells: list[str], ends: st.DataObject, has_mark: bool
):
    assert twins.post("/tables/one/clear").status_code == 204
    lines = [b"text", *('"{}"'.format(cell.replace('"', '""')).encode() for cell in cells)]
    content = b"\xef\xbb\xbf" * has_mark + b"".join(line + ends.draw(LINE_END) for line in lines)

    result = imported(twins, "table=one", content)

    assert (result["rowsRead"], result["rejects"]) == (len(cells), [])
    assert [row["text"] for row in _values(twins, "one")] == cells


def test_a_member_of_json_that_is_null_is_absent_after_an_import(twins: Api):
    imported(twins, "table=one", json.dumps({"json": None, "text": ""}), NDJSON)

    [row] = _values(twins, "one", object())
    assert (row["json"], row["text"]) == (None, "")
