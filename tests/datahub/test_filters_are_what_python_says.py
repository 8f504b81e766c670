"""Random rows and random filters: what the database finds is what a few lines of Python find."""

import csv
import io
import json
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datahub.access import EVERYTHING
from datahub.dynamic import definition_of
from datahub.filter_reading import condition_from_json, condition_from_parameters, search
from datahub.filters import Condition, as_q
from datahub.models import Table
from datahub.services.column_checks import NewColumn
from datahub.services.rows import create_rows
from datahub.services.tables import create_table
from datahub.statements import select
from fastgen_backend.origin import COMMAND_LINE

CHOICES = ["a", "A", "ab", "ß", "\U0010ffff"]
TYPES: dict[str, dict[str, Any]] = {
    "text": {},
    "longText": {},
    "integer": {},
    "float": {},
    "decimal": {"scale": 2},
    "boolean": {},
    "date": {},
    "dateTime": {},
    "choice": {"choices": CHOICES},
    "multiChoice": {"choices": CHOICES},
    "json": {},
    "uuid": {},
}
COMPARING = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "isnull"]
MATCHING = ["eq", "ne", "in", "nin", "isnull"]
SEARCHING = [*COMPARING, "contains", "icontains", "startswith", "empty"]
OPERATORS = {
    **dict.fromkeys(["text", "longText", "choice"], SEARCHING),
    **dict.fromkeys(["integer", "float", "decimal", "date", "dateTime"], COMPARING),
    **dict.fromkeys(["boolean", "uuid"], MATCHING),
    "multiChoice": ["contains", "isnull", "empty"],
    "json": ["isnull", "empty"],
}

LETTERS = "aAbB ßẞİıiΣσςéÉ\u0301%_'\"\\,*[日\u200f\ud7ff\ue000\uffff\U00010000\U0001f600\U0010ffff"
TEXTS = st.text(LETTERS, max_size=3) | st.sampled_from(["straße", "STRASSE", "ΟΔΟΣ", "οδος", "İstanbul", "null", "\n"])
INTEGERS = st.integers(-3, 3) | st.sampled_from([2**63 - 1, -(2**63), 2**53, 2**53 + 1])
FLOATS = st.sampled_from([0.0, -0.0, 0.1, 0.30000000000000004, 0.3, -1.5, 1e308, 5e-324, 1, 2**53]) | st.floats(
    allow_nan=False, allow_infinity=False
)
DECIMALS = st.decimals(-9, 9, places=2).map(str) | st.sampled_from(["0", "-0.00", "0.10", "9999999999999.99", 3, -0.5])
CLOSE_DECIMALS = st.sampled_from(["0.101", "0.1", "-0.0001", "1e-10", "1E+2", "999999999999999", "8.99999999999999"])
DATES = st.dates().map(str) | st.sampled_from(["0001-01-01", "9999-12-31", "2026-02-28", "2026-03-01"])
MOMENTS = st.sampled_from(
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000001Z",
        "2026-01-01T00:00:00.100000Z",
        "2026-01-01T01:00:00+01:00",
        "2025-12-31 23:30:00-00:30",
        "2026-01-01T00:00:01z",
    ]
)
UUIDS = st.sampled_from([f"{digit * 8}-0000-7000-8000-00000000000{digit}" for digit in "01aBf"])
ITEMS = st.sampled_from(CHOICES)
DOCUMENTS = st.sampled_from(["", [], {}, 0, False, " ", [None], {"": ""}, "[]", "{}", '""', [[]], 1.5, "ß"])

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "longText": TEXTS,
    "integer": INTEGERS,
    "float": FLOATS,
    "decimal": DECIMALS,
    "boolean": st.booleans(),
    "date": DATES,
    "dateTime": MOMENTS,
    "choice": ITEMS,
    "multiChoice": st.lists(ITEMS, unique=True, max_size=3),
    "json": DOCUMENTS,
    "uuid": UUIDS,
}
OPERANDS = VALUES | {"choice": TEXTS, "multiChoice": ITEMS | TEXTS, "decimal": DECIMALS | CLOSE_DECIMALS}
ROWS = st.lists(st.fixed_dictionaries({key: st.none() | values for key, values in VALUES.items()}), max_size=6)

Json = dict[str, Any]


def _operand(type: str, op: str) -> st.SearchStrategy[Any]:
    if op in {"isnull", "empty"}:
        return st.booleans()
    one = OPERANDS[type]
    if op == "between":
        return st.lists(one, min_size=2, max_size=2)
    return st.lists(one, max_size=4) if op in {"in", "nin"} else one


def _test(type: str, op: str) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"field": st.just(type), "op": st.just(op), "value": _operand(type, op)})


TESTS = st.sampled_from([(type, op) for type in TYPES for op in OPERATORS[type]]).flatmap(lambda pair: _test(*pair))


def _filters(depth: int) -> st.SearchStrategy[Json]:
    if not depth:
        return TESTS
    below = _filters(depth - 1)
    several = st.lists(below, max_size=3)
    nots = st.builds(lambda part: {"not": part}, below)
    return TESTS | st.builds(lambda word, parts: {word: parts}, st.sampled_from(["and", "or"]), several) | nots


# The same condition, asked of one row in Python ---------------------------------------------------------------------


def _comparable(type: str, value: Any) -> Any:
    """A JSON value as its type compares it."""
    match type:
        case "decimal":
            return Decimal(str(value))
        case "dateTime":
            return datetime.fromisoformat(value.upper())
        case "uuid":
            return value.lower()
    return value


def _folded(text: str) -> str:
    return text.lower().replace("ς", "σ")


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, operands: value in operands,
    "between": lambda value, ends: ends[0] <= value <= ends[1],
    "contains": lambda value, part: part in value,
    "icontains": lambda value, part: _folded(part) in _folded(value),
    "startswith": lambda value, beginning: bool(value.startswith(beginning)),
}
OPPOSITES = {"ne": "eq", "nin": "in"}


def _holds(condition: Json, row: Json) -> bool:
    match condition:
        case {"and": parts}:
            return all(_holds(part, row) for part in parts)
        case {"or": parts}:
            return any(_holds(part, row) for part in parts)
        case {"not": part}:
            return not _holds(part, row)
    return _test_holds(condition["field"], condition["op"], condition["value"], row[condition["field"]])


def _test_holds(type: str, op: str, operand: Any, value: Any) -> bool:
    if op in OPPOSITES:
        return not _test_holds(type, OPPOSITES[op], operand, value)
    if op == "isnull":
        return (value is None) is operand
    if op == "empty":
        return (value is None or value in ("", [], {})) is operand
    if value is None or type == "multiChoice":
        return value is not None and operand in value
    several = op in {"in", "between"}
    wanted = [_comparable(type, each) for each in operand] if several else _comparable(type, operand)
    return COMPARISONS[op](_comparable(type, value), wanted)


# The properties -----------------------------------------------------------------------------------------------------


@pytest.fixture
def table(db: None) -> Table:
    columns = [NewColumn(name=type, key=type, type=type, options=options) for type, options in TYPES.items()]
    return create_table(name="All", columns=columns, origin=COMMAND_LINE)


bounded = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def _rows_of(table: Table, rows: list[Json]) -> Iterator[Callable[[Condition], list[int]]]:
    """Rows for a while; inside, which of them the database finds, by a list of rows as well as by any other query."""
    definition = definition_of(table)
    with transaction.atomic():
        ids: list[UUID] = []
        if rows:
            written = create_rows(table=table, items=rows, caller=EVERYTHING, origin=COMMAND_LINE)
            ids = [row["id"] for row in written.rows]

        def found(condition: Condition) -> list[int]:
            there = set(definition.rows().filter(as_q(condition)).values_list("pk", flat=True))
            listed = select(definition, [definition.members["id"]], condition, (), 100)
            assert {listed.values(index)[0] for index in range(len(listed))} == there
            return [index for index, id in enumerate(ids) if id in there]

        yield found
        transaction.set_rollback(True)


@bounded
@given(rows=ROWS, filters=st.lists(_filters(3), min_size=1, max_size=8))
def test_nested_filters_find_what_python_finds(table: Table, rows: list[Json], filters: list[Json]):
    members = definition_of(table).members

    with _rows_of(table, rows) as found:
        for filter in filters:
            expected = [index for index, row in enumerate(rows) if _holds(filter, row)]
            assert found(condition_from_json(filter, members)) == expected, filter


@bounded
@given(data=st.data())
@pytest.mark.parametrize("type", TYPES)
def test_every_operator_finds_what_python_finds(table: Table, type: str, data: st.DataObject):
    members, nothing = definition_of(table).members, dict.fromkeys(TYPES)
    rows = [{**nothing, type: value} for value in [None, *data.draw(st.lists(VALUES[type], max_size=5))]]
    tests = [data.draw(_test(type, op)) for op in OPERATORS[type]]

    with _rows_of(table, rows) as found:
        for filter in [*tests, *({"not": test} for test in tests)]:
            expected = [index for index, row in enumerate(rows) if _holds(filter, row)]
            assert found(condition_from_json(filter, members)) == expected, filter


@bounded
@given(rows=ROWS, texts=st.lists(TEXTS.filter(bool), max_size=5))
def test_a_search_finds_what_python_finds(table: Table, rows: list[Json], texts: list[str]):
    members = list(definition_of(table).members.values())
    searched = ["text", "longText", "choice"]

    with _rows_of(table, rows) as found:
        for text in texts:
            expected = [
                index
                for index, row in enumerate(rows)
                if any(_folded(text) in _folded(row[key] or "") for key in searched)
            ]
            assert found(search(text, members)) == expected, text


def _cell(type: str, op: str, value: Any) -> str:
    """A JSON operand as a parameter says it."""
    if isinstance(value, list):
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow([_cell(type, "", each) for each in value])
        return text.getvalue()
    return value if isinstance(value, str) else json.dumps(value)


@bounded
@given(filters=st.lists(TESTS, min_size=1, max_size=10))
def test_parameters_say_what_json_says(table: Table, filters: list[Json]):
    members = definition_of(table).members

    for filter in filters:
        text = _cell(filter["field"], filter["op"], filter["value"])
        if "\n" in text:
            continue
        said = condition_from_parameters({f"{filter['field']}__{filter['op']}": text}, members)

        assert said == condition_from_json({"and": [filter]}, members)
