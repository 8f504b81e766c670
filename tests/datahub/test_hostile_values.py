"""Whatever is sent as a value, a filter, an order, a header: it is kept, or refused with a reason; never a 500."""

import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authpages.services.api_keys import create_api_key
from datahub.access import EVERYTHING
from datahub.dynamic import definition_of, find_table
from datahub.listing import list_rows
from datahub.row_queries import query_from_json, query_from_parameters
from fastgen_backend.errors import InvalidInput
from tests.conftest import Api

Key = Callable[..., Api]
CHOICES = {"choices": ["a", "b"]}
TYPES: dict[str, dict[str, Any]] = {
    **{type: {} for type in ["text", "longText", "integer", "float", "decimal", "boolean", "date", "dateTime"]},
    **{type: {} for type in ["email", "url", "json", "uuid"]},
    "choice": CHOICES,
    "multiChoice": CHOICES,
}
OPERATORS = [
    *["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "contains", "icontains", "startswith"],
    *["isnull", "empty"],
]
TEXTS = [
    *["", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "'", '"', "\\", "%", "_", "%s", "%(a)s", "{}", "$1", "?", ";--"],
    *["١٢", "12", "1e400", "-1e400", "NaN", "Infinity", "-0", "0x10", "1_000", "1" * 1000, "0." + "1" * 1000, "1e-999"],
    *["true", "TRUE", "null", "None", "[]", "{}", "[" * 2000, '"', "a,b", '"a', ",", "\n", "\r", "a\r\nb", "\u2028"],
    *["0000-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "٢٠٢٦-01-01", "9999-12-31T23:59:59-12:00"],
    *["0001-01-01T00:00:00+23:59", "0000-00-00T00:00:00Z", "2026-01-01T00:00:00+99:99", "2026-01-01T99:99:99Z"],
    *["00000000-0000-0000-0000-000000000000", "@user.id", "@user.roles", "\U0010ffff", "\ud83d", "ß" * 300],
]
JUNK: list[Any] = [
    *TEXTS,
    *[None, True, False, 0, -1, 1.5, -0.0, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**999, 1e308, 5e-324],
    *[
        [],
        {},
        [[]],
        [None],
        [1, "a"],
        {"a": 1},
        {"": ""},
        ["\0"],
        {"\0": 1},
        {"\ud800": "\ud800"},
        [{}, [{}]],
        ["a", "a"],
    ],
]
SENT = st.recursive(
    st.sampled_from(JUNK) | st.text(max_size=5) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), below, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from([*TYPES, "id", "createdAt", "revision", "owner", "nothing", "", "\0", "text__eq"])
bounded = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _nested(depth: int, opening: str = "[", closing: str = "]", core: str = "1") -> bytes:
    return f"{opening * depth}{core}{closing * depth}".encode()


@pytest.fixture(scope="module")
def token(once: None, django_db_blocker: Any) -> str:
    """The key of a program that may do everything, where there is a table with a column of each type."""
    columns = [{"name": type, "key": type, "type": type, "options": options} for type, options in TYPES.items()]
    with django_db_blocker.unblock():
        admin = Api(create_api_key(name="test", scopes=["*"])[1])
        assert admin.post("/tables", {"name": "All", "columns": columns}).status_code == 201
        assert admin.post("/tables/all/rows", [{}, {"text": "a", "integer": 1}]).status_code == 201
    return admin.token


@pytest.fixture
def admin(token: str, db: None) -> Api:
    return Api(token)


def _is_plain(answer: Any, *expected: int) -> bool:
    """Whether the answer is one of these, with errors and pointers where the input is to blame."""
    if answer.status_code == 400:
        problem = answer.json()
        return 400 in expected and all(each["detail"] and "pointer" in each for each in problem["errors"])
    return answer.status_code in expected


def _header(name: str, value: str) -> dict[str, Any]:
    return {name: value}


def _numbers_as_doubles(content: bytes) -> Any:
    """The JSON, though PostgreSQL writes out all digits of large numbers."""
    return json.loads(content, parse_int=float)


# Values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", TYPES)
def test_junk_in_a_column_is_kept_or_refused(admin: Api, type: str):
    kept = []
    for value in JUNK:
        answer = admin.post("/tables/all/rows", {type: value})
        assert _is_plain(answer, 201, 400), (value, answer.content)
        kept += [answer.content] if answer.status_code == 201 else []

    lines = admin.get("/tables/all/rows.ndjson").getvalue().splitlines()

    assert [_numbers_as_doubles(line) for line in lines[2:]] == [_numbers_as_doubles(content) for content in kept]
    assert admin.get("/tables/all/rows.csv").getvalue().startswith(b"id,")


@bounded
@given(body=st.dictionaries(MEMBERS, SENT, max_size=4) | SENT)
def test_junk_as_rows_is_kept_or_refused(admin: Api, body: Any):
    with transaction.atomic():
        id = admin.get("/tables/all/rows").json()["items"][0]["id"]

        assert _is_plain(admin.post("/tables/all/rows", body), 201, 400)
        assert _is_plain(admin.post("/tables/all/rows", [body, body]), 201, 400)
        assert _is_plain(admin.patch(f"/tables/all/rows/{id}", body), 200, 400)
        assert _is_plain(admin.patch("/tables/all/rows", body), 200, 400)
        assert _is_plain(admin.patch("/tables/all/rows", [body]), 200, 400, 404)
        assert admin.get("/tables/all/rows").status_code == 200
        transaction.set_rollback(True)


@pytest.mark.parametrize("text", ["\0", "a\0", "\ud800", "\udc00x"], ids=ascii)
@pytest.mark.parametrize("type", ["text", "longText", "email", "url", "choice", "json"])
def test_what_a_database_can_not_keep_is_refused(admin: Api, type: str, text: str):
    answer = admin.post("/tables/all/rows", {type: text})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"/{type}"


BODIES = {
    "half": b'{"text": ',
    "not UTF-8": b'{"text": "\xff"}',
    "NUL": b"\0",
    "BOM": b"\xef\xbb\xbf{}",
    "NaN": b'{"float": NaN}',
    "infinite": b'{"float": Infinity}',
    "1e400": b'{"float": 1e400}',
    "-1e400": b'{"json": [-1e400]}',
    "1e400 as decimal": b'{"decimal": 1e400}',
    "many digits": b'{"integer": ' + b"1" * 100_000 + b"}",
    "twice": b'{"text": "a", "text": "b"}',
    "comment": b'{"text": "a" /* b */}',
    "text": b'"text"',
    "null": b"null",
    "number": b"1",
    "empty array": b"[]",
    "1001 rows": b"[" + b"{}," * 1000 + b"{}]",
    **{f"{depth} deep": _nested(depth) for depth in (33, 200, 900, 950, 980, 1000, 100_000)},
    **{f"{depth} deep objects": _nested(depth, '{"a":', "}") for depth in (200, 900, 1000, 100_000)},
    **{f"{depth} deep in json": _nested(depth, core="1", opening="[").join([b'{"json":', b"}"]) for depth in (33, 900)},
    "deep text": b'{"text":' + _nested(900) + b"}",
    "wide and no member": b'{"x": [' + b"[]," * 30_000 + b"[]]}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_row_is_refused(admin: Api, body: bytes):
    answer = admin.call("POST", "/tables/all/rows", raw=body)
    once = admin.call("POST", "/tables/all/rows", raw=body, **_header("idempotency-key", "k"))

    assert _is_plain(answer, 400), answer.content
    assert once.content == answer.content
    assert admin.get("/tables/all/rows?count=exact").json()["count"] == 2


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_query_is_refused(admin: Api, body: bytes):
    assert _is_plain(admin.call("POST", "/tables/all/rows/query", raw=body), 400)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_table_is_refused(admin: Api, body: bytes):
    id = admin.get("/tables/all/rows").json()["items"][0]["id"]

    for method, path in [
        ("POST", "/tables"),
        ("POST", "/tables/all/columns"),
        ("PATCH", "/tables/all"),
        ("PATCH", "/tables/all/columns/text"),
        ("PATCH", "/tables/all/rows"),
        ("PATCH", f"/tables/all/rows/{id}"),
    ]:
        answer = admin.call(method, path, raw=body)
        assert answer.status_code in {400, 413}, (method, path, answer.content)


CHANGES: list[Callable[[Any], dict[str, Any]]] = [
    lambda junk: {"options": junk},
    lambda junk: {"options": {"min": junk, "max": junk}},
    lambda junk: {"options": {"choices": junk}},
    lambda junk: {"options": {"scale": junk, "min": junk}},
    lambda junk: {"options": {"maxLength": junk}},
    lambda junk: {"options": {"table": junk}},
    lambda junk: {"options": {"table": "all", "many": junk}},
    lambda junk: {"options": {"table": "all", "onDelete": junk}},
    lambda junk: {"required": junk},
    lambda junk: {"unique": junk, "indexed": junk},
]


@bounded
@given(junk=SENT, type=st.sampled_from([*TYPES, "relation"]), change=st.sampled_from(CHANGES))
def test_junk_as_options_makes_a_column_or_is_refused(admin: Api, junk: Any, type: str, change: Any):
    with transaction.atomic():
        asked = {"type": type, **change(junk)}

        assert _is_plain(admin.post("/tables/all/columns", {"name": "x", **asked}), 201, 400, 409), asked
        assert _is_plain(admin.patch("/tables/all/columns/text", asked), 200, 400, 409), asked
        for member in ("position", "onFailure", "type"):
            assert _is_plain(admin.patch("/tables/all/columns/text", {member: junk}), 200, 400), (member, junk)
        transaction.set_rollback(True)


# Filters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [*TYPES, "id", "createdAt", "revision", "owner"])
def test_junk_in_a_filter_is_asked_or_refused(admin: Api, type: str):
    definition = definition_of(find_table("all"))

    for op, value in itertools.product(OPERATORS, JUNK):
        for operand in (value, [value, value]):
            filter = {"not": {"field": type, "op": op, "value": operand}}
            with contextlib.suppress(InvalidInput):
                list_rows(definition, query_from_json({"filter": filter}, definition), EVERYTHING)


@pytest.mark.parametrize("type", [*TYPES, "id", "createdAt", "revision", "owner"])
def test_junk_in_a_parameter_is_asked_or_refused(admin: Api, type: str):
    definition = definition_of(find_table("all"))

    for op, text in itertools.product(OPERATORS, TEXTS):
        with contextlib.suppress(InvalidInput):
            list_rows(definition, query_from_parameters({f"{type}__{op}": text}, definition), EVERYTHING)


FILTERS: list[Callable[[Any], Any]] = [
    lambda junk: junk,
    lambda junk: {"field": junk, "op": "eq", "value": "a"},
    lambda junk: {"field": "text", "op": junk, "value": "a"},
    lambda junk: {"field": "text", "value": junk},
    lambda junk: {"field": junk, "op": junk, "value": junk},
    lambda junk: {"and": junk},
    lambda junk: {"or": [junk, {"field": "integer", "value": 1}]},
    lambda junk: {"not": junk},
    lambda junk: {"and": [], "or": junk},
    lambda junk: {"field": "text", "op": "eq", "value": "a", "more": junk},
]
RULES: list[Callable[[Any], Any]] = [
    lambda junk: junk,
    lambda junk: {"list": junk},
    lambda junk: {"list": {"roles": junk}},
    lambda junk: {"list": {"roles": [junk]}},
    lambda junk: {"list": {"filter": junk}},
    lambda junk: {"list": {"filter": {"field": "text", "op": "in", "value": junk}}},
    lambda junk: {"list": {"filter": {"and": [{"not": junk}], "value": junk}}},
]


@bounded
@given(junk=SENT, filters=st.lists(st.sampled_from(FILTERS), min_size=3, max_size=3))
def test_whatever_a_filter_is_it_is_asked_or_refused(admin: Api, filters: Any, junk: Any):
    for filter in filters:
        answer = admin.post("/tables/all/rows/query", {"filter": filter(junk)})

        assert _is_plain(answer, 200, 400), answer.content


@bounded
@given(junk=SENT, access=st.sampled_from(RULES))
def test_whatever_a_rule_is_it_is_kept_or_refused(admin: Api, access: Any, junk: Any):
    with transaction.atomic():
        answer = admin.patch("/tables/all", {"access": access(junk)})

        assert _is_plain(answer, 200, 400), answer.content
        assert Api().get("/tables/all/rows").status_code in {200, 401}
        transaction.set_rollback(True)


@pytest.mark.parametrize("op", [[], {}, None, 1, True, "", "like", "EQ", "eq ", "\0", "exact", "regex", "in__in"])
def test_an_operator_that_is_none_is_refused(admin: Api, op: Any):
    answer = admin.post("/tables/all/rows/query", {"filter": {"field": "text", "op": op, "value": "a"}})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown-operator")


@pytest.mark.parametrize(
    "name", ["c1", "c1__eq", "pk", "id__lt__x", "text__", "__eq", "text__exact", "text__in__in", "_"]
)
def test_a_parameter_that_names_nothing_is_refused(admin: Api, name: str):
    answer = admin.get(f"/tables/all/rows?{name}=a")

    if name == "text__":  # a column and no operator
        assert answer.status_code in {200, 400}
    else:
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")


def _deep(word: str, depth: int) -> Any:
    filter: Any = {"field": "text", "value": "a"}
    for _level in range(depth):
        filter = {word: filter if word == "not" else [filter]}
    return filter


@pytest.mark.parametrize("word", ["and", "or", "not"])
@pytest.mark.parametrize(("depth", "status"), [(8, 200), (9, 400), (30, 400), (300, 400)])
def test_a_filter_may_be_nested_eight_levels_deep(admin: Api, word: str, depth: int, status: int):
    query = admin.post("/tables/all/rows/query", {"filter": _deep(word, depth)})
    rule = admin.patch("/tables/all", {"access": {"list": {"filter": _deep(word, depth)}}})

    assert (query.status_code, rule.status_code) == (status, status)


@pytest.mark.parametrize("word", ["and", "or"])
@pytest.mark.parametrize("op", ["eq", "ne", "startswith", "between", "icontains", "empty", "nin"])
def test_the_largest_filter_is_asked(admin: Api, word: str, op: str):
    operand: Any = {"between": ["a", "b"], "empty": True, "nin": ["a"] * 5}.get(op, "a")
    filter = {word: [{"field": "text", "op": op, "value": operand}] * 199}
    admin.patch("/tables/all", {"access": {"list": {"filter": filter}}})

    asked = admin.post("/tables/all/rows/query", {"filter": filter, "q": "a", "order": ["text", "integer", "-date"]})
    rest = Api().post("/tables/all/rows/query", {"filter": filter, "q": "a", "limit": 1, "order": ["text"]})

    assert (asked.status_code, rest.status_code) == (200, 200)


def test_a_filter_of_too_many_conditions_is_refused(admin: Api):
    filter = {"or": [{"field": "text", "value": "a"}] * 200}

    assert _is_plain(admin.post("/tables/all/rows/query", {"filter": filter}), 400)


@pytest.mark.parametrize(("count", "status"), [(0, 200), (1000, 200), (1001, 400)])
def test_a_list_may_name_a_thousand_values(admin: Api, count: int, status: int):
    filter = {"field": "integer", "op": "in", "value": list(range(count))}

    assert admin.post("/tables/all/rows/query", {"filter": filter}).status_code == status


def test_a_filter_may_name_ten_thousand_values_in_all(admin: Api):
    def ask(count: int) -> int:
        tests = [{"field": "integer", "op": "nin", "value": list(range(1000))}] * count
        return int(admin.post("/tables/all/rows/query", {"filter": {"and": tests}}).status_code)

    assert (ask(10), ask(11), ask(150)) == (200, 400, 400)


def test_as_many_parameters_as_there_may_be_are_asked(key: Key):
    admin = key("*")
    columns = [{"name": f"c {number}", "type": "text"} for number in range(100)]
    admin.post("/tables", {"name": "Wide", "columns": columns})
    names = [f"c_{number}__{op}=a" for number in range(100) for op in ("startswith", "ne", "icontains", "empty")]
    names = [name.replace("empty=a", "empty=true") for name in names]

    assert admin.get(f"/tables/wide/rows?{'&'.join(names[:200])}&q=a&order=c_1").status_code == 200
    assert _is_plain(admin.get(f"/tables/wide/rows?{'&'.join(names[:201])}"), 400)
    assert _is_plain(admin.get(f"/tables/wide/rows?{'&'.join(names)}"), 400)
    assert admin.get(f"/tables/wide/rows?{'&'.join(f'x{number}=1' for number in range(5000))}").status_code == 400


def test_a_decimal_is_compared_with_what_both_databases_keep(admin: Api):
    admin.post("/tables/all/rows", [{"decimal": "0.10"}, {"decimal": "0"}])

    def ask(op: str, value: str) -> Any:
        answer = admin.get(f"/tables/all/rows?decimal__{op}={value}&fields=decimal&order=decimal")
        return [row["decimal"] for row in answer.json()["items"]] if answer.status_code == 200 else 400

    assert ask("eq", "0.1") == ask("eq", "0.1" + "0" * 20) == ["0.10"]
    assert ask("eq", "1e-1") == ["0.10"]
    assert ask("lt", "0.100000000000001") == ["0.00", "0.10"]
    assert ask("eq", "1e-99") == []
    assert ask("eq", "1e-999") == ask("eq", "0.1000000000000000000001") == ask("eq", "1e15") == 400


# Order, fields, pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["q", "order", "fields", "expand", "limit", "cursor", "count", "nothing", "filter"])
def test_junk_in_an_option_is_refused(admin: Api, option: str):
    for value in JUNK:
        answer = admin.post("/tables/all/rows/query", {option: value})
        assert _is_plain(answer, 200, 400), (value, answer.content)
    for text, path in zip(TEXTS, itertools.cycle(["rows", "rows.csv", "rows/aggregate"]), strict=False):
        answer = admin.get(f"/tables/all/{path}?{option}={quote(text, errors='surrogatepass')}")
        assert _is_plain(answer, 200, 400), (path, text, answer.content)


@pytest.mark.parametrize(
    "limit", ["0", "-1", "201", "1.0", "1e1", "١٢", "²", "", " 1", "+1", "9" * 5000, "true", "0x1"]
)
def test_a_limit_is_a_number_from_1_to_200(admin: Api, limit: str):
    for path in ("rows", "rows/aggregate"):
        answer = admin.get(f"/tables/all/{path}?limit={quote(limit)}")

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/limit")


@pytest.mark.parametrize("limit", [0, -1, 201, 1.0, True, "1", None, [1], 10**30])
def test_a_limit_in_json_is_an_integer(admin: Api, limit: Any):
    assert _is_plain(admin.post("/tables/all/rows/query", {"limit": limit}), 400)


@pytest.mark.parametrize(
    "order",
    [
        "nothing",
        "-",
        "--text",
        "+text",
        "text desc",
        "json",
        "multiChoice",
        "text,text",
        "-text,text",
        "TEXT",
        "c1",
        "?",
    ],
)
def test_an_order_by_nothing_is_refused(admin: Api, order: str):
    answer = admin.get(f"/tables/all/rows?order={quote(order)}")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/order")


def test_an_order_may_name_five_columns(admin: Api):
    five = "text,-integer,float,-decimal,date"

    assert admin.get(f"/tables/all/rows?order={five}").status_code == 200
    assert _is_plain(admin.get(f"/tables/all/rows?order={five},boolean"), 400)


@pytest.mark.parametrize("fields", ["nothing", "text,nothing", "", ",", "*", "text;id", "id.text", "c1", "password"])
def test_fields_of_nothing_are_refused(admin: Api, fields: str):
    answer = admin.get(f"/tables/all/rows?fields={quote(fields)}")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/fields")


@pytest.mark.parametrize("parameters", ["text=a&text=b", "limit=1&limit=2", "order=text&order=id"])
def test_a_parameter_may_stand_only_once(admin: Api, parameters: str):
    assert _is_plain(admin.get(f"/tables/all/rows?{parameters}"), 400)


@pytest.mark.parametrize(
    "most", ["0", "-1", "10001", "١", "", "1.5", "0000000001" + "9" * 5000, "0000000001" + "9" * 9]
)
def test_no_strange_number_deletes_rows(admin: Api, most: str):
    answer = admin.delete(f"/tables/all/rows?text=a&maxAffected={quote(most)}")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/maxAffected")


@pytest.mark.parametrize("option", ["group", "sum", "avg", "min", "max"])
def test_junk_in_an_aggregation_is_refused(admin: Api, option: str):
    for text in [*TEXTS, *TYPES, "id", "owner", "text,integer,date,boolean", ",".join(TYPES)]:
        answer = admin.get(f"/tables/all/rows/aggregate?{option}={quote(text, errors='surrogatepass')}")
        assert _is_plain(answer, 200, 400), (text, answer.content)


def test_figures_of_the_largest_numbers_are_no_trouble(admin: Api):
    admin.post(
        "/tables/all/rows",
        [{"integer": 2**63 - 1, "float": 1e308, "decimal": "9999999999999.99"}] * 3
        + [{"integer": -(2**63), "float": 1e200, "decimal": "-9999999999999.99"}],
    )

    for option, type in itertools.product(["sum", "avg", "min", "max"], ["integer", "float", "decimal"]):
        with transaction.atomic():
            answer = admin.get(f"/tables/all/rows/aggregate?{option}={type}")
            assert _is_plain(answer, *([200, 400] if type == "float" else [200])), (option, type, answer.content)
            transaction.set_rollback(True)


# Headers ------------------------------------------------------------------------------------------------------------

REVISIONS = [
    "",
    "1",
    '"',
    '""',
    '"a"',
    'W/"1"',
    '"1", "2"',
    '"-1"',
    '"1.0"',
    f'"{"9" * 19}"',
    '"\u00b2"',
    "'1'",
    '"1"x',
]


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_if_match_of_no_revision_is_refused(admin: Api, revision: str):
    row = admin.get("/tables/all/rows").json()["items"][0]

    for method, body in (("PATCH", {"text": "b"}), ("DELETE", None)):
        answer = admin.call(method, f"/tables/all/rows/{row['id']}", body, **_header("if-match", revision))

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/If-Match")
    assert admin.get(f"/tables/all/rows/{row['id']}").json() == row


@pytest.mark.parametrize("revision", ['"0"', '"2"', f'"{"9" * 18}"'])
def test_an_if_match_of_another_revision_is_a_conflict(admin: Api, revision: str):
    row = admin.get("/tables/all/rows").json()["items"][0]

    answer = admin.call("PATCH", f"/tables/all/rows/{row['id']}", {"text": "b"}, **_header("if-match", revision))

    assert answer.status_code == 412


@pytest.mark.parametrize("name", ["", " \x00", "\x7f", "\x80", "a" * 256, "a\tb", "\u00ad"], ids=ascii)
def test_an_idempotency_key_that_is_none_is_refused(admin: Api, name: str):
    answer = admin.call("POST", "/tables/all/rows", {}, **_header("idempotency-key", name))

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/Idempotency-Key")


@pytest.mark.parametrize("name", ["a", "'; DROP TABLE x", "%s", "a" * 255, "é"])
def test_an_idempotency_key_may_hold_what_can_be_seen(admin: Api, name: str):
    first = admin.call("POST", "/tables/all/rows", {"json": {"b": 1, "a": "ß"}}, **_header("idempotency-key", name))
    again = admin.call("POST", "/tables/all/rows", {"json": {"a": "ß", "b": 1}}, **_header("idempotency-key", name))

    assert (first.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize("media_type", ["text/plain", "text/csv", "application/xml", "multipart/form-data", "x", ""])
def test_rows_that_are_no_json_are_refused(admin: Api, media_type: str):
    headers = {"authorization": f"Bearer {admin.token}"}

    answer = admin.client.generic("POST", "/api/v1/tables/all/rows", b"{}", media_type, headers=headers)

    assert answer.status_code in {400, 415}, answer.content


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "LOCK", "HEAD"])
def test_another_method_is_no_trouble(admin: Api, method: str):
    for path in ("", "/rows", "/rows/query", "/rows/aggregate", "/rows.csv", "/columns", "/columns/text", "/clear"):
        answer = admin.call(method, f"/tables/all{path}")
        assert answer.status_code in {200, 204, 405}, (path, answer.content)


def test_what_is_refused_is_told_as_json(admin: Api):
    answer = admin.post("/tables/all/rows", {"\ud800": 1, "a/b~c": 2, "\0": 3})

    assert [error["pointer"] for error in json.loads(answer.content)["errors"]] == ["/\ufffd", "/a~1b~0c", "/\0"]
