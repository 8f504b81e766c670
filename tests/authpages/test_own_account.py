"""What people change of their own account."""

from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import User
from events.models import Event
from tests.authpages.conftest import Visitor
from tests.conftest import Api

PROFILE = {"firstName": "Ann", "lastName": "Lee", "locale": "de-AT", "metadata": {"theme": "dark"}}


@pytest.fixture
def ann(api: Api) -> Api:
    api.sign_up()
    return api


def test_people_write_their_name_their_language_and_their_metadata(ann: Api) -> None:
    answer = ann.patch("/auth/me", PROFILE)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in PROFILE} == PROFILE
    assert answer.json() == ann.get("/auth/me").json()


def test_a_change_is_an_event_that_names_what_changed(ann: Api) -> None:
    ann.patch("/auth/me", {"firstName": "Ann", "lastName": ""})

    event = Event.objects.latest("id")
    assert (event.type, event.data["changed"]) == ("auth.user_updated", ["firstName"])


def test_what_changes_nothing_is_no_event(ann: Api, told: Callable[[], list[str]]) -> None:
    ann.patch("/auth/me", {"firstName": "", "metadata": {}})

    assert "auth.user_updated" not in told()


@pytest.mark.parametrize("member", ["email", "emailVerified", "roles", "admin", "blocked", "appMetadata", "password"])
def test_nobody_gives_themselves_more(ann: Api, member: str) -> None:
    before = User.objects.values().get()

    answer = ann.patch("/auth/me", {member: True, "firstName": "Ann"})

    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{member}"]
    assert User.objects.values().get() == before


def test_a_language_that_is_none_is_refused(ann: Api) -> None:
    answer = ann.patch("/auth/me", {"locale": "not a language"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/locale")


def test_an_admin_writes_their_own_name_too(admin: Visitor, settings: Any) -> None:
    admin.get("/console/login")
    token = {"X-CSRFToken": admin.client.cookies[settings.CSRF_COOKIE_NAME].value}

    answer = admin.client.patch("/api/v1/auth/me", {"firstName": "Root"}, "application/json", headers=token)

    assert (answer.status_code, answer.json()["firstName"]) == (200, "Root")


def test_a_program_has_no_account_of_its_own(key: Callable[..., Api]) -> None:
    assert key("*").patch("/auth/me", PROFILE).status_code == 403
