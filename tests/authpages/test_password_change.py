"""Changing one's own password, with the current one."""

from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import OneTimeLink, Session, Throttle, User
from authpages.services.auth_requests import resolve_due
from events.models import Event, EventSecret
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api, together

CHANGE = "/auth/password/change"
NEW = "an entirely new password"


@pytest.fixture
def ann(api: Api) -> Api:
    api.sign_up()
    return api


def _change(api: Api, current: str = PASSWORD, new: str = NEW) -> Any:
    return api.post(CHANGE, {"currentPassword": current, "newPassword": new})


def test_the_new_password_is_good_and_the_old_one_is_not(ann: Api, told: Callable[[], list[str]]) -> None:
    assert _change(ann).status_code == 200

    assert told()[-1] == "auth.password_changed"
    assert ann.log_in().status_code == 401
    assert ann.log_in(password=NEW).status_code == 200


def test_every_other_session_ends_and_this_one_goes_on(ann: Api) -> None:
    other = ann.log_in().json()["session"]

    _change(ann)

    assert ann.get("/auth/me").status_code == 200
    assert Api(other["accessToken"]).get("/auth/me").status_code == 401
    assert ann.post("/auth/refresh", {"refreshToken": other["refreshToken"]}).status_code == 401
    assert Session.objects.get(pk=other["id"]).end_reason == "password_changed"


def test_it_goes_on_with_a_new_refresh_token_alone(api: Api) -> None:
    before = api.sign_up()["session"]

    after = _change(api).json()["session"]

    assert after["id"] == before["id"]
    assert api.post("/auth/refresh", {"refreshToken": before["refreshToken"]}).status_code == 401
    assert api.post("/auth/refresh", {"refreshToken": after["refreshToken"]}).status_code == 200


def test_an_admin_in_the_console_gets_a_new_cookie(admin: Visitor, settings: Any) -> None:
    admin.get("/console/login")
    before = admin.client.cookies[settings.CONSOLE_COOKIE_NAME].value
    token = {"X-CSRFToken": admin.client.cookies[settings.CSRF_COOKIE_NAME].value}
    body = {"currentPassword": PASSWORD, "newPassword": NEW}

    answer = admin.client.post(f"/api/v1{CHANGE}", body, "application/json", headers=token)

    assert (answer.status_code, answer.json()) == (200, {})
    assert admin.client.cookies[settings.CONSOLE_COOKIE_NAME].value != before
    assert admin.get("/console/settings").status_code == 200
    admin.client.cookies[settings.CONSOLE_COOKIE_NAME] = before
    assert admin.get("/console/settings").status_code == 303


def test_open_links_die_and_their_tokens_leave_the_log(ann: Api) -> None:
    ann.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()

    _change(ann)

    assert not OneTimeLink.objects.open().exists()
    assert not EventSecret.objects.exists()


@pytest.mark.parametrize(
    ("current", "new", "code", "pointer"),
    [
        ("another password", NEW, "wrong-password", "/currentPassword"),
        (PASSWORD, "short", "weak-password", "/newPassword"),
        (PASSWORD, "ann@example.com", "weak-password", "/newPassword"),
        (PASSWORD, PASSWORD, "weak-password", "/newPassword"),
    ],
)
def test_a_refusal_says_at_which_password(ann: Api, current: str, new: str, code: str, pointer: str) -> None:
    answer = _change(ann, current, new)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert ann.log_in().status_code == 200


def test_wrong_ones_count_as_failed_logins_do(ann: Api, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 3

    answers = [_change(ann, "wrong").status_code for _ in range(3)]

    assert answers == [400, 400, 400]
    assert (_change(ann).status_code, ann.log_in().status_code) == (429, 429)
    failed = Event.objects.filter(type="auth.login_failed").latest("id")
    assert failed.data["reason"] == "wrong_current_password"


def test_a_change_forgets_the_failures_before_it(ann: Api) -> None:
    _change(ann, "wrong")

    _change(ann)

    assert not Throttle.objects.filter(key__startswith="login:").exists()


def test_who_has_no_password_is_told_to_set_one_by_a_reset(ann: Api) -> None:
    User.objects.update(password=None)

    answer = _change(ann)

    assert (answer.status_code, answer.json()["code"]) == (409, "no-password")
    assert "by mail" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_wins_and_one_is_told(settings: Any) -> None:
    settings.HASH_CONCURRENCY = 30
    tokens = [Api().sign_up()["session"]["accessToken"], Api().log_in().json()["session"]["accessToken"]]

    def change(number: int) -> int:
        return int(_change(Api(tokens[number]), new=f"password number {number}").status_code)

    statuses = together(change, count=2)

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400, 401}
    assert Session.objects.filter(ended_at=None).count() == 1
    assert Event.objects.filter(type="auth.password_changed").count() == 1
