"""The Datahub under attack: cursors, idempotency keys and revisions that are forged, stolen or sent again."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Api
from tests.datahub.conftest import id_of, made, pointers

ROWS = "/tables/people/rows"
QUERY = f"{ROWS}/query"
ROW = {"name": "New", "city": "Rome"}


@pytest.fixture
def ann(people: Api, person: Callable[..., Api]) -> Api:
    """She may create and see rows of her own; so may Bob, and others."""
    access = dict.fromkeys(["list", "read", "create", "update", "delete"], "owner")
    made(people.patch("/tables/people", {"access": access}), 200)
    return person("ann@example.com")


@pytest.fixture
def bob(person: Callable[..., Api]) -> Api:
    return person("bob@example.com")


# Cursors -----------------------------------------------------------------------------------------------------------


def _cursor(caller: Api, **query: Any) -> str:
    return str(made(caller.post(QUERY, {"limit": 1, **query}), 200)["nextCursor"])


@pytest.fixture
def cursor(people: Api) -> str:
    """A true one, in the order of the ids."""
    made(people.post(ROWS, [{"name": name, "city": "Rome", "age": age} for age, name in enumerate("abc")]))
    return _cursor(people)


def _sealed(content: bytes, signature: bytes = bytes(16)) -> str:
    return base64.urlsafe_b64encode(signature + content).decode().rstrip("=")


def _opened(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def test_no_bit_of_a_cursor_can_be_changed(people: Api, cursor: str) -> None:
    sealed = _opened(cursor)

    for place in range(len(sealed)):
        forged = bytearray(sealed)
        forged[place] ^= 1
        answer = people.post(QUERY, {"cursor": _sealed(bytes(forged[16:]), bytes(forged[:16]))})
        assert (answer.status_code, pointers(answer)) == (400, ["/cursor"]), place


@pytest.mark.parametrize(
    "forged",
    [
        *("", "a", "====", "a" * 100_000, "\0", "ä", "٠" * 40, "../../x", "null", "[]", "-", "_" * 21),
        *(_sealed(content) for content in (b"", b"[]", b"[null]", b"{}", b"[[]]", b'["1"]', b"\xff", b"9" * 5000)),
        _sealed(json.dumps(["019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"]).encode()),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_no_cursor_can_be_made_up(people: Api, forged: str) -> None:
    answers = [people.post(QUERY, {"cursor": forged})]
    if forged.isascii() and forged.isprintable() and forged:
        answers += [people.get(f"{ROWS}?cursor={forged}"), people.get(f"{ROWS}/aggregate?group=city&cursor={forged}")]

    for answer in answers:
        assert answer.status_code == (400 if forged else 200)
        assert not forged or pointers(answer) == ["/cursor"]


@pytest.mark.parametrize(
    "query",
    [{"order": ["-id"]}, {"order": ["name"]}, {"order": ["age", "name"]}, {"order": ["-age"]}, {"order": ["city"]}],
    ids=lambda query: "-".join(query["order"]),
)
def test_a_cursor_is_good_for_its_own_order_alone(people: Api, cursor: str, query: dict[str, Any]) -> None:
    assert pointers(people.post(QUERY, {"cursor": cursor, **query})) == ["/cursor"]
    assert pointers(people.post(QUERY, {"cursor": _cursor(people, **query)})) == ["/cursor"]


def test_a_cursor_is_good_for_its_own_table_alone(people: Api, cursor: str) -> None:
    made(people.post("/tables", {"name": "Others", "columns": [{"name": "Name", "type": "text"}]}))
    made(people.post("/tables/others/rows", [{"name": "a"}, {"name": "b"}]))

    assert pointers(people.post("/tables/others/rows/query", {"cursor": cursor})) == ["/cursor"]
    assert pointers(people.get(f"/tables?cursor={cursor}")) == ["/cursor"]


def test_a_cursor_is_none_of_a_table_that_was_made_again(people: Api, cursor: str) -> None:
    table = made(people.get("/tables/people"), 200)
    people.delete("/tables/people")
    columns = [{name: each[name] for name in ("name", "key", "type")} for each in table["columns"]]
    made(people.post("/tables", {"name": "People", "columns": columns}))

    assert pointers(people.post(QUERY, {"cursor": cursor})) == ["/cursor"]


def test_a_cursor_that_another_key_signed_is_none(people: Api, cursor: str, settings: Any) -> None:
    settings.SECRET_KEY = "another"

    assert pointers(people.post(QUERY, {"cursor": cursor})) == ["/cursor"]


def test_the_cursor_of_another_widens_no_rule(people: Api, ann: Api, bob: Api) -> None:
    """What it holds is where a page ended, and not what its caller might see."""
    owners = [id_of(f"{name}@example.com") for name in ("bob", "ann", "bob", "ann")]
    made(people.post(ROWS, [{**ROW, "age": age, "owner": owner} for age, owner in enumerate(owners)]))

    for api, ages in ((ann, [1, 3]), (bob, [2])):
        items = made(api.post(QUERY, {"cursor": _cursor(people)}), 200)["items"]
        assert [row["age"] for row in items] == ages


# Idempotency keys --------------------------------------------------------------------------------------------------


def _once(caller: Api, body: Any = ROW, path: str = ROWS, key: str = "k-1") -> Any:
    headers: dict[str, Any] = {"idempotency-key": key}
    return caller.call("POST", path, body, **headers)


def test_a_key_of_another_is_none_of_the_caller_s(people: Api, ann: Api, bob: Api) -> None:
    callers = [ann, bob, people]

    first, second = [[made(_once(caller)) for caller in callers] for _time in range(2)]

    assert first == second
    assert len({row["id"] for row in first}) == len(callers)
    assert [row["owner"] for row in first] == [id_of("ann@example.com"), id_of("bob@example.com"), None]


@pytest.mark.parametrize("name", ["k-1", "k-1 ", "K-1", "k-1\u00e9"], ids=ascii)
def test_a_key_says_nothing_of_what_another_did_with_it(ann: Api, bob: Api, name: str) -> None:
    made(_once(ann, {"name": "Hers"}))

    assert made(_once(bob, {"name": "His"}, key=name))["name"] == "His"


def test_a_key_is_good_for_one_request_alone(people: Api, ann: Api) -> None:
    columns = [{"name": "Name", "type": "text"}, {"name": "City", "type": "text"}]
    access = {"create": "authenticated"}
    made(people.post("/tables", {"name": "Others", "columns": columns, "access": access}))
    made(_once(ann))

    answers = [
        _once(ann, {**ROW, "city": "Oslo"}),
        _once(ann, [ROW]),
        _once(ann, path="/tables/others/rows"),
        _once(ann, path=f"{ROWS}?onConflict=email&resolution=merge"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-key-reused")
        assert "Rome" not in answer.content.decode()


def test_a_key_opens_nothing_that_was_closed_meanwhile(people: Api, ann: Api) -> None:
    made(_once(ann))
    made(people.patch("/tables/people", {"access": {"create": "admin"}}), 200)

    assert _once(ann).status_code == 403
    ann.token = ""
    assert _once(ann).status_code == 401


def test_a_refusal_is_not_kept(people: Api, ann: Api) -> None:
    made(people.post(ROWS, {"name": "Bob", "email": "bob@example.com"}))
    row = {"name": "Ann", "email": "bob@example.com"}
    assert _once(ann, row).status_code == 409
    people.delete(f"{ROWS}?name=Bob")

    assert made(_once(ann, row))["name"] == "Ann"


# Revisions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", ['"1"', "*", '"2"', 'W/"1"', '"1", "2"', "1", ""])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_no_revision_reaches_a_row_of_another(people: Api, ann: Api, bob: Api, method: str, match: str) -> None:
    row = made(bob.post(ROWS, ROW))
    headers: dict[str, Any] = {"if-match": match}
    malformed = match not in {'"1"', "*", '"2"'}

    answer = ann.call(method, f"{ROWS}/{row['id']}", {"age": 1} if method == "PATCH" else None, **headers)

    assert answer.status_code == (400 if malformed else 404)
    assert made(bob.get(f"{ROWS}/{row['id']}"), 200) == row


@pytest.mark.parametrize("header", ["if-none-match", "if-modified-since", "if-unmodified-since", "range"])
def test_other_conditions_get_round_nothing(people: Api, ann: Api, bob: Api, header: str) -> None:
    row = made(bob.post(ROWS, ROW))

    for value in ('"1"', "*", "bytes=0-9", "Wed, 25 Nov 2026 00:00:00 GMT"):
        headers: dict[str, Any] = {header: value}
        assert ann.call("GET", f"{ROWS}/{row['id']}", **headers).status_code == 404
        assert made(ann.call("GET", ROWS, **headers), 200)["items"] == []
