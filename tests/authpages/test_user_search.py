"""Finding people: by how their address or name begins, by role and state, page by page, always by an index."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from authpages.models import Role, User
from authpages.services.roles import create_role
from authpages.services.user_changes import change_user
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api

PEOPLE = [
    ("ann@example.com", "Ann", "Baker"),
    ("bob@example.com", "Bob", "Ångström"),
    ("carla@bücher.example", "", ""),
    ("d%_x@example.com", "ÉVA  MARIA", "O’Neil"),
]


@pytest.fixture
def people(db: None) -> list[User]:
    return [
        create_user(email=email, first_name=first, last_name=last, origin=COMMAND_LINE) for email, first, last in PEOPLE
    ]


@pytest.fixture
def found(key: Callable[..., Api]) -> Callable[[str], list[str]]:
    """The addresses, up to their @, that a query of the list answers."""
    reader = key("users:read")

    def ask(query: str) -> list[str]:
        answer = reader.get(f"/users?{query}")
        assert answer.status_code == 200, answer.content
        return [user["email"].partition("@")[0] for user in answer.json()["items"]]

    return ask


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ANN", ["ann"]),
        ("ann@ex", ["ann"]),
        ("baker", ["ann"]),
        ("ann%20%20ba", ["ann"]),
        ("nn", []),
        ("Baker%20Ann", []),
        ("ÅNG", ["bob"]),
        ("a%CC%8Angstr", ["bob"]),  # a and the ring apart
        ("carla@BÜCHER.example", ["carla"]),
        ("éva%20m", ["d%_x"]),
        ("d%25", ["d%_x"]),
        ("b%25", []),
        ("_", []),
        ("%20", ["d%_x", "carla", "bob", "ann"]),
        ("", ["d%_x", "carla", "bob", "ann"]),
    ],
)
def test_the_beginning_of_an_address_or_a_name_finds_the_person(
    people: list[User], found: Callable[[str], list[str]], text: str, names: list[str]
) -> None:
    assert found(f"q={text}") == names


def test_where_many_are_found_they_are_the_same(
    people: list[User], found: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_role(name="Editor")
    change_user(user_id=people[0].pk, changes={"roles": ["editor"]}, origin=COMMAND_LINE)
    asked = ["q=ba", "q=ann@ex", "q=d%25", "q=b%25", "q=éva", "role=editor", "role=editor&q=bob"]
    few = [found(query) for query in asked]

    monkeypatch.setattr("authpages.models.users.MANY", 0)

    assert [found(query) for query in asked] == few
    assert few[0] == few[5] == ["ann"]


def test_an_id_finds_the_person(people: list[User], found: Callable[[str], list[str]]) -> None:
    assert found(f"q={people[1].pk}") == ["bob"]


def test_who_is_renamed_is_found_by_the_new_name_alone(people: list[User], found: Callable[[str], list[str]]) -> None:
    change_user(user_id=people[0].pk, changes={"first_name": "Zoë"}, origin=COMMAND_LINE)

    assert (found("q=zoë baker"), found("q=ann baker")) == (["ann"], [])


def test_role_and_state_narrow_the_list_together(people: list[User], found: Callable[[str], list[str]]) -> None:
    create_role(name="Editor")
    states: list[dict[str, Any]] = [
        {"roles": ["editor"], "email_verified": True},
        {"roles": ["editor"], "blocked": True},
        {"email_verified": True},
        {"admin": True},
    ]
    for person, changes in zip(people, states, strict=True):
        change_user(user_id=person.pk, changes=changes, origin=COMMAND_LINE)

    assert found("role=EDITOR") == ["bob", "ann"]
    assert found("role=editor&verified=true") == ["ann"]
    assert found("verified=false&blocked=false") == ["d%_x"]
    assert (found("blocked=true"), found("admin=true")) == (["bob"], ["d%_x"])


def test_an_unknown_role_is_refused_with_what_there_is(people: list[User], key: Callable[..., Api]) -> None:
    create_role(name="Editor")

    answer = key("users:read").get("/users?role=autor")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/role")
    assert "Editor" in answer.json()["detail"]


def test_the_list_goes_on_where_it_ended_whoever_comes_meanwhile(people: list[User], key: Callable[..., Api]) -> None:
    reader = key("users:read")
    first = reader.get("/users?limit=3").json()
    create_user(email="late@example.com", origin=COMMAND_LINE)

    rest = reader.get(f"/users?limit=3&cursor={first['nextCursor']}").json()

    assert [user["email"] for user in first["items"]] == [people[number].email for number in (3, 2, 1)]
    assert ([user["email"] for user in rest["items"]], rest["nextCursor"]) == (["ann@example.com"], None)


@pytest.fixture
def _indexes_alone(db: None) -> Iterator[None]:
    """PostgreSQL reads a small table as a whole and sorts it, whatever indexes it has; this shows which can be used."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        yield


@pytest.mark.usefixtures("_indexes_alone")
def test_a_search_is_answered_by_the_indexes_of_its_keys(people: list[User]) -> None:
    plan = User.objects.found_by("ann").values("pk").explain()

    assert {index for index in ("users_by_name", "users_by_last_name", "email_key") if index in plan} == {
        "users_by_name",
        "users_by_last_name",
        "email_key",
    }
    assert "SCAN authpages_user" not in plan  # as SQLite calls what reads every row
    assert "Seq Scan" not in plan


@pytest.mark.usefixtures("_indexes_alone")
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"role": Role(pk="01890000-0000-7000-8000-000000000000")}, "users_of_a_role"),
        ({"verified": True}, "users_who_are_verified"),
        ({"verified": False}, "users_who_are_unverified"),
        ({"blocked": True}, "users_who_are_blocked"),
    ],
    ids=["role", "verified", "unverified", "blocked"],
)
def test_every_filter_has_an_index_in_the_order_of_the_list(
    people: list[User], filters: dict[str, Any], index: str
) -> None:
    plan = User.objects.matching(**filters).order_by("-pk").values("pk").explain()

    assert index in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan  # as SQLite calls it


def test_people_who_were_there_before_get_their_keys(people: list[User], found: Callable[[str], list[str]]) -> None:
    User.objects.update(name_key="", last_name_key="")
    migration = MigrationExecutor(connection).loader.get_migration("authpages", "0006_names_have_their_keys")
    state = MigrationExecutor(connection).loader.project_state(("authpages", "0006_names_have_their_keys"))

    migration.operations[0].code(state.apps, connection.schema_editor())  # type: ignore[attr-defined]

    assert (found("q=bob ång"), found("q=o’n")) == (["bob"], ["d%_x"])
