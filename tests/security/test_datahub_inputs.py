"""The Datahub under attack: what is sent to its endpoints, and what they tell."""

import gzip
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from datahub.dynamic import find_table
from tests.conftest import Api
from tests.datahub.conftest import made, pointers
from tests.datahub.importing import imported
from tests.security.datahub_endpoints import CHANGES, ROWS, Endpoint, Named, every_endpoint, send, state

# What is sent ------------------------------------------------------------------------------------------------------

HOSTILE: dict[str, bytes] = {
    "deep": b"[" * 100_000,
    "deep-objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not-a-number": b'{"name": "Eve", "age": NaN}',
    "beyond-a-double": b'{"name": "Eve", "age": 1e400}',
    "below-a-double": b'{"name": "Eve", "age": -1e400}',
    "endless-digits": b'{"name": "Eve", "age": ' + b"9" * 100_000 + b"}",
    "twice": b'{"name": "Eve", "name": "Bob"}',
    "latin-1": '{"name": "Zoë"}'.encode("latin-1"),
    "utf-16": '{"name": "Eve"}'.encode("utf-16"),
    "byte-order-mark": b'\xef\xbb\xbf{"name": "Eve"}',
    "gzip": gzip.compress(b'{"name": "Eve"}'),
    "form": b"name=Eve",
    "nul": b'{"name": "E\\u0000ve"}',
    "lone-surrogate": b'{"name": "E\\ud800ve"}',
    "nul-in-a-name": b'{"name": "Eve", "a\\u0000": 1}',
    "surrogate-in-a-name": b'{"name": "Eve", "\\udfff": 1}',
    "nothing": b" ",
    "two": b'{"name": "Eve"}{"name": "Eve"}',
    "text": b'"Eve"',
    "null": b"null",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("encoding", [{}, {"content-encoding": "gzip"}], ids=["plain", "gzip"])
def test_no_hostile_body_is_taken_by_any_endpoint(
    people: Api, named: Named, body: bytes, encoding: dict[str, str]
) -> None:
    before = state(people)

    for endpoint in CHANGES:
        method, path, takes = endpoint
        if takes is not None:
            answer = people.call(method, path.format(**named), raw=body, **encoding)
            assert answer.status_code == 400, (endpoint, answer.content)
            assert answer.headers["Content-Type"] == "application/problem+json"

    assert state(people) == before


INJECTIONS = [
    "'; DROP TABLE datahub_table; --",
    '"; DELETE FROM dh_1; --',
    "' OR '1'='1",
    "Ann' UNION SELECT password FROM authpages_user --",
    "%' OR 1=1 --",
    "\\",
    "%s%s%(x)s",
    "{0.__class__}",
    "c1) OR (1=1",
    "id::text",
    "name->>'a'",
    "pg_sleep(9)",
    "a\x1b[31m",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_is_read_as_sql_wherever_it_stands(people: Api, named: Named, text: str) -> None:
    before = state(people)
    query = f"{ROWS}/query"

    for option in ("order", "fields", "expand"):
        assert pointers(people.post(query, {option: [text]})) == [f"/{option}"]
    assert pointers(people.post(query, {"cursor": text})) == ["/cursor"]
    assert pointers(people.post(query, {"count": text})) == ["/count"]
    assert people.post(query, {"filter": {"field": text, "value": "Ann"}}).status_code == 400
    assert people.post(query, {"filter": {"field": "name", "op": text, "value": "Ann"}}).status_code == 400
    for operator in ("eq", "contains", "icontains", "startswith", "gt"):
        answer = people.post(query, {"filter": {"field": "email", "op": operator, "value": text}})
        assert answer.status_code == 400 or operator == "gt" or made(answer, 200)["items"] == []
    assert made(people.post(query, {"q": text}), 200)["items"] == []
    assert people.post(ROWS, {"name": "Eve", text: "x"}).status_code == 400
    assert people.patch(f"{ROWS}/{named['row']}", {text: "x"}).status_code == 400
    assert people.post("/tables", {"name": "a", "key": text}).status_code == 400
    assert people.post("/tables/people/columns", {"name": "a", "type": text}).status_code == 400
    assert people.post("/tables/people/columns", {"name": "a", "type": "text", "options": {text: 1}}).status_code == 400

    assert state(people) == before


# What is told ------------------------------------------------------------------------------------------------------

SECRET = "s3cret-of-a-row"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, stack traces too, as the console shows it."""
    loggers = [logging.getLogger(name) for name in ("django", "fastgen")]
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(loggers[0].handlers[0].formatter)
    for logger in loggers:
        logger.addHandler(handler)
    yield handler.stream
    for logger in loggers:
        logger.removeHandler(handler)


def test_47_no_value_of_a_row_is_in_the_log(people: Api, log: io.StringIO) -> None:
    outdated: dict[str, Any] = {"if-match": '"9"'}
    once: dict[str, Any] = {"idempotency-key": SECRET}
    row = made(people.post(ROWS, {"name": SECRET, "email": f"{SECRET}@example.com"}))

    people.get(f"{ROWS}?name={SECRET}&q={SECRET}&order={SECRET}")
    people.post(ROWS, {"name": "Eve", "email": f"{SECRET}@example.com"})
    people.post(ROWS, {"name": [SECRET], SECRET: SECRET})
    people.call("PATCH", f"{ROWS}/{row['id']}", {"name": SECRET}, **outdated)
    people.call("POST", ROWS, {"name": SECRET}, **once)
    people.call("POST", ROWS, raw=f'{{"name": "{SECRET}"'.encode())
    imported(people, "table=people", f"name,age\n{SECRET},{SECRET}\n")
    people.patch("/tables/people/columns/name", {"type": "integer"})

    assert SECRET not in log.getvalue()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_47_not_even_where_the_database_fails(people: Api, log: io.StringIO, method: str) -> None:
    made(people.post("/tables", {"name": "Notes", "columns": [{"name": "Text", "type": "text"}]}))
    note = made(people.post("/tables/notes/rows", {"text": "a"}))
    _break(find_table("notes").db_table)

    answer = people.call(method, f"/tables/notes/rows{'/' + note['id'] if method == 'PATCH' else ''}", {"text": SECRET})

    assert (answer.status_code, answer.json()["code"]) == (500, "server-error")
    told = answer.content.decode()
    assert not [word for word in (SECRET, "Traceback", "INSERT", "UPDATE", "dh_", "psycopg", "sqlite") if word in told]
    assert "IntegrityError" in log.getvalue()
    assert SECRET not in log.getvalue()


def _break(table: str) -> None:
    """No row may be written any more; PostgreSQL says of each that it refuses what is in it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID")
            return
        for event in ("INSERT", "UPDATE"):
            cursor.execute(
                f"CREATE TRIGGER broken_{event} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )


@every_endpoint
def test_50_no_answer_tells_of_what_is_inside(people: Api, named: Named, endpoint: Endpoint) -> None:
    method, path, body = endpoint
    odd = [{"\0": "\ud800"}, [[]], "x", 1, None, {"name": {"a": 1}}]

    answers = [send(people, (method, path, each), named) for each in odd if method != "GET"]
    answers += [send(people, (method, f"{path.split('?')[0]}?{each}=%00%ff", body), named) for each in ("a", "q")]
    answers.append(people.call(method, path.replace("people", "%ff%00").format(row="x", upload="x"), body))

    for answer in answers:
        told = answer.getvalue().decode()
        assert answer.status_code < 500
        assert not [word for word in ("Traceback", "SELECT ", "sqlite", "psycopg", ".py", "dh_1") if word in told]
