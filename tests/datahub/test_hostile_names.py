"""Names that attack, of tables, columns and keys, through REST: kept as they are, or refused in so many words."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Api
from tests.datahub.conftest import made

Key = Callable[..., Api]
NAMES = [
    "'; DROP TABLE datahub_table; --",
    '"); DROP TABLE dh_1; --',
    "a'b\"c`d\\e",
    "`id`",
    "[order]",
    "%s %(name)s %d %",
    "{} {0} {name}",
    "$1 :id ?",
    "\U0001f600\U0001f469\u200d\U0001f4bb",
    "\u202eevil\u202c \u200e\u200f",
    "Straße İstanbul ΟΔΟΣ",
    "表 テーブル",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "={1+1}",
    " ",
    "\u3000x",
    "a" * 200,
    "\U0001f600" * 200,
    "\u0301" * 200,
    "\ufdfa" * 200,
    "null",
    "__proto__",
    "constructor",
    "id",
    "9 lives",
    "__",
    "-1",
    "abcdefabcdefabcdefabcdefabcdefab",
]
WORDS = ["select", "from", "table", "user", "group", "primary", "null", "true", "rowid", "oid", "ctid", "xmin", "desc"]
NO_NAMES = ["", " \t", "\0", "a\0b", "a\nb", "\x1b[31m", "\x7f", "\x85", "\ud800", "a" * 201]


def _ids(names: list[str]) -> list[str]:
    return [ascii(name)[:40] for name in names]


@pytest.fixture
def admin(key: Key) -> Api:
    return key("*")


@pytest.mark.parametrize("name", [name for name in NAMES if name.strip()] + WORDS, ids=ascii)
def test_a_table_and_a_column_may_have_any_name(admin: Api, name: str):
    made = admin.post("/tables", {"name": name, "description": name, "columns": [{"name": name, "type": "text"}]})
    assert made.status_code == 201, made.content
    key, column = made.json()["key"], made.json()["columns"][0]["key"]
    admin.post(f"/tables/{key}/rows", {column: name[:200]})

    listed = admin.get(f"/tables/{key}/rows?{column}__isnull=false&order=-{column}&fields={column}").json()
    found = admin.post(f"/tables/{key}/rows/query", {"filter": {"field": column, "value": name[:200]}}).json()
    lines = admin.get(f"/tables/{key}/rows.csv?fields={column}").getvalue().decode().split("\r\n")

    assert listed["items"] == [{column: name[:200]}]
    assert len(found["items"]) == 1
    assert lines[0] == column
    assert (made.json()["name"], made.json()["columns"][0]["name"]) == (name, name)
    assert admin.get(f"/tables/{key}").json() == made.json()
    assert admin.get(f"/tables/{key}/openapi.json").status_code == 200
    assert admin.delete(f"/tables/{key}/columns/{column}").status_code == 204
    assert admin.post(f"/tables/{key}/columns/{column}/restore").status_code == 200
    assert admin.delete(f"/tables/{key}").status_code == 204


@pytest.mark.parametrize("name", NO_NAMES, ids=_ids(NO_NAMES))
def test_no_names_are_refused(admin: Api, name: str):
    table = admin.post("/tables", {"name": name})
    column = admin.post("/tables", {"name": "Fine", "columns": [{"name": name, "type": "text"}]})

    assert (table.status_code, table.json()["errors"][0]["pointer"]) == (400, "/name")
    assert (column.status_code, column.json()["errors"][0]["pointer"]) == (400, "/columns/0/name")
    assert admin.get("/tables").json()["items"] == []


@pytest.mark.parametrize("name", NO_NAMES, ids=_ids(NO_NAMES))
def test_nothing_gets_no_name_later(admin: Api, name: str):
    admin.post("/tables", {"name": "Fine", "columns": [{"name": "Good", "type": "text"}]})

    answers = [admin.patch("/tables/fine", {"name": name}), admin.patch("/tables/fine/columns/good", {"name": name})]
    answers.append(admin.post("/tables/fine/columns", {"name": name, "type": "text"}))

    assert [(answer.status_code, answer.json()["errors"][0]["pointer"]) for answer in answers] == [(400, "/name")] * 3


@pytest.mark.parametrize("name", [1, None, True, ["a"], {"a": 1}])
def test_a_name_is_a_text(admin: Api, name: Any):
    assert admin.post("/tables", {"name": name}).status_code == 400
    assert admin.post("/tables", {"name": "a", "columns": [{"name": name, "type": "text"}]}).status_code == 400


@pytest.mark.parametrize(
    ("description", "status"),
    [("", 201), ("a\n\tb\r\n", 201), ("x" * 2000, 201), ("x" * 2001, 400), ("\0", 400), ("\x1b", 400), ("\udfff", 400)],
    ids=["empty", "lines", "2000", "2001", "NUL", "escape", "surrogate"],
)
def test_a_description_is_text_of_many_lines(admin: Api, description: str, status: int):
    assert admin.post("/tables", {"name": "a", "description": description}).status_code == status


# Keys ---------------------------------------------------------------------------------------------------------------

RESERVED = [
    *["id", "createdAt", "updatedAt", "revision", "owner", "and", "or", "not", "limit", "cursor", "order", "fields"],
    *["expand", "count", "q", "onConflict", "resolution", "maxAffected", "dryRun", "ID", "CREATEDAT", "Order"],
]
NO_KEYS = ["a__b", "_a", "1a", "a-b", "a b", "a.b", "ä", "а", "a\0", "a\n", "a" * 51, "a'b", 'a"b', "a;b", "%s", "١a"]


@pytest.mark.parametrize("given", [*RESERVED, *NO_KEYS], ids=_ids([*RESERVED, *NO_KEYS]))
def test_a_key_that_can_not_be_is_refused(admin: Api, given: str):
    admin.post("/tables", {"name": "Fine", "columns": [{"name": "Good", "type": "text"}]})
    column = {"name": "a", "key": given, "type": "text"}

    answers = [
        admin.post("/tables", {"name": "a", "key": given}),
        admin.post("/tables", {"name": "a", "columns": [column]}),
        admin.patch("/tables/fine", {"key": given}),
        admin.post("/tables/fine/columns", column),
        admin.patch("/tables/fine/columns/good", {"key": given}),
    ]

    assert [answer.status_code for answer in answers] == [400] * 5
    assert [answer.json()["errors"][0]["pointer"].split("/")[-1] for answer in answers] == ["key"] * 5


@pytest.mark.parametrize("reserved", RESERVED)
def test_a_key_made_from_a_reserved_name_has_a_prefix(admin: Api, reserved: str):
    table = admin.post("/tables", {"name": reserved, "columns": [{"name": reserved, "type": "text"}]}).json()

    assert (table["key"], table["columns"][0]["key"]) == (f"t_{reserved.lower()}", f"c_{reserved.lower()}")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Größe (cm)", "grosse_cm"),
        ("Crème brûlée", "creme_brulee"),
        ("a__b", "a_b"),
        ("__a__", "a"),
        ("9 lives", "c_9_lives"),
        ("日本", "c"),
        ("\U0001f600", "c"),
        ("'; DROP TABLE x", "drop_table_x"),
        ("A" * 60, "a" * 50),
        ("a" * 49 + "-b", "a" * 49),
        ("9" * 60, "c_" + "9" * 48),
        ("①", "c_1"),
    ],
)
def test_keys_are_made_of_ascii(admin: Api, name: str, made: str):
    table = admin.post("/tables", {"name": "a", "columns": [{"name": name, "type": "text"}]}).json()

    assert table["columns"][0]["key"] == made


def test_a_taken_key_gets_a_number(admin: Api):
    names = ["Name", "name", "NAME", "náme", "name 2", "c", "日本", "日本"]
    columns = [{"name": name, "type": "text"} for name in names]

    table = admin.post("/tables", {"name": "a", "columns": columns}).json()
    again = [admin.post("/tables", {"name": name}).json()["key"] for name in ("A", "á", "a")]

    keys = [column["key"] for column in table["columns"]]
    assert keys == ["name", "name_2", "name_3", "name_4", "name_2_2", "c", "c_2", "c_3"]
    assert again == ["a_2", "a_3", "a_4"]


def test_a_given_key_is_taken_whatever_its_letter_case(admin: Api):
    admin.post("/tables", {"name": "One", "columns": [{"name": "Name", "type": "text"}]})

    table = admin.post("/tables", {"name": "x", "key": "ONE"})
    column = admin.post("/tables/one/columns", {"name": "x", "key": "NAME", "type": "text"})
    twice = [{"name": "x", "key": "same", "type": "text"}, {"name": "y", "key": "SAME", "type": "text"}]

    assert (table.status_code, table.json()["code"]) == (409, "key-taken")
    assert column.status_code in {400, 409}
    assert column.json()["errors"][0] | {"detail": ""} == {"pointer": "/key", "code": "key-taken", "detail": ""}
    assert admin.post("/tables", {"name": "x", "columns": twice}).json()["errors"][0]["pointer"] == "/columns/1/key"


def test_names_that_differ_by_case_alone_are_two_columns(admin: Api):
    columns = [{"name": "Size", "type": "text"}, {"name": "SIZE", "type": "integer"}]
    admin.post("/tables", {"name": "a", "columns": columns})

    row = admin.post("/tables/a/rows", {"size": "large", "size_2": 3}).json()

    assert (row["size"], row["size_2"]) == ("large", 3)


def test_a_key_that_looks_like_an_id_finds_its_table(admin: Api):
    key = "abcdefabcdefabcdefabcdefabcdefab"
    admin.post("/tables", {"name": "a", "key": key, "columns": [{"name": "b", "key": key, "type": "text"}]})

    relation = {"name": "r", "type": "relation", "options": {"table": key}}

    assert admin.get(f"/tables/{key}").status_code == 200
    assert admin.post(f"/tables/{key}/rows", {key: "x"}).status_code == 201
    assert admin.post(f"/tables/{key}/columns", relation).status_code == 201
    assert admin.delete(f"/tables/{key}/columns/{key}").status_code == 204
    assert admin.post(f"/tables/{key}/columns/{key}/restore").status_code == 200


ADDRESSES = [
    *["%00", "a%00", "%FF", "%F0%9F%98%80", "%ED%A0%80", "'", "a%27--", "%25s", "..%2F", "x" * 3000, "%D9%A1", "{0}"],
    *["00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "-", "urn:uuid:", "%0A", "%20"],
]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda text: text[:40])
def test_an_address_of_nothing_is_not_found(admin: Api, address: str):
    admin.post("/tables", {"name": "Fine", "columns": [{"name": "Good", "type": "text"}]})

    answers = [
        admin.get(f"/tables/{address}"),
        admin.get(f"/tables/{address}/rows"),
        admin.post(f"/tables/{address}/rows", {}),
        admin.get(f"/tables/{address}/rows.csv"),
        admin.get(f"/tables/{address}/openapi.json"),
        admin.patch(f"/tables/fine/columns/{address}", {"name": "x"}),
        admin.delete(f"/tables/fine/columns/{address}"),
        admin.post(f"/tables/fine/columns/{address}/restore"),
        admin.post(f"/tables/fine/columns/{address}/purge"),
        admin.get(f"/tables/fine/rows/{address}"),
        admin.delete(f"/tables/fine/rows/{address}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)


MEMBERS = st.sampled_from(NAMES + NO_NAMES + RESERVED + WORDS) | st.text(max_size=10)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=MEMBERS, key=MEMBERS, column=MEMBERS, type=st.just("text") | MEMBERS)
def test_whatever_it_is_called_a_table_is_made_or_refused(admin: Api, name: str, key: str, column: str, type: str):
    for body in (
        {"name": name},
        {"name": name, "key": key},
        {"name": "x", "columns": [{"name": column, "type": type}]},
    ):
        made = admin.post("/tables", body)

        assert made.status_code in {201, 400, 409}, (body, made.content)
        if made.status_code == 201:
            assert admin.delete(f"/tables/{made.json()['key']}").status_code == 204


# Many columns -------------------------------------------------------------------------------------------------------


def _columns(count: int, **settings: Any) -> list[dict[str, Any]]:
    return [{"name": f"Column {number}", "type": "text", **settings} for number in range(count)]


def test_two_hundred_columns_are_no_trouble(admin: Api):
    kinds = ["text", "integer", "float", "decimal", "boolean", "date", "dateTime", "json", "uuid", "longText"]
    columns = [{"name": f"C {number}", "type": kinds[number % 10]} for number in range(200)]
    table = admin.post("/tables", {"name": "Wide", "columns": columns})
    assert table.status_code == 201, table.content

    row = admin.post("/tables/wide/rows", {"c_0": "ß", "c_1": 1, "c_199": "the end"}).json()

    assert len(row) == 205
    assert admin.get("/tables/wide/rows?c_1=1&c_199__contains=end&order=-c_1,c_0,c_190").json()["items"] == [row]
    assert admin.get("/tables/wide/rows?q=END&count=exact").json()["count"] == 1
    assert admin.get("/tables/wide/rows.csv").getvalue().decode().count(",") == 2 * 204
    assert admin.patch(f"/tables/wide/rows/{row['id']}", {"c_199": None}).json()["c_199"] is None
    assert admin.post("/tables/wide/rows", [{"c_1": 2}] * 100).status_code == 201


def test_a_table_may_have_400_columns_and_no_more(admin: Api):
    assert admin.post("/tables", {"name": "Wide", "columns": _columns(400)}).status_code == 201

    more = admin.post("/tables/wide/columns", {"name": "One more", "type": "text"})
    other = admin.post("/tables", {"name": "Wider", "columns": _columns(401)})
    enormous = admin.post("/tables", {"name": "Wider", "columns": _columns(5000)})

    assert [answer.status_code for answer in (more, other, enormous)] == [400] * 3
    assert (other.json()["code"], other.json()["errors"][0]["pointer"]) == ("too-many-columns", "/columns")
    assert more.json()["code"] == "too-many-columns"


@pytest.mark.parametrize(("length", "fits"), [(1, True), (15, True), (19, True), (23, False), (40, True), (255, True)])
def test_a_row_too_large_for_the_database_is_refused_in_words(admin: Api, length: int, fits: bool):
    """PostgreSQL puts aside what is longer than 23 bytes; of 400 shorter texts there is no room for all."""
    table = admin.post("/tables", {"name": "Wide", "columns": _columns(400)}).json()
    row = admin.post("/tables/wide/rows", {}).json()
    values = dict.fromkeys([column["key"] for column in table["columns"]], "x1" * 200)
    values = {key: value[:length] for key, value in values.items()}

    answers = [
        admin.post("/tables/wide/rows", values),
        admin.post("/tables/wide/rows", [{}, values]),
        admin.patch(f"/tables/wide/rows/{row['id']}", values),
    ]

    if fits or connection.vendor == "sqlite":
        assert [answer.status_code for answer in answers] == [201, 201, 200]
    else:
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "row-too-large")] * 3
        assert admin.get("/tables/wide/rows").json()["items"] == [row]


def test_a_conflict_beside_a_row_that_is_too_large_is_refused_in_words(admin: Api, person: Callable[..., Api]):
    rule = {"filter": {"field": "code", "op": "startswith", "value": "a"}}
    columns = [{"name": "Code", "type": "text", "unique": True}, *_columns(390)]
    table = made(admin.post("/tables", {"name": "Wide", "columns": columns, "access": {"create": rule}}))
    made(admin.post("/tables/wide/rows", {"code": "a1"}))
    wide = dict.fromkeys([column["key"] for column in table["columns"][1:]], "x1" * 11)

    answer = person().post("/tables/wide/rows", [{"code": "a1"}, {"code": "a2", **wide}])

    expected = (409, "unique-conflict") if connection.vendor == "sqlite" else (400, "row-too-large")
    assert (answer.status_code, answer.json()["code"]) == expected


def test_a_change_of_type_that_makes_a_row_too_large_is_refused_in_words(admin: Api):
    table = admin.post("/tables", {"name": "Wide", "columns": _columns(395)}).json()
    keys = [column["key"] for column in table["columns"]]
    written = admin.post("/tables/wide/rows", dict.fromkeys(keys, "1" * 19))
    assert written.status_code == 201, written.content

    answers = [admin.patch(f"/tables/wide/columns/{key}", {"type": "longText"}) for key in keys[:12]]

    assert {answer.status_code for answer in answers} <= {200, 400}
    if connection.vendor == "postgresql":
        assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {"row-too-large"}
