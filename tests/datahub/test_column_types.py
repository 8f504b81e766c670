"""What each type of column takes, shows, refuses, and makes of the values of every other."""

import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datahub.column_types import ALL, BY_NAME, BadOption, ColumnType, Unfit
from datahub.column_types.documents import MultiChoice
from tests.conftest import Api

Key = Callable[..., Api]
CHOICES = ["red", "green", "1", "true", "ß, [x]", '"quoted"', " spaced ", "[", '["red"]']
TABLE = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
OPTIONS: dict[str, dict[str, Any]] = {
    "choice": {"choices": CHOICES},
    "multiChoice": {"choices": CHOICES},
    "decimal": {"scale": 3},
    "relation": {"table": TABLE},
}
TYPES: dict[str, ColumnType] = {name: type.with_options(OPTIONS.get(name, {})) for name, type in BY_NAME.items()}
TYPES["relations"] = BY_NAME["relation"].with_options({"table": TABLE, "many": True})

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
UUIDS = st.uuids().map(str)
DOCUMENTS = st.recursive(
    st.booleans() | INTEGERS | st.integers(-(10**9), 10**9).map(lambda number: number / 1000) | TEXTS,
    lambda below: st.lists(st.none() | below, max_size=3) | st.dictionaries(TEXTS, st.none() | below, max_size=3),
    max_leaves=8,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "longText": TEXTS,
    "integer": INTEGERS,
    "float": FLOATS,
    "decimal": st.decimals(-(10**12) + 1, 10**12 - 1, places=3).map(str),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "dateTime": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "choice": st.sampled_from(CHOICES),
    "multiChoice": st.lists(st.sampled_from(CHOICES), unique=True),
    "email": st.from_regex(r"[a-z0-9.+'_-]{0,20}[a-z0-9]@([a-z0-9]{1,10}\.){1,2}[a-z]{2,5}", fullmatch=True).filter(
        lambda text: ".." not in text and not text.startswith(".")
    ),
    "url": st.from_regex(r"https?://[a-z0-9]{1,20}(:[1-9][0-9]{0,3})?(/[!-~]{0,20})?", fullmatch=True),
    "json": DOCUMENTS,
    "uuid": UUIDS,
    "relation": UUIDS,
    "relations": st.lists(UUIDS, unique=True, max_size=4),
}
each_type = pytest.mark.parametrize("name", TYPES)


def _reason(refuse: Callable[[], Any]) -> str:
    """The code of the refusal; what refuses also says why."""
    with pytest.raises(Unfit) as refusal:
        refuse()
    assert refusal.value.reason
    return refusal.value.code


# What goes in comes out ---------------------------------------------------------------------------------------------


@each_type
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_shown_is_read_again(name: str, data: st.DataObject):
    type, value = TYPES[name], data.draw(VALUES[name])

    kept = type.read(value)

    assert type.read(type.show(kept)) == kept
    assert type.show(type.read(type.show(kept))) == type.show(kept)


@each_type
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_written_is_parsed_again(name: str, data: st.DataObject):
    type = TYPES[name]

    kept = type.read(data.draw(VALUES[name]))

    assert type.parse(type.write(kept)) == kept


@each_type
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_shown_is_what_the_schema_says(name: str, data: st.DataObject):
    type = TYPES[name]

    shown = type.show(type.read(data.draw(VALUES[name])))

    kinds = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, None: object}
    assert isinstance(shown, kinds[type.schema().get("type")])
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("decimal", 1, "1.000"),
        ("decimal", 0.1, "0.100"),
        ("decimal", "-0", "0.000"),
        ("decimal", " 2.50 ", "2.500"),
        ("decimal", "1e2", "100.000"),
        ("float", 3, 3.0),
        ("float", -0.0, 0.0),
        ("dateTime", "2026-11-24T10:30:00+01:00", "2026-11-24T09:30:00Z"),
        ("dateTime", "2026-11-24 09:30:00.5z", "2026-11-24T09:30:00.500000Z"),
        ("dateTime", "2026-11-24T09:30:00.123456789Z", "2026-11-24T09:30:00.123456Z"),
        ("uuid", "019AA0C1-7F7E-7C31-9D2A-5B8E1F4A6C02", "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"),
        ("multiChoice", [], []),
        ("text", "", ""),
        ("text", " a\r\n\t", " a\r\n\t"),
    ],
)
def test_a_value_is_shown_in_one_form(name: str, given: Any, shown: Any):
    type = TYPES[name]

    found = type.show(type.read(given))

    assert (repr(found), found) == (repr(shown), shown)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("boolean", " Yes ", True),
        ("boolean", "0", False),
        ("integer", " +07 ", 7),
        ("float", ".5", 0.5),
        ("float", "1E3", 1000.0),
        ("decimal", "1.", "1.000"),
        ("multiChoice", "red, green", ["red", "green"]),
        ("multiChoice", 'red,"ß, [x]"', ["red", "ß, [x]"]),
        ("multiChoice", '["red"]', ["red"]),
        ("multiChoice", "", []),
        ("json", '{"a": [1, null]}', {"a": [1, None]}),
        ("relations", f"{TABLE}", [TABLE]),
    ],
)
def test_a_cell_may_be_written_in_several_forms(name: str, text: str, shown: Any):
    assert TYPES[name].show(TYPES[name].parse(text)) == shown


# What is refused ----------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, Any, str]] = [
    ("text", 1, "not-a-string"),
    ("text", True, "not-a-string"),
    ("text", ["a"], "not-a-string"),
    ("text", {"a": 1}, "not-a-string"),
    ("text", "a\0", "invalid-characters"),
    ("text", "\ud800", "invalid-characters"),
    ("text", "a" * 256, "too-long"),
    ("longText", 1.5, "not-a-string"),
    ("longText", "\udfff", "invalid-characters"),
    ("longText", "a" * 2_000_001, "too-long"),
    ("integer", "1", "not-an-integer"),
    ("integer", 1.0, "not-an-integer"),
    ("integer", True, "not-an-integer"),
    ("integer", [1], "not-an-integer"),
    ("integer", 2**63, "out-of-range"),
    ("integer", -(2**63) - 1, "out-of-range"),
    ("integer", 10**999, "out-of-range"),
    ("float", "1.5", "not-a-number"),
    ("float", False, "not-a-number"),
    ("float", {}, "not-a-number"),
    ("float", math.inf, "out-of-range"),
    ("float", math.nan, "out-of-range"),
    ("float", 10**400, "out-of-range"),
    ("decimal", True, "not-a-number"),
    ("decimal", [], "not-a-number"),
    ("decimal", "", "not-a-number"),
    ("decimal", "1,5", "not-a-number"),
    ("decimal", "NaN", "not-a-number"),
    ("decimal", "Infinity", "not-a-number"),
    ("decimal", "1_000", "not-a-number"),
    ("decimal", "١٢", "not-a-number"),
    ("decimal", "0.0001", "too-precise"),
    ("decimal", 0.0001, "too-precise"),
    ("decimal", "1e-999", "too-precise"),
    ("decimal", 10**12, "out-of-range"),
    ("decimal", "1e999", "out-of-range"),
    ("decimal", "1" * 1000, "out-of-range"),
    ("decimal", "0." + "1" * 1000, "out-of-range"),
    ("decimal", 10**999, "out-of-range"),
    ("decimal", math.inf, "out-of-range"),
    ("decimal", math.nan, "out-of-range"),
    ("boolean", 1, "not-a-boolean"),
    ("boolean", "true", "not-a-boolean"),
    ("boolean", [], "not-a-boolean"),
    ("date", 20260101, "not-a-date"),
    ("date", "2026-1-1", "not-a-date"),
    ("date", "20260101", "not-a-date"),
    ("date", "2026-02-30", "not-a-date"),
    ("date", "0000-01-01", "not-a-date"),
    ("date", "10000-01-01", "not-a-date"),
    ("date", "٢٠٢٦-01-01", "not-a-date"),
    ("date", "2026-01-01T00:00:00Z", "not-a-date"),
    ("date", "2026-W01-1", "not-a-date"),
    ("dateTime", 0, "not-a-date-time"),
    ("dateTime", "2026-01-01", "not-a-date-time"),
    ("dateTime", "2026-01-01T00:00:00", "not-a-date-time"),
    ("dateTime", "2026-01-01T24:00:00Z", "not-a-date-time"),
    ("dateTime", "2026-01-01T23:59:60Z", "not-a-date-time"),
    ("dateTime", "2026-01-01T00:00:00+24:00", "not-a-date-time"),
    ("dateTime", "0000-01-01T00:00:00Z", "not-a-date-time"),
    ("dateTime", "0001-01-01T00:00:00+00:01", "not-a-date-time"),
    ("dateTime", "9999-12-31T23:59:59-12:00", "not-a-date-time"),
    ("dateTime", "2026-01-01T00:00:00.1234567890Z", "not-a-date-time"),
    ("choice", "blue", "not-a-choice"),
    ("choice", "", "not-a-choice"),
    ("choice", "Red", "not-a-choice"),
    ("choice", 1, "not-a-string"),
    ("multiChoice", "red", "not-an-array"),
    ("multiChoice", ["red", "red"], "repeated-item"),
    ("multiChoice", ["blue"], "not-a-choice"),
    ("multiChoice", [1], "not-a-string"),
    ("multiChoice", [["red"]], "not-a-string"),
    ("multiChoice", [None], "not-a-string"),
    ("multiChoice", {"red": True}, "not-an-array"),
    ("email", "ann", "not-an-email"),
    ("email", "ann@", "not-an-email"),
    ("email", "a@b@c.example", "not-an-email"),
    ("email", "ann@example.com\n", "not-an-email"),
    ("email", "", "not-an-email"),
    ("email", f"{'a' * 250}@example.com", "too-long"),
    ("url", "example.com", "not-a-url"),
    ("url", "javascript:alert(1)", "not-a-url"),
    ("url", "ftp://example.com", "not-a-url"),
    ("url", "https://", "not-a-url"),
    ("url", "https://exämple.com", "not-a-url"),
    ("url", "https://example.com/a b", "not-a-url"),
    ("url", "https://example.com:99999", "not-a-url"),
    ("url", "https://[::1", "not-a-url"),
    ("url", "https://example.com\n", "not-a-url"),
    ("url", f"https://example.com/{'a' * 2000}", "too-long"),
    ("json", "\0", "invalid-characters"),
    ("json", {"\ud800": 1}, "invalid-characters"),
    ("json", [["a\0"]], "invalid-characters"),
    ("json", "a" * 1_000_001, "too-large"),
    ("json", 2**64, "out-of-range"),
    ("json", {"a": [-(2**63) - 1]}, "out-of-range"),
    ("json", [math.inf], "out-of-range"),
    ("uuid", 1, "not-a-uuid"),
    ("uuid", "019aa0c17f7e7c319d2a5b8e1f4a6c02", "not-a-uuid"),
    ("uuid", "019aa0c17f7e7c319d2a5b8e1f4a6c02----", "not-a-uuid"),
    ("uuid", "{019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c0}", "not-a-uuid"),
    ("uuid", "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c0g", "not-a-uuid"),
    ("uuid", "٠19aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02", "not-a-uuid"),
    ("uuid", "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a_c02", "not-a-uuid"),
    ("relation", [TABLE], "not-a-uuid"),
    ("relations", TABLE, "not-an-array"),
    ("relations", [TABLE, TABLE.upper()], "repeated-item"),
    ("relations", [f"{number:08x}-7f7e-7c31-9d2a-5b8e1f4a6c02" for number in range(1001)], "too-many"),
]


@pytest.mark.parametrize(("name", "value", "code"), REFUSED, ids=[f"{n}-{repr(v)[:30]!a}-{c}" for n, v, c in REFUSED])
def test_what_a_column_can_not_keep_is_refused(name: str, value: Any, code: str):
    assert _reason(lambda: TYPES[name].read(value)) == code


def test_json_may_be_nested_32_levels_deep():
    def nested(depth: int) -> Any:
        return [nested(depth - 1)] if depth else 1

    assert TYPES["json"].read(nested(32))
    assert _reason(lambda: TYPES["json"].read(nested(33))) == "too-deep"


def test_json_that_no_recursion_follows_is_too_deep():
    value: Any = []
    for _time in range(100_000):
        value = [value]

    assert _reason(lambda: TYPES["json"].read(value)) == "too-deep"


def test_into_json_that_is_too_large_nobody_looks():
    assert _reason(lambda: TYPES["json"].read([2**64, "\0", "a" * 1_000_001])) == "too-large"


def test_a_cell_that_is_a_choice_is_that_and_else_some_between_commas():
    several = MultiChoice.with_options({"choices": ["Rome", "Paris, FR", '["Rome"]']})

    assert several.parse(" Paris, FR ") == ["Paris, FR"]
    assert several.parse('Rome,"Paris, FR"') == ["Rome", "Paris, FR"]
    assert several.parse('["Rome"]') == ["Rome"]


def test_numbers_in_json_have_the_digits_that_postgresql_writes():
    assert TYPES["json"].read([1e300] * 3000)
    for number in (1e300, -1e300, 1e-300):
        assert _reason(partial(TYPES["json"].read, [number] * 3500)) == "too-large"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("integer", "١٢"),
        ("integer", "1_000"),
        ("integer", "1.0"),
        ("integer", "9" * 5000),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e400"),
        ("float", "0x10"),
        ("float", "١"),
        ("boolean", "maybe"),
        ("json", "{"),
        ("json", "NaN"),
        ("json", "1e400"),
        ("json", "1" * 5000),
        ("json", "[" * 100_000),
        ("multiChoice", "[" * 100_000),
        ("multiChoice", "[1e400]"),
        ("multiChoice", "red\rgreen"),
        ("multiChoice", "r" * 200_000),
        ("relations", f"{TABLE}\r{TABLE}"),
    ],
    ids=lambda value: repr(value)[:30].encode("unicode_escape").decode(),
)
def test_a_cell_that_says_nothing_of_the_kind_is_refused(name: str, text: str):
    assert _reason(lambda: TYPES[name].parse(text))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=5,
)


@each_type
@settings(max_examples=100, deadline=None)
@given(junk=JUNK, text=st.text(max_size=60))
def test_whatever_comes_is_kept_or_refused(name: str, junk: Any, text: str):
    type = TYPES[name]

    for take, value in ((type.read, junk), (type.parse, text), (type.read, text)):
        try:
            kept = None if value is None else take(value)
        except Unfit:
            continue
        if kept is not None:
            type.show(kept)
            assert type.parse(type.write(kept)) == kept


@pytest.mark.parametrize(
    ("name", "options", "wrong"),
    [
        ("text", {"maxLength": 0}, "maxLength"),
        ("text", {"maxLength": 10_001}, "maxLength"),
        ("text", {"maxLength": True}, "maxLength"),
        ("text", {"maxLength": "9"}, "maxLength"),
        ("text", {"maxLength": 9.0}, "maxLength"),
        ("text", {"max": 1}, "max"),
        ("boolean", {"": 1}, ""),
        ("integer", {"min": 1.5}, "min"),
        ("integer", {"min": 2**63}, "min"),
        ("integer", {"min": 2, "max": 1}, "max"),
        ("float", {"max": "1"}, "max"),
        ("decimal", {"scale": 11}, "scale"),
        ("decimal", {"scale": True}, "scale"),
        ("decimal", {"scale": None}, "scale"),
        ("decimal", {"scale": 1, "min": "0.01"}, "min"),
        ("decimal", {"max": []}, "max"),
        ("choice", {}, "choices"),
        ("choice", {"choices": []}, "choices"),
        ("choice", {"choices": "ab"}, "choices"),
        ("choice", {"choices": {"a": 1}}, "choices"),
        ("choice", {"choices": ["a", "a"]}, "choices"),
        ("choice", {"choices": ["a", 1]}, "choices"),
        ("choice", {"choices": [["a"]]}, "choices"),
        ("choice", {"choices": [" "]}, "choices"),
        ("choice", {"choices": ["a\0"]}, "choices"),
        ("choice", {"choices": ["a" * 101]}, "choices"),
        ("multiChoice", {"choices": [str(number) for number in range(501)]}, "choices"),
        ("relation", {}, "table"),
        ("relation", {"table": []}, "table"),
        ("relation", {"table": TABLE, "many": 1}, "many"),
        ("relation", {"table": TABLE, "onDelete": []}, "onDelete"),
    ],
)
def test_options_that_make_no_sense_are_refused(name: str, options: dict[str, Any], wrong: str):
    with pytest.raises(BadOption) as refusal:
        BY_NAME[name].with_options(options)

    assert refusal.value.option == wrong


@pytest.mark.parametrize(
    ("name", "options", "value", "code"),
    [
        ("integer", {"min": 1, "max": 3}, 0, "too-small"),
        ("integer", {"min": 1, "max": 3}, 4, "too-large"),
        ("float", {"max": 0.5}, 0.6, "too-large"),
        ("decimal", {"min": "-1.50"}, "-1.51", "too-small"),
        ("text", {"maxLength": 2}, "abc", "too-long"),
    ],
)
def test_bounds_are_kept(name: str, options: dict[str, Any], value: Any, code: str):
    assert _reason(lambda: BY_NAME[name].with_options(options).read(value)) == code


# From every type to every other -------------------------------------------------------------------------------------

UNFIT = object()
CONVERTED: list[tuple[str, Any, str, Any]] = [
    ("text", "007", "integer", 7),
    ("text", " 12 ", "integer", 12),
    ("text", "12.0", "integer", UNFIT),
    ("text", "", "integer", UNFIT),
    ("text", "1.5", "decimal", "1.500"),
    ("text", "1.2345", "decimal", UNFIT),
    ("text", "1e400", "float", UNFIT),
    ("text", "yes", "boolean", True),
    ("text", "2026-11-24", "date", "2026-11-24"),
    ("text", "24.11.2026", "date", UNFIT),
    ("text", "2026-11-24T09:30:00Z", "dateTime", "2026-11-24T09:30:00Z"),
    ("text", "red", "choice", "red"),
    ("text", "red, green", "multiChoice", ["red", "green"]),
    ("text", "red\rgreen", "multiChoice", UNFIT),
    ("text", "blue", "choice", UNFIT),
    ("text", "ann@example.com", "email", "ann@example.com"),
    ("text", '{"a": 1}', "json", {"a": 1}),
    ("text", "hello", "json", UNFIT),
    ("text", "1e400", "json", UNFIT),
    ("text", "18446744073709551616", "json", UNFIT),
    ("text", TABLE, "uuid", TABLE),
    ("text", TABLE, "relations", [TABLE]),
    ("longText", "a" * 300, "text", UNFIT),
    ("longText", "r" * 200_000, "multiChoice", UNFIT),
    ("integer", 1, "boolean", True),
    ("integer", 2, "boolean", UNFIT),
    ("integer", 7, "text", "7"),
    ("integer", 7, "float", 7.0),
    ("integer", 7, "decimal", "7.000"),
    ("integer", 10**15, "decimal", UNFIT),
    ("integer", 7, "json", 7),
    ("integer", 1, "choice", "1"),
    ("integer", 20261124, "date", UNFIT),
    ("float", 7.0, "integer", 7),
    ("float", 7.5, "integer", UNFIT),
    ("float", 1e300, "integer", UNFIT),
    ("float", 0.1, "decimal", "0.100"),
    ("float", 1e-7, "decimal", UNFIT),
    ("float", 1.0, "boolean", True),
    ("float", 0.1, "text", "0.1"),
    ("float", 0.5, "json", 0.5),
    ("decimal", "7.000", "integer", 7),
    ("decimal", "7.100", "integer", UNFIT),
    ("decimal", "7.100", "float", 7.1),
    ("decimal", "7.100", "text", "7.100"),
    ("decimal", "7.100", "json", "7.100"),
    ("decimal", "1.000", "boolean", True),
    ("decimal", "1.500", "boolean", UNFIT),
    ("boolean", True, "text", "true"),
    ("boolean", True, "integer", 1),
    ("boolean", False, "float", 0.0),
    ("boolean", True, "decimal", "1.000"),
    ("boolean", True, "json", True),
    ("boolean", True, "choice", "true"),
    ("date", "2026-11-24", "dateTime", "2026-11-24T00:00:00Z"),
    ("date", "2026-11-24", "text", "2026-11-24"),
    ("date", "2026-11-24", "json", "2026-11-24"),
    ("date", "2026-11-24", "integer", UNFIT),
    ("dateTime", "2026-11-24T23:30:00-01:00", "date", "2026-11-25"),
    ("dateTime", "2026-11-24T09:30:00Z", "text", "2026-11-24T09:30:00Z"),
    ("dateTime", "2026-11-24T09:30:00Z", "float", UNFIT),
    ("choice", "red", "text", "red"),
    ("choice", "red", "multiChoice", ["red"]),
    ("choice", "ß, [x]", "text", "ß, [x]"),
    ("choice", "1", "integer", 1),
    ("multiChoice", ["red", "ß, [x]"], "json", ["red", "ß, [x]"]),
    ("multiChoice", ["red"], "text", '["red"]'),
    ("multiChoice", ["red"], "boolean", UNFIT),
    ("email", "ann@example.com", "text", "ann@example.com"),
    ("email", "ann@example.com", "url", UNFIT),
    ("url", "https://example.com", "text", "https://example.com"),
    ("json", {"a": 1}, "text", '{"a": 1}'),
    ("json", {"a": 1}, "integer", UNFIT),
    ("json", 7, "integer", 7),
    ("json", True, "boolean", True),
    ("json", ["red"], "multiChoice", ["red"]),
    ("json", [1], "multiChoice", UNFIT),
    ("json", [TABLE], "relations", [TABLE]),
    ("json", [TABLE], "relation", TABLE),
    ("json", [5], "relation", UNFIT),
    ("uuid", TABLE, "text", TABLE),
    ("uuid", TABLE, "relation", TABLE),
    ("uuid", TABLE, "json", TABLE),
    ("uuid", TABLE, "integer", UNFIT),
    ("relation", TABLE, "relations", [TABLE]),
    ("relations", [TABLE], "relation", TABLE),
    ("relations", [TABLE, TABLE[::-1].replace("2", "3")], "relation", UNFIT),
    ("relations", [TABLE], "json", [TABLE]),
    ("relations", [], "relation", UNFIT),
]


@pytest.mark.parametrize(
    ("source", "value", "target", "shown"), CONVERTED, ids=[f"{s}-{repr(v)[:20]!a}-{t}" for s, v, t, _ in CONVERTED]
)
def test_a_value_goes_over_to_another_type(source: str, value: Any, target: str, shown: Any):
    old, new = TYPES[source], TYPES[target]
    kept = old.read(value) if source != "relations" else value

    if shown is UNFIT:
        assert _reason(lambda: new.convert(kept, old))
    else:
        found = new.show(new.convert(kept, old))
        assert (found, type(found)) == (shown, type(shown))


@pytest.mark.parametrize("source", TYPES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_value_breaks_a_conversion(source: str, data: st.DataObject):
    old = TYPES[source]
    kept = old.read(data.draw(VALUES[source]))

    for new in TYPES.values():
        try:
            converted = new.convert(kept, old)
        except Unfit:
            continue
        assert new.read(new.show(converted)) == converted


@each_type
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_value_fits_a_long_text_and_comes_back_from_it(name: str, data: st.DataObject):
    type, text = TYPES[name], TYPES["longText"]
    kept = type.read(data.draw(VALUES[name]))

    there = text.convert(kept, type)

    assert type.convert(there, text) == kept


def test_every_type_has_a_name_of_its_own():
    assert len(BY_NAME) == len(ALL)


# Through REST -------------------------------------------------------------------------------------------------------

STORED = {name: values for name, values in VALUES.items() if not name.startswith("relation")}


@pytest.fixture
def admin(key: Key) -> Api:
    admin = key("*")
    columns = [{"name": name, "key": name, "type": name, "options": OPTIONS.get(name, {})} for name in STORED]
    assert admin.post("/tables", {"name": "All", "columns": columns}).status_code == 201
    return admin


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.fixed_dictionaries({name: st.none() | values for name, values in STORED.items()}))
def test_a_row_is_read_as_it_was_answered(admin: Api, row: dict[str, Any]):
    answer = admin.post("/tables/all/rows", row)
    assert answer.status_code == 201, answer.content
    made = answer.json()

    path = f"/tables/all/rows/{made['id']}"
    assert {name: made[name] for name in row} == {
        name: None if value is None else TYPES[name].show(TYPES[name].read(value)) for name, value in row.items()
    }
    assert admin.get(path).json() == made
    assert admin.post("/tables/all/rows/query", {"filter": {"field": "id", "value": made["id"]}}).json()["items"] == [
        made
    ]
    assert admin.patch(path, row).json() == made  # what is there already is no change


@pytest.mark.parametrize("moment", ["00:00:00.1", "00:00:00.120000", "00:00:00.000001", "23:59:59", "00:00:00.999999"])
def test_a_moment_is_shown_the_same_by_every_path(admin: Api, moment: str):
    made = admin.post("/tables/all/rows", {"dateTime": f"2026-11-24T{moment}Z"}).json()

    line = json.loads(admin.get("/tables/all/rows.ndjson").getvalue())
    listed = admin.get("/tables/all/rows").json()["items"][0]

    assert made["dateTime"] == listed["dateTime"] == line["dateTime"]
    assert admin.get("/tables/all/rows.csv?fields=dateTime").getvalue().split()[1].decode() == made["dateTime"]


def _as_doubles(value: Any) -> Any:
    """The same JSON, though PostgreSQL writes out all digits of a number."""
    match value:
        case list():
            return [*map(_as_doubles, value)]
        case dict():
            return {key: _as_doubles(below) for key, below in value.items()}
    return float(value)


@pytest.mark.parametrize("value", [1e20, 1e300, 1.5e16, 2**63 - 1, 1e-9, -0.0, [1e20], {"a": 5e-324}])
def test_large_and_small_numbers_in_json_come_back(admin: Api, value: Any):
    made = admin.post("/tables/all/rows", {"json": value}).json()

    path = f"/tables/all/rows/{made['id']}"
    assert _as_doubles(made["json"]) == _as_doubles(value)
    assert _as_doubles(admin.get(path).json()["json"]) == _as_doubles(value)
    assert _as_doubles(admin.patch(path, {"text": "more"}).json()["json"]) == _as_doubles(value)


@pytest.mark.parametrize("written", ["1e+300", "1e-300", "-1.5e+300", "9223372036854775807", '"12345678901234567890"'])
def test_a_number_in_json_is_listed_as_it_was_answered(admin: Api, written: str):
    expected = f'"json":[{written}]'.encode()

    made = admin.call("POST", "/tables/all/rows", raw=b'{"json": [%s]}' % written.encode())

    path = f"/tables/all/rows/{made.json()['id']}"
    for answer in [made, admin.get("/tables/all/rows"), admin.get(path)]:
        assert expected in answer.content.replace(b", ", b",").replace(b": ", b":")
    assert expected in admin.get("/tables/all/rows.ndjson").getvalue().replace(b": ", b":")


def test_a_refused_value_says_where_and_why(admin: Api):
    answer = admin.post("/tables/all/rows", [{"text": "fine"}, {"integer": "1", "date": "tomorrow"}])

    assert answer.status_code == 400
    assert {(error["pointer"], error["code"]) for error in answer.json()["errors"]} == {
        ("/1/integer", "not-an-integer"),
        ("/1/date", "not-a-date"),
    }
    assert admin.get("/tables/all/rows").json()["items"] == []
