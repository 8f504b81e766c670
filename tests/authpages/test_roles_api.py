"""Roles over REST, and what they open: a rule of the Datahub, from end to end."""

from collections.abc import Callable

import pytest

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
