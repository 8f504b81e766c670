"""API keys over REST: who may make them, and how far one made by another reaches."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import ApiKey, User
from authpages.services.api_keys import create_api_key
from tests.authpages.conftest import Visitor
from tests.conftest import Api

PATH = "/api-keys"
NEW = {"name": "Nightly export", "scopes": ["rows:read", "tables:read"]}


def test_a_key_is_told_once_and_works(key: Callable[..., Api]) -> None:
    program = key("*")

    made = program.post(PATH, NEW)

    shown = made.json()
    assert made.status_code == 201
    assert shown["key"].startswith(shown["prefix"])
    assert (shown["scopes"], shown["expiresAt"], shown["lastUsedAt"]) == (["rows:read", "tables:read"], None, None)
    assert Api(shown.pop("key")).get("/tables").status_code == 200
    assert shown["id"] in [each["id"] for each in program.get(PATH).json()["items"]]
    assert "key" not in program.get(PATH).json()["items"][0]


def test_keys_are_listed_newest_first_and_by_pages(key: Callable[..., Api]) -> None:
    program = key("*")
    for name in ("one", "two"):
        program.post(PATH, {**NEW, "name": name})

    first = program.get(f"{PATH}?limit=2").json()

    assert [each["name"] for each in first["items"]] == ["two", "one"]
    rest = program.get(f"{PATH}?limit=2&cursor={first['nextCursor']}").json()
    assert ([each["name"] for each in rest["items"]], rest["nextCursor"]) == (["test"], None)


def test_a_deleted_key_is_over_at_once(key: Callable[..., Api]) -> None:
    program = key("*")
    made = program.post(PATH, NEW).json()

    answer = program.delete(f"{PATH}/{made['id']}")

    assert answer.status_code == 204
    assert Api(made["key"]).get("/tables").status_code == 401
    assert program.delete(f"{PATH}/{made['id']}").status_code == 404


def test_a_key_without_everything_neither_sees_nor_makes_nor_ends_keys(key: Callable[..., Api]) -> None:
    narrow = key("users:read", "users:write", "settings:read", "settings:write", "events:secrets")
    id = ApiKey.objects.get().pk

    answers = [narrow.get(PATH), narrow.post(PATH, NEW), narrow.delete(f"{PATH}/{id}")]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert ApiKey.objects.count() == 1


def test_an_admins_own_login_is_not_the_console(api: Api, root: User) -> None:
    assert api.post(PATH, NEW).status_code == 401
    api.token = api.log_in(root.email).json()["session"]["accessToken"]

    assert [api.get(PATH).status_code, api.post(PATH, NEW).status_code] == [403, 403]


def test_a_key_made_in_the_console_is_the_admins(admin: Visitor, root: User) -> None:
    admin.get("/console/settings")
    headers = {"x-csrftoken": admin.client.cookies["fastgen_csrf"].value}

    made = admin.client.post(f"/api/v1{PATH}", NEW, content_type="application/json", headers=headers)

    assert made.status_code == 201
    assert ApiKey.objects.get().made_by == root


def test_a_key_made_with_a_key_ends_with_the_same_admin(root: User) -> None:
    parent = Api(create_api_key(name="parent", scopes=["*"], made_by=root)[1])
    child = Api(parent.post(PATH, {**NEW, "scopes": ["*"]}).json()["key"])
    assert child.get(PATH).status_code == 200

    User.objects.filter(pk=root.pk).update(blocked=True)

    assert child.get(PATH).status_code == 401


def test_a_key_lives_no_longer_than_the_key_that_made_it(db: None) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    parent = Api(create_api_key(name="parent", scopes=["*"], expires_at=tomorrow)[1])

    longer = parent.post(PATH, {**NEW, "expiresAt": (tomorrow + timedelta(days=1)).isoformat()})
    silent = parent.post(PATH, NEW)

    assert (longer.status_code, longer.json()["errors"][0]["pointer"]) == (400, "/expiresAt")
    assert ApiKey.objects.get(pk=silent.json()["id"]).expires_at == tomorrow


def test_an_expiry_is_kept(key: Callable[..., Api]) -> None:
    made = key("*").post(PATH, {**NEW, "expiresAt": "2031-01-31T12:00:00+02:00"}).json()

    assert made["expiresAt"] == "2031-01-31T10:00:00Z"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["rows:read", "everything"]}, "/scopes"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "/expiresAt"),
        ({"expiresAt": "2031-01-01T00:00:00"}, "/expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-23:59"}, "/expiresAt"),
        ({"madeBy": "me"}, "/madeBy"),
    ],
)
def test_what_can_not_be_a_key_is_named(key: Callable[..., Api], change: dict[str, Any], pointer: str) -> None:
    answer = key("*").post(PATH, {**NEW, **change})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert ApiKey.objects.count() == 1
