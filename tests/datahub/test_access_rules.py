"""Who may do what with the rows of a table: every kind of rule, every kind of caller, every path."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from authpages.models import User
from tests.conftest import Api
from tests.datahub.conftest import id_of, made, pointers

ROWS = "/tables/people/rows"
MINE = {"filter": {"field": "owner", "op": "eq", "value": "@user.id"}}
BY_ROLE = {"filter": {"field": "city", "op": "in", "value": "@user.roles"}}
ROMAN = {"filter": {"field": "city", "op": "eq", "value": "Rome"}}
RULES: dict[str, Any] = {
    "admin": "admin",
    "everyone": "everyone",
    "authenticated": "authenticated",
    "owner": "owner",
    "roles": {"roles": ["support", "EDITOR"]},
    "mine": MINE,
    "by-role": BY_ROLE,
    "roman": ROMAN,
}
CALLERS = ["nobody", "ann", "bob", "editor", "root", "key:users:read", "key:rows:read", "key:rows:write", "console"]
# Ann lives in Rome and owns her row; so does Bob, who lives in Editor. The row of Cid, who lives in Oslo, has no owner.
ALL = ["Ann", "Bob", "Cid"]

every_rule = pytest.mark.parametrize("rule", RULES)
UPSERT = "onConflict=email&resolution=merge"
Call = Callable[[str], Api]


@pytest.fixture
def known(person: Callable[..., Api]) -> dict[str, Api]:
    """Those who own a row."""
    return {name: person(f"{name}@example.com") for name in ("ann", "bob")}


@pytest.fixture
def rows(people: Api, known: dict[str, Api]) -> dict[str, str]:
    """The ids of three rows by the names in them."""
    given = [
        {"name": "Ann", "city": "Rome", "owner": id_of("ann@example.com"), "age": 30, "email": "ann@example.com"},
        {"name": "Bob", "city": "Editor", "owner": id_of("bob@example.com"), "age": 31, "email": "bob@example.com"},
        {"name": "Cid", "city": "Oslo", "age": 32, "email": "cid@example.com"},
    ]
    return {row["name"]: row["id"] for row in made(people.post(ROWS, given))["items"]}


@pytest.fixture
def call(
    known: dict[str, Api], key: Callable[..., Api], person: Callable[..., Api], request: pytest.FixtureRequest
) -> Call:
    """The caller of this name."""

    def caller(name: str) -> Api:
        match name.split(":", 1):
            case ["nobody"]:
                return Api()
            case ["key", scope]:
                return key(scope)
            case ["console"]:
                console: Api = request.getfixturevalue("console")
                return console
            case ["editor"]:
                return person("editor@example.com", "Editor")
            case ["root"]:
                return person("boss@example.com", admin=True)
        return known[name]

    return caller


def _set(people: Api, **access: Any) -> None:
    """These rules, and `admin` for every other verb."""
    verbs = dict.fromkeys(["list", "read", "create", "update", "delete"], "admin")
    made(people.patch("/tables/people", {"access": {**verbs, **access}}), 200)


def _is_above(caller: str, scope: str) -> bool:
    return caller in {"console", f"key:{scope}"}


def _expected(rule: str, caller: str, scope: str) -> list[str] | int:
    """The rows that the rule lets the caller have, or the status of the refusal: a model of the rules in few words."""
    if _is_above(caller, scope) or rule == "everyone":
        return ALL
    if rule == "roman":
        return ["Ann"]
    if caller == "nobody":
        return 401
    if rule == "admin" or caller.startswith("key:") or (rule == "roles" and caller != "editor"):
        return 403
    own = {"ann": ["Ann"], "bob": ["Bob"]}.get(caller, [])
    by_role = ["Bob"] if caller == "editor" else []
    return {"owner": own, "mine": own, "by-role": by_role}.get(rule, ALL)


def _names(answer: Any) -> Any:
    """The rows of an answer, or the status of a refusal."""
    return [row["name"] for row in answer.json()["items"]] if answer.status_code == 200 else answer.status_code


def _number(answer: Any) -> int:
    """How many rows an answer counts; of a refusal the status."""
    return int(answer.json()["items"][0]["count"] if answer.status_code == 200 else answer.status_code)


@contextmanager
def _undone() -> Iterator[None]:
    """What is written within is not."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@every_rule
def test_every_way_to_list_shows_the_rows_of_the_rule(people: Api, rows: dict[str, str], call: Call, rule: str):
    _set(people, list=RULES[rule])
    either = {"filter": {"or": [{"not": ROMAN["filter"]}, ROMAN["filter"]]}}

    for caller in CALLERS:
        expected, api = _expected(rule, caller, "rows:read"), call(caller)
        csv, ndjson = api.get(f"{ROWS}.csv?fields=name"), api.get(f"{ROWS}.ndjson?fields=name")
        assert (caller, _names(api.get(ROWS))) == (caller, expected)
        assert (caller, _names(api.post(f"{ROWS}/query", either))) == (caller, expected)
        number = len(expected) if isinstance(expected, list) else expected
        assert (caller, _number(api.get(f"{ROWS}/aggregate"))) == (caller, number)
        if isinstance(expected, list):
            assert (caller, api.get(f"{ROWS}?count=exact&limit=1").json()["count"]) == (caller, number)
            assert (caller, bytes(csv.getvalue()).decode().split()) == (caller, ["name", *expected])
            lines = bytes(ndjson.getvalue()).splitlines()
            assert (caller, [json.loads(line)["name"] for line in lines]) == (caller, expected)
        else:
            assert (caller, csv.status_code, ndjson.status_code) == (caller, expected, expected)


@every_rule
def test_every_way_to_read_shows_the_rows_of_the_rule(people: Api, rows: dict[str, str], call: Call, rule: str):
    _set(people, read=RULES[rule])
    relation = {"name": "Person", "type": "relation", "options": {"table": "people"}}
    made(people.post("/tables", {"name": "Pins", "access": {"list": "everyone"}, "columns": [relation]}))
    made(people.post("/tables/pins/rows", [{"person": id} for id in rows.values()]))

    for caller in CALLERS:
        expected, api = _expected(rule, caller, "rows:read"), call(caller)
        found = {name: api.get(f"{ROWS}/{id}").status_code for name, id in rows.items()}
        pins = api.get("/tables/pins/rows?expand=person").json()["items"]
        seen = [pin["expand"]["person"] and pin["expand"]["person"]["name"] for pin in pins]
        assert (caller, found) == (caller, _statuses(expected, 200, 404))
        assert (caller, seen) == (caller, [n if isinstance(expected, list) and n in expected else None for n in ALL])


@every_rule
def test_every_way_to_change_reaches_the_rows_of_the_rule(people: Api, rows: dict[str, str], call: Call, rule: str):
    _set(people, update=RULES[rule])

    for caller in CALLERS:
        with _undone():
            expected, api = _expected(rule, caller, "rows:write"), call(caller)
            hidden = 403 if caller == "key:rows:read" else 404
            bulk = api.patch(ROWS, [{"id": id, "age": 1} for id in rows.values()]).status_code
            single = {name: api.patch(f"{ROWS}/{id}", {"age": 2}).status_code for name, id in rows.items()}
            changed = _names(people.get(f"{ROWS}?age=2"))
            assert (caller, single) == (caller, _statuses(expected, 200, hidden))
            assert (caller, changed) == (caller, expected if isinstance(expected, list) else [])
            whole = 200 if expected == ALL else hidden if isinstance(expected, list) else expected
            assert (caller, bulk) == (caller, whole)


@every_rule
def test_every_way_to_delete_reaches_the_rows_of_the_rule(people: Api, rows: dict[str, str], call: Call, rule: str):
    _set(people, delete=RULES[rule], list="everyone")

    for caller in CALLERS:
        with _undone():
            expected, api = _expected(rule, caller, "rows:write"), call(caller)
            hidden = 403 if caller == "key:rows:read" else 404
            bulk = api.delete(f"{ROWS}?name__in=Bob,Cid")
            single = {"Ann": api.delete(f"{ROWS}/{rows['Ann']}").status_code}
            left = _names(people.get(ROWS))
            assert (caller, single["Ann"]) == (caller, _statuses(expected, 204, hidden)["Ann"])
            if isinstance(expected, list):
                assert (caller, made(bulk, 200)["deleted"]) == (caller, len({"Bob", "Cid"}.intersection(expected)))
                assert (caller, left) == (caller, [name for name in ALL if name not in expected])
            else:
                assert (caller, bulk.status_code, left) == (caller, expected, ALL)


@every_rule
def test_every_way_to_create_makes_rows_of_the_rule(people: Api, call: Call, rule: str):
    _set(people, create=RULES[rule], update="everyone")

    for caller in CALLERS:
        with _undone():
            expected, api = _expected(rule, caller, "rows:write"), call(caller)
            for city in ["Rome", "Editor", "Oslo"]:
                row, status = {"name": "New", "city": city}, expected
                if isinstance(expected, list):
                    status = 201 if _fits(rule, caller, city) else 403
                answers = [api.post(ROWS, row), api.post(ROWS, [row, row]), api.post(f"{ROWS}?{UPSERT}", row)]
                statuses = [answer.status_code for answer in answers]
                assert (caller, city, statuses) == (caller, city, [status, status, 200 if status == 201 else status])
                count = made(people.get(f"{ROWS}?count=exact&city={city}"), 200)["count"]
                assert (caller, city, count) == (caller, city, 4 if status == 201 else 0)
            owners = {row["owner"] for row in people.get(ROWS).json()["items"]}
            assert (caller, owners) <= (caller, {_user_of(caller)})


def _fits(rule: str, caller: str, city: str) -> bool:
    """Whether the rule lets the caller create a row of this city."""
    if _is_above(caller, "rows:write"):
        return True
    if rule == "roman":
        return city == "Rome"
    return rule != "by-role" or (caller == "editor" and city == "Editor")


def _user_of(caller: str) -> str | None:
    """The id of the person that the caller is, if it is one."""
    if caller == "nobody" or caller.startswith("key:"):
        return None
    name = {"console": "root", "root": "boss"}.get(caller, caller)
    return id_of(f"{name}@example.com")


def _statuses(expected: list[str] | int, status: int, hidden: int) -> dict[str, int]:
    """What each row is answered with."""
    if isinstance(expected, int):
        return dict.fromkeys(ALL, expected)
    return {name: status if name in expected else hidden for name in ALL}


# Of lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "owner__isnull=true",
        "owner__ne=019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02",
        "name__in=Ann,Bob,Cid",
        "q=a",
        "order=-age",
        "age__gte=0&order=city",
    ],
)
def test_a_filter_does_not_widen_the_rule(people: Api, rows: dict[str, str], known: dict[str, Api], query: str):
    _set(people, list="owner")

    assert set(_names(known["ann"].get(f"{ROWS}?{query}"))) <= {"Ann"}


@pytest.mark.parametrize(
    "filter", [{"or": []}, {"not": {"or": []}}, {"or": [{"not": ROMAN["filter"]}, ROMAN["filter"]]}]
)
def test_a_filter_in_json_does_not_widen_the_rule(
    people: Api, rows: dict[str, str], known: dict[str, Api], filter: dict[str, Any]
):
    _set(people, list="owner")

    assert set(_names(known["bob"].post(f"{ROWS}/query", {"filter": filter}))) <= {"Bob"}


def test_names_of_the_caller_mean_nothing_in_a_filter_of_theirs(
    people: Api, rows: dict[str, str], known: dict[str, Api]
):
    _set(people, list="everyone")

    assert known["ann"].get(f"{ROWS}?owner=@user.id").status_code == 400
    assert _names(known["ann"].get(f"{ROWS}?city=@user.id")) == []


def test_a_cursor_of_another_shows_only_the_own_rows(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, list="owner")
    cursor = people.get(f"{ROWS}?limit=1").json()["nextCursor"]

    assert _names(known["ann"].get(f"{ROWS}?cursor={cursor}")) == []
    assert _names(known["bob"].get(f"{ROWS}?cursor={cursor}")) == ["Bob"]


@pytest.mark.parametrize(
    "path",
    [
        f"{ROWS}?salary=1",
        f"{ROWS}?order=salary",
        f"{ROWS}/aggregate?sum=salary",
        f"{ROWS}.csv?salary=1",
        f"{ROWS}.ndjson?salary=1",
        f"{ROWS}/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02?fields=salary",
    ],
)
@pytest.mark.parametrize(("caller", "status"), [("nobody", 401), ("ann", 403)])
def test_a_closed_table_does_not_tell_its_columns(people: Api, call: Call, path: str, caller: str, status: int):
    assert call(caller).get(path).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{ROWS}/query", {"order": ["salary"]}),
        ("POST", ROWS, {"salary": 1}),
        ("POST", f"{ROWS}?onConflict=salary&resolution=merge", {"salary": 1}),
        ("PATCH", ROWS, [{"id": "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02", "salary": 1}]),
        ("PATCH", f"{ROWS}/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02", {"salary": 1}),
        ("DELETE", f"{ROWS}?salary=1", None),
    ],
)
def test_nor_to_who_writes(people: Api, call: Call, method: str, path: str, body: Any):
    assert call("ann").call(method, path, body).status_code == 403


# Of changes --------------------------------------------------------------------------------------------------------


def test_a_change_must_satisfy_the_rule_before_and_after(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, update=ROMAN, read="everyone")
    ann = known["ann"]

    assert ann.patch(f"{ROWS}/{rows['Ann']}", {"age": 1}).status_code == 200
    assert ann.patch(f"{ROWS}/{rows['Ann']}", {"city": "Oslo"}).status_code == 403
    assert ann.patch(f"{ROWS}/{rows['Bob']}", {"city": "Rome"}).status_code == 403
    assert ann.patch(ROWS, [{"id": rows["Ann"], "age": 2}, {"id": rows["Bob"], "city": "Rome"}]).status_code == 403
    assert [(row["age"], row["city"]) for row in people.get(ROWS).json()["items"]] == [
        (1, "Rome"),
        (31, "Editor"),
        (32, "Oslo"),
    ]


def test_who_may_not_create_a_row_learns_nothing_of_what_it_might_refer_to(people: Api, known: dict[str, Api]):
    made(people.post("/tables", {"name": "Authors"}))
    there = made(people.post("/tables/authors/rows", {}))["id"]
    column = {"name": "Author", "type": "relation", "options": {"table": "authors"}}
    made(people.post("/tables/people/columns", column))
    _set(people, create={"filter": {"field": "city", "op": "in", "value": "@user.roles"}})

    for author in (there, "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"):
        assert known["ann"].post(ROWS, {"name": "Ann", "author": author}).status_code == 403


def test_an_admin_with_a_session_of_theirs_is_told_what_the_rule_asks_for(people: Api, person: Callable[..., Api]):
    detail = person("chief@example.com", admin=True).get(ROWS).json()["detail"]

    assert detail == "The rule ‘list’ of this table is for the console, and API keys with the scope rows:read."


@pytest.mark.parametrize("owner", [None, "ann", "bob"])
@pytest.mark.parametrize("rule", ["everyone", "authenticated", "owner", "mine"])
def test_a_person_neither_takes_nor_gives_away_an_owner(
    people: Api, rows: dict[str, str], known: dict[str, Api], rule: str, owner: str | None
):
    _set(people, create=RULES[rule], update=RULES[rule], read="everyone")
    given = {"owner": owner and id_of(f"{owner}@example.com")}
    ann = known["ann"]

    assert pointers(ann.patch(f"{ROWS}/{rows['Ann']}", given)) == ["/owner"]
    assert pointers(ann.post(ROWS, {"name": "New", **given})) == ["/owner"]
    assert pointers(ann.post(f"{ROWS}?{UPSERT}", {"name": "New", "email": "ann@example.com", **given})) == ["/owner"]


def test_who_may_change_but_not_read_a_row_is_not_shown_it(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, create="everyone", update="everyone", read="owner")
    path = f"{ROWS}/{rows['Bob']}"

    changed = made(known["ann"].patch(path, {"age": 1}), 200)
    merged = made(known["ann"].post(f"{ROWS}?{UPSERT}", {"email": "bob@example.com"}), 200)

    assert changed == {"id": rows["Bob"], "updatedAt": changed["updatedAt"], "revision": 2, "age": 1}
    assert set(merged) == {"id", "updatedAt", "revision", "email"}
    assert "city" in made(known["bob"].patch(path, {"age": 2}), 200)


@pytest.mark.parametrize(("filter", "status"), [("name=Ann", 200), ("name=Bob", 200), ("name__in=Ann,Bob", 200)])
def test_a_deletion_by_a_filter_reaches_only_what_may_be_listed(
    people: Api, rows: dict[str, str], known: dict[str, Api], filter: str, status: int
):
    _set(people, delete="everyone", list="owner")

    deleted = made(known["ann"].delete(f"{ROWS}?{filter}&maxAffected=1"), status)["deleted"]

    assert deleted == (1 if "Ann" in filter else 0)
    assert {"Bob", "Cid"} <= set(_names(people.get(ROWS)))


def test_who_may_not_list_deletes_nothing_by_a_filter(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, delete="everyone")

    assert known["ann"].delete(f"{ROWS}?age__gte=0").status_code == 403


def test_a_row_that_may_be_read_but_not_changed_is_forbidden(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, read="everyone", update="owner", delete="owner")
    path = f"{ROWS}/{rows['Bob']}"

    assert (known["ann"].patch(path, {}).status_code, known["ann"].delete(path).status_code) == (403, 403)


def test_of_rows_that_can_not_be_changed_the_first_that_is_not_seen_is_named(
    people: Api, rows: dict[str, str], known: dict[str, Api]
):
    _set(people, read={"filter": {"field": "name", "op": "ne", "value": "Cid"}}, update="owner")
    changes = [{"id": rows[name], "age": 1} for name in ("Ann", "Bob", "Cid")]

    assert pointers(known["ann"].patch(ROWS, changes), 404) == ["/2/id"]
    assert known["ann"].patch(ROWS, changes[:2]).status_code == 403


# Of callers --------------------------------------------------------------------------------------------------------


def test_who_is_blocked_has_no_access(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, list="authenticated", read="everyone")
    User.objects.filter(email="ann@example.com").update(blocked=True)

    assert known["ann"].get(ROWS).status_code == 401
    assert known["ann"].get(f"{ROWS}/{rows['Ann']}").status_code == 401


def test_who_has_logged_out_has_no_access(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, list="owner")
    assert _names(known["ann"].get(ROWS)) == ["Ann"]

    known["ann"].post("/auth/logout")

    assert known["ann"].get(ROWS).status_code == 401


def test_a_role_that_is_taken_away_counts_no_more(people: Api, rows: dict[str, str], call: Call):
    _set(people, list=RULES["roles"])
    editor = call("editor")
    assert _names(editor.get(ROWS)) == ALL

    User.objects.get(email="editor@example.com").roles.clear()

    assert editor.get(ROWS).status_code == 403


@pytest.mark.parametrize(("scopes", "sees"), [(["rows:read"], False), (["rows:read", "users:read"], True)])
def test_owners_are_shown_to_who_may_read_users(
    people: Api, rows: dict[str, str], key: Callable[..., Api], scopes: list[str], sees: bool
):
    row = made(key(*scopes).get(f"{ROWS}/{rows['Ann']}?expand=owner"), 200)

    seen = {"id": row["owner"], "email": "ann@example.com", "firstName": "", "lastName": ""}
    assert row["expand"]["owner"] == (seen if sees else None)


def test_a_person_is_shown_no_owner_but_themselves(people: Api, rows: dict[str, str], known: dict[str, Api]):
    _set(people, list="everyone")

    items = made(known["bob"].get(f"{ROWS}?expand=owner"), 200)["items"]

    assert [bool(row["expand"]["owner"]) for row in items] == [False, True, False]


# Of rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "blamed"),
    [
        ("nobody", "/access/list"),
        (None, "/access/list"),
        ({"roles": []}, "/access/list/roles"),
        ({"roles": [""]}, "/access/list/roles"),
        ({"roles": ["a"], "filter": {}}, "/access/list"),
        ({"filter": {}}, "/access/list/filter"),
        ({"filter": {"field": "nothing", "value": 1}}, "/access/list/filter"),
        ({"filter": {"field": "age", "op": "contains", "value": 1}}, "/access/list/filter"),
        ({"filter": {"field": "city", "value": "@user.email"}}, "/access/list/filter"),
        ({"filter": {"field": "city", "value": "@User.ID"}}, "/access/list/filter"),
        ({"filter": {"field": "city", "value": "@user.id.x"}}, "/access/list/filter"),
        ({"filter": {"field": "city", "op": "in", "value": ["@user.name"]}}, "/access/list/filter"),
        ({"filter": {"field": "city", "op": "in", "value": ["@user.roles"]}}, "/access/list/filter"),
        ({"filter": {"not": {"or": [{"field": "city", "value": "@user."}]}}}, "/access/list/filter"),
        ({"filter": {"field": "city", "value": "@user.roles"}}, "/access/list/filter"),
        ({"filter": {"field": "age", "value": "@user.id"}}, "/access/list/filter"),
        ({"filter": {"field": "age", "op": "in", "value": "@user.roles"}}, "/access/list/filter"),
        ({"filter": {"field": "owner", "op": "in", "value": "@user.roles"}}, "/access/list/filter"),
    ],
)
def test_a_rule_that_can_not_be_asked_is_refused(people: Api, rule: Any, blamed: str):
    assert pointers(people.patch("/tables/people", {"access": {"list": rule}})) == [blamed]


def test_a_caller_is_named_in_a_list_of_values_as_well(people: Api, rows: dict[str, str], known: dict[str, Api]):
    other = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
    _set(people, list={"filter": {"field": "owner", "op": "in", "value": ["@user.id", other]}})

    assert _names(known["ann"].get(ROWS)) == ["Ann"]
    assert Api().get(ROWS).status_code == 401


def test_a_rule_that_denies_the_caller_is_no_way_in_for_nobody(
    people: Api, rows: dict[str, str], known: dict[str, Api]
):
    _set(people, list={"filter": {"not": MINE["filter"]}})

    assert _names(known["ann"].get(ROWS)) == ["Bob", "Cid"]
    assert Api().get(ROWS).status_code == 401


def test_a_new_table_is_closed(people: Api, rows: dict[str, str], call: Call):
    for caller, status in [("nobody", 401), ("ann", 403), ("root", 403)]:
        api = call(caller)
        answers = [api.get(ROWS), api.get(f"{ROWS}/{rows['Ann']}"), api.post(ROWS, {"name": "New"})]
        answers += [api.patch(f"{ROWS}/{rows['Ann']}", {}), api.delete(f"{ROWS}/{rows['Ann']}")]
        assert {answer.status_code for answer in answers} == {status}
