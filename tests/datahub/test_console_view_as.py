"""View as: what the rules of a table let somebody else do, and which of them hides the rest."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.authpages.conftest import text_of
from tests.conftest import Api
from tests.datahub.conftest import id_of, made
from tests.datahub.console_pages import Admin

PAGE = "/console/datahub/tables/people/view-as"


@pytest.fixture
def rows(people: Api, person: Callable[..., Api]) -> Any:
    """Three people, of whom Ann owns one."""
    person("ann@example.com", "editor")
    given = [
        {"name": "Ann’s", "owner": id_of("ann@example.com")},
        {"name": "Bela’s", "city": "Rome"},
        {"name": "Third"},
    ]
    return made(people.post("/tables/people/rows", given))["items"]


def allow(people: Api, **access: Any) -> None:
    made(people.patch("/tables/people", {"access": access}), 200)


def test_a_visitor_is_told_to_log_in_where_nothing_is_open(root: Admin, rows: Any) -> None:
    said = text_of(root.get(PAGE))

    assert "What a visitor may do who has not logged in" in said
    assert said.count("Is not let in, not even with a login; the API answers 401.") == 5
    assert "None: the list is closed to them." in said


def test_a_visitor_sees_what_is_open_to_everyone(root: Admin, people: Api, rows: Any) -> None:
    allow(people, list="everyone")

    said = text_of(root.get(PAGE))

    assert "List rows Everyone, without logging in yes All 3 rows." in said
    assert "Bela’s" in said


def test_an_owner_sees_their_rows_and_which_rule_hides_the_others(root: Admin, people: Api, rows: Any) -> None:
    allow(people, list="owner")

    said = text_of(root.get(f"{PAGE}?email=Ann@example.com"))

    assert "What ann@example.com may do Roles: editor" in said
    assert "in part 1 of 3 rows. The rule “Whoever owns the row” hides 2 rows." in said
    assert "Ann’s" in said
    assert "Bela’s" not in said


@pytest.mark.parametrize(("role", "verdict"), [("Editor", "yes All 3 rows."), ("staff", "no Is not let in")])
def test_roles_count_as_they_do_for_the_api(root: Admin, people: Api, rows: Any, role: str, verdict: str) -> None:
    allow(people, update={"roles": [role]})

    said = text_of(root.get(f"{PAGE}?email=ann@example.com"))

    assert f"Change rows People with one of these roles: {role} {verdict}" in said


def test_a_filter_shows_the_rows_that_match(root: Admin, people: Api, rows: Any) -> None:
    allow(
        people, list={"filter": {"field": "city", "value": "Rome"}}, create={"filter": {"field": "city", "value": "x"}}
    )

    said = text_of(root.get(PAGE))

    assert "1 of 3 rows. The rule “Rows that match a filter” hides 2 rows." in said
    assert "Create rows Rows that match a filter in part Rows that match the filter" in said


def test_an_admin_is_seen_without_what_the_console_lets_them(root: Admin, rows: Any) -> None:
    said = text_of(root.get(f"{PAGE}?email=root@example.com"))

    assert "Is an admin" in said
    assert said.count("Is not let in; the API answers 403.") == 5


def test_an_address_that_nobody_has_is_said_at_the_field(root: Admin, rows: Any) -> None:
    page = root.get(f"{PAGE}?email=who@example.com")

    assert "Nobody has this address." in text_of(page)
    assert "Has to log in" not in text_of(page)


def test_looking_changes_nothing_and_tells_nobody(root: Admin, rows: Any, told: Callable[[], list[str]]) -> None:
    before = told()

    root.get(f"{PAGE}?email=ann@example.com")

    assert told() == before


@pytest.mark.parametrize("rule", ["admin", "everyone", "authenticated", "owner", {"roles": ["editor"]}])
def test_what_is_said_is_what_the_api_does(
    root: Admin, people: Api, person: Callable[..., Api], rows: Any, rule: Any
) -> None:
    allow(people, list=rule)
    bela = person("bela@example.com", "editor")

    answer = bela.get("/tables/people/rows")
    said = text_of(root.get(f"{PAGE}?email=bela@example.com"))

    listed = [row["name"] for row in answer.json().get("items", [])]
    assert [name for name in ("Ann’s", "Bela’s", "Third") if name in said] == sorted(listed)
    assert ("the API answers 403" in said.partition("Read a row")[0]) == (answer.status_code == 403)
