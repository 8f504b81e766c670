"""The Datahub under attack: who asks for rows of others, by every way there is."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from datahub import listing
from tests.conftest import Api
from tests.datahub.conftest import id_of, made, pointers

ROWS = "/tables/people/rows"
NOBODYS = "01890000-0000-7000-8000-000000000000"
UPSERT = "onConflict=email&resolution="
RULES: dict[str, Any] = {
    "owner": "owner",
    "mine": {"filter": {"field": "owner", "value": "@user.id"}},
    "not-the-other": {"filter": {"not": {"field": "email", "value": "bob@example.com"}}},
    "by-role": {"filter": {"field": "city", "op": "in", "value": "@user.roles"}},
}
every_rule = pytest.mark.parametrize("rule", RULES)


@pytest.fixture
def ann(people: Api, person: Callable[..., Api]) -> Api:
    """She may see her own rows, which are of her role."""
    ann = person("ann@example.com", "Rome")
    person("bob@example.com")
    return ann


def _access(people: Api, rule: Any, *verbs: str) -> None:
    verbs = verbs or ("list", "read", "create", "update", "delete")
    made(people.patch("/tables/people", {"access": dict.fromkeys(verbs, rule)}), 200)


def _row(name: str, **more: Any) -> dict[str, Any]:
    email = f"{name.lower()}@example.com"
    return {"name": name, "email": email, "age": 30, "city": "Rome", "amount": "1.00", "owner": id_of(email), **more}


def _hidden(**more: Any) -> dict[str, Any]:
    """Bob's row, which Ann must not know of by any rule."""
    return _row("Bob", **{"age": 77, "city": "Oslo", "amount": "770077.00", **more})


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# What is hidden ----------------------------------------------------------------------------------------------------

GREATER = {"field": "amount", "op": "gt", "value": "700"}
OTHERS = {"not": GREATER}
ASKED: list[tuple[str, str, Any]] = [
    *(("GET", path, None) for path in ("", "?count=exact", "?count=estimated", "?q=bob", "?q=oslo", "?expand=owner")),
    *(("GET", f"?{each}", None) for each in ("amount__gt=700", "age__in=77", "city__ne=Rome", "email__startswith=bob")),
    *(("GET", f"?{each}&count=exact", None) for each in ("owner__isnull=false", "age__between=70,80", "name__ne=x")),
    *(("GET", f"?limit=1&order={each}", None) for each in ("-amount", "age", "-city,name", "id", "-id", "owner")),
    *(("GET", f"/aggregate?{each}", None) for each in ("", "group=city", "group=owner,age", "max=age", "avg=amount")),
    *(("GET", f"/aggregate?{each}", None) for each in ("min=email", "sum=amount&amount__gt=700", "q=bob", "limit=1")),
    *(("GET", f".{ending}", None) for ending in ("csv", "ndjson", "csv?amount__gt=700", "ndjson?order=-amount")),
    *(("POST", "/query", {"filter": each}) for each in (GREATER, OTHERS, {"or": [GREATER, {"not": GREATER}]})),
    *(("POST", "/query", {"count": each, "filter": OTHERS}) for each in ("exact", "estimated")),
    *(("DELETE", f"?{each}", None) for each in ("amount__gt=700", "name__ne=x&maxAffected=1", "q=bob&maxAffected=1")),
]


@every_rule
def test_what_is_hidden_changes_no_answer(people: Api, ann: Api, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "EXACT_BELOW", 0)  # every estimate is believed
    _access(people, RULES[rule])
    made(people.post(ROWS, _row("Ann")))

    before = [_answer(ann, *asked) for asked in ASKED]
    made(people.post(ROWS, [_hidden(), *(_hidden(email=f"bob{n}@example.com") for n in range(2))][: _many(rule)]))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    for asked, answer in zip(ASKED, before, strict=True):
        assert (asked, _answer(ann, *asked)) == (asked, answer)


def _many(rule: str) -> int:
    return 1 if rule == "not-the-other" else 3


def _answer(caller: Api, method: str, path: str, body: Any) -> tuple[int, str]:
    """The status and the body; what is deleted is there again afterwards."""
    with _undone():
        answer = caller.call(method, f"{ROWS}{path}", body)
        return answer.status_code, re.sub(r'"nextCursor":"[^"]+"', "more", answer.getvalue().decode())


def _if(match: str) -> Any:
    return {"if-match": match}


WAYS: dict[str, Callable[[Api, str], Any]] = {
    "read": lambda api, row: api.get(f"{ROWS}/{row}"),
    "read-some": lambda api, row: api.get(f"{ROWS}/{row}?fields=id&expand=owner"),
    "head": lambda api, row: api.call("HEAD", f"{ROWS}/{row}"),
    "change": lambda api, row: api.patch(f"{ROWS}/{row}", {"age": 1}),
    "change-nothing": lambda api, row: api.patch(f"{ROWS}/{row}", {}),
    "change-if": lambda api, row: api.call("PATCH", f"{ROWS}/{row}", {"age": 1}, **_if('"1"')),
    "change-if-not": lambda api, row: api.call("PATCH", f"{ROWS}/{row}", {"age": 1}, **_if('"9"')),
    "change-if-any": lambda api, row: api.call("PATCH", f"{ROWS}/{row}", {"age": 1}, **_if("*")),
    "take-a-taken-value": lambda api, row: api.patch(f"{ROWS}/{row}", {"email": "ann@example.com"}),
    "malformed": lambda api, row: api.patch(f"{ROWS}/{row}", {"age": "x"}),
    "own-it": lambda api, row: api.patch(f"{ROWS}/{row}", {"owner": id_of("ann@example.com")}),
    "bulk": lambda api, row: api.patch(ROWS, [{"id": row, "age": 1}]),
    "delete": lambda api, row: api.delete(f"{ROWS}/{row}"),
    "delete-if": lambda api, row: api.call("DELETE", f"{ROWS}/{row}", None, **_if('"9"')),
    "delete-by-id": lambda api, row: api.delete(f"{ROWS}?id={row}"),
    "list-by-id": lambda api, row: api.get(f"{ROWS}?id={row}&count=exact"),
}


@pytest.mark.parametrize("way", WAYS)
@every_rule
def test_a_row_of_another_is_answered_like_one_that_is_not_there(people: Api, ann: Api, rule: str, way: str) -> None:
    _access(people, RULES[rule])
    _own, row = made(people.post(ROWS, [_row("Ann"), _hidden()]))["items"]

    hidden, absent = WAYS[way](ann, row["id"]), WAYS[way](ann, NOBODYS)

    assert hidden.status_code == absent.status_code
    assert hidden.content.decode().replace(row["id"], NOBODYS) == absent.content.decode()
    assert people.get(f"{ROWS}/{row['id']}").json() == row


@every_rule
def test_one_row_of_another_among_the_own_changes_none(people: Api, ann: Api, rule: str) -> None:
    _access(people, RULES[rule])
    own, row = made(people.post(ROWS, [_row("Ann"), _hidden()]))["items"]

    answer = ann.patch(ROWS, [{"id": own["id"], "age": 1}, {"id": row["id"], "age": 1}])

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert [each["age"] for each in people.get(ROWS).json()["items"]] == [30, 77]


# What can not be hidden --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution", ["", "merge", "ignore"])
@every_rule
def test_a_unique_value_tells_that_it_is_taken_and_nothing_else(
    people: Api, ann: Api, rule: str, resolution: str
) -> None:
    """As with every unique index: PocketBase and PostgREST under row-level security answer the same."""
    _access(people, RULES[rule])
    _access(people, "authenticated", "create")
    row = made(people.post(ROWS, _hidden()))
    path = f"{ROWS}?{UPSERT}{resolution}" if resolution else ROWS

    answer = ann.post(path, {"name": "Mine", "email": row["email"], "city": "Rome"})

    assert (answer.status_code, answer.json()["code"], pointers(answer, 409)) == (409, "unique-conflict", ["/email"])
    told = answer.content.decode()
    assert not [value for value in (row["id"], row["owner"], "770077", "Oslo") if value in told]
    assert people.get(f"{ROWS}/{row['id']}").json() == row


@pytest.fixture
def pins(people: Api, ann: Api) -> Api:
    """A table that Ann may write, whose rows refer to people, of whom she may see her own."""
    _access(people, "owner")
    columns = [
        {"name": "Person", "type": "relation", "options": {"table": "people"}},
        {"name": "Others", "type": "relation", "options": {"table": "people", "many": True}},
    ]
    access = dict.fromkeys(["list", "read", "create", "update", "delete"], "authenticated")
    made(people.post("/tables", {"name": "Pins", "columns": columns, "access": access}))
    return ann


def test_a_relation_tells_that_a_row_is_there_and_nothing_of_it(people: Api, pins: Api) -> None:
    """As a foreign key does, which row-level security does not hold for; ids are not to be guessed."""
    row = made(people.post(ROWS, _hidden()))

    pin = made(pins.post("/tables/pins/rows", {"person": row["id"], "others": [row["id"]]}))

    assert pointers(pins.post("/tables/pins/rows", {"person": NOBODYS})) == ["/person"]
    assert set(pin) == {"id", "createdAt", "updatedAt", "revision", "owner", "person", "others"}
    shown = made(pins.get(f"/tables/pins/rows/{pin['id']}?expand=person,others"), 200)
    assert shown["expand"] == {"person": None, "others": []}
    for path in ("?expand=person&order=person", "?person__ne=" + NOBODYS, "/aggregate?group=person", ".csv", ".ndjson"):
        told = pins.get(f"/tables/pins/rows{path}").getvalue().decode()
        assert not [value for value in (row["name"], row["email"], row["owner"], "770077") if value in told]


@pytest.mark.parametrize("path", ["person.email=bob@example.com", "person__email=bob@example.com", "person.age__gt=1"])
def test_no_filter_goes_through_a_relation(people: Api, pins: Api, path: str) -> None:
    row = made(people.post(ROWS, _hidden()))
    made(pins.post("/tables/pins/rows", {"person": row["id"]}))

    assert pins.get(f"/tables/pins/rows?{path}").status_code == 400
    assert pins.get(f"/tables/pins/rows?order={path.partition('=')[0]}").status_code == 400
    assert pins.get(f"/tables/pins/rows/aggregate?group={path.partition('=')[0]}").status_code == 400


def test_who_deletes_a_row_is_not_told_which_of_another_need_it(people: Api, pins: Api) -> None:
    own = made(people.post(ROWS, _row("Ann")))
    made(people.patch("/tables/pins", {"access": {"list": "admin", "read": "admin"}}), 200)
    pin = made(people.post("/tables/pins/rows", {"person": own["id"]}))

    answers = [pins.delete(f"{ROWS}/{own['id']}"), pins.delete(f"{ROWS}?name=Ann")]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "row-in-use")
        assert not [value for value in (pin["id"], "pins", "person") if value in json.dumps(answer.json()["errors"])]


# What is not for callers to say ------------------------------------------------------------------------------------

SYSTEM = ["id", "createdAt", "updatedAt", "revision"]
NEVER = [*SYSTEM, "ID", "Owner", "created_at", "updated_at", "pk", "c1", "_state", "__class__", "__proto__", "expand"]


@pytest.mark.parametrize("member", [*NEVER, "owner"])
@pytest.mark.parametrize("caller", ["ann", "program"])
def test_no_caller_assigns_what_the_system_does(people: Api, ann: Api, member: str, caller: str) -> None:
    if (caller, member) == ("program", "owner"):
        return  # which programs may name
    _access(people, "owner")
    row = made(people.post(ROWS, _row("Ann")))
    api, given = {"ann": ann, "program": people}[caller], {"name": "New", member: row.get(member, "x")}

    answers = [
        api.post(ROWS, given),
        api.post(ROWS, [given]),
        api.post(f"{ROWS}?{UPSERT}merge", {**given, "email": "new@example.com"}),
        api.post(f"{ROWS}?{UPSERT}merge", {**given, "email": row["email"]}),
        api.patch(f"{ROWS}/{row['id']}", given),
    ]
    if member != "id":
        answers.append(api.patch(ROWS, [{"id": row["id"], **given}]))

    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert {pointer.split("/")[-1] for answer in answers for pointer in pointers(answer)} == {member}
    assert people.get(ROWS).json()["items"] == [row]


@pytest.mark.parametrize("member", ["id", "version", "createdAt", "updatedAt", "generation", "dbTable", "folded_key"])
def test_no_caller_assigns_what_a_table_is(people: Api, member: str) -> None:
    before = made(people.get("/tables/people"), 200)

    assert pointers(people.patch("/tables/people", {member: before.get(member, 1)})) == [f"/{member}"]
    assert pointers(people.post("/tables", {"name": "New", member: NOBODYS})) == [f"/{member}"]
    assert pointers(people.patch("/tables/people/columns/age", {member: 1})) == [f"/{member}"]
    assert made(people.get("/tables/people"), 200) == before
