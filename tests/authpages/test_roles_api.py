"""Roles over REST, and what they open: a rule of the Datahub, from end to end."""

from collections.abc import Callable

import pytest

from authpages.models import Role, User
from events.models import Event
from tests.conftest import Api


@pytest.fixture
def program(key: Callable[..., Api]) -> Api:
    return key("users:read", "users:write")


def _make(program: Api, name: str = "Editor", description: str = "") -> str:
    made = program.post("/roles", {"name": name, "description": description})
    assert made.status_code == 201, made.content
    return str(made.json()["id"])


def test_one_is_made_read_changed_and_listed_by_name(program: Api) -> None:
    id = _make(program, "Editor", "May write")
    _make(program, "author")

    changed = program.patch(f"/roles/{id}", {"name": "Chief Editor"})

    assert changed.json() == program.get(f"/roles/{id}").json()
    assert (changed.json()["name"], changed.json()["description"]) == ("Chief Editor", "May write")
    assert [each["name"] for each in program.get("/roles").json()["items"]] == ["author", "Chief Editor"]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        (" eDITOR ", 409, "role-name-taken"),
        ("\uff25ditor", 409, "role-name-taken"),  # a wide E
        ("  ", 400, "role-name-unusable"),
        ("x" * 101, 400, "role-name-unusable"),
        ("\ufdfa" * 20, 400, "role-name-unusable"),  # 18 characters each, once normalised
        ("a\tb\u200b", 400, "role-name-unusable"),
    ],
)
def test_a_name_that_can_not_be_is_refused(program: Api, name: str, status: int, code: str) -> None:
    _make(program)
    other = _make(program, "Author")

    answers = [program.post("/roles", {"name": name}), program.patch(f"/roles/{other}", {"name": name})]

    assert [answer.status_code for answer in answers] == [status] * 2
    assert [answer.json()["errors"][0]["code"] for answer in answers] == [code] * 2
    assert program.get(f"/roles/{other}").json()["name"] == "Author"


def test_a_name_may_change_its_letter_case(program: Api) -> None:
    id = _make(program)

    assert program.patch(f"/roles/{id}", {"name": "EDITOR"}).json()["name"] == "EDITOR"


def test_an_unknown_role_is_refused_with_what_there_is(program: Api, api: Api) -> None:
    ann = api.sign_up()["user"]["id"]
    _make(program, "Editor")

    answer = program.patch(f"/users/{ann}", {"roles": ["editor", "Autor"]}).json()

    assert answer["errors"][0]["pointer"] == "/roles/1"
    assert "‘Autor’; there are: Editor." in answer["detail"]
    assert program.get(f"/users/{ann}").json()["roles"] == []


def _make_long_ones(count: int = 50, letter: str = "x") -> list[str]:
    names = [f"{number:03}{letter * 97}" for number in range(count)]
    Role.objects.bulk_create(Role(name=name, name_key=name) for name in names)
    return names


@pytest.mark.parametrize(("letter", "most"), [("x", 19), ("ж", 9)])
def test_a_person_has_as_many_as_leave_the_access_token_below_4_kb(
    program: Api, api: Api, letter: str, most: int
) -> None:
    longest = f"{'a' * 60}@{'b' * 63}.{'c' * 63}.{'d' * 60}.com"
    ann = f"/users/{api.sign_up(longest)['user']['id']}"
    names = _make_long_ones(letter=letter)

    refused = program.patch(ann, {"roles": names[: most + 1]})

    [error] = refused.json()["errors"]
    assert (refused.status_code, error["pointer"], error["code"]) == (400, "/roles", "too-long")
    assert program.patch(ann, {"roles": names[:most]}).status_code == 200
    assert len(api.log_in(longest).json()["session"]["accessToken"]) < 4096


@pytest.mark.parametrize(("letter", "few"), [("x", 19), ("ж", 9), ('"', 9)])
def test_a_role_gets_no_longer_name_than_its_people_have_room_for(
    program: Api, api: Api, letter: str, few: int
) -> None:
    ann = f"/users/{api.sign_up()['user']['id']}"
    short, *long = [_make(program, "a"), *_make_long_ones(few, letter)]
    program.patch(ann, {"roles": ["a", *long]})

    refused = program.patch(f"/roles/{short}", {"name": letter * 99})
    shorter = program.patch(f"/roles/{short}", {"name": letter * 9})

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "role-name-unusable")
    assert "more than 2,000 bytes" in refused.json()["detail"]
    assert shorter.status_code == 200
    assert program.patch(f"/roles/{_make(program, 'b')}", {"name": letter * 99}).status_code == 200


def test_who_had_more_before_keeps_them_or_loses_some(program: Api, api: Api) -> None:
    ann = f"/users/{api.sign_up()['user']['id']}"
    names = _make_long_ones()
    User.objects.get().roles.set(Role.objects.filter(name__in=names[:40]))

    statuses = [
        program.patch(ann, {"roles": names[:count], "firstName": "Ann"}).status_code for count in (40, 41, 30, 31)
    ]

    assert statuses == [200, 400, 200, 400]


def test_who_has_a_role_that_is_deleted_loses_it_without_an_event_of_each(program: Api, api: Api) -> None:
    ann = api.sign_up()["user"]["id"]
    id = _make(program)
    program.patch(f"/users/{ann}", {"roles": ["editor"]})
    before = Event.objects.count()

    assert program.delete(f"/roles/{id}").status_code == 204

    assert program.get(f"/users/{ann}").json()["roles"] == []
    assert program.get(f"/roles/{id}").status_code == program.delete(f"/roles/{id}").status_code == 404
    assert Event.objects.count() == before


def test_a_role_opens_a_table_at_once_until_it_is_renamed_or_taken(program: Api, key: Callable[..., Api]) -> None:
    reader = Api()
    ann = f"/users/{reader.sign_up()['user']['id']}"
    role = f"/roles/{_make(program)}"
    key("*").post("/tables", {"name": "Notes", "access": {"list": {"roles": ["Editor"]}}})
    seen = [reader.get("/tables/notes/rows").status_code]

    for change in (
        lambda: program.patch(ann, {"roles": ["editor"]}),
        lambda: program.patch(role, {"name": "Author"}),
        lambda: program.patch(role, {"name": "editor"}),
        lambda: program.patch(ann, {"roles": []}),
    ):
        change()
        seen.append(reader.get("/tables/notes/rows").status_code)

    assert seen == [403, 200, 403, 200, 403]
