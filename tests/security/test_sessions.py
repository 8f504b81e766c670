"""Checklist, sessions: 25 to 30."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import Session
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api
from tests.security.conftest import PAGES


def _log_in(visitor: Visitor, cookie_name: str) -> str:
    assert visitor.log_in().status_code == 303
    return str(visitor.client.cookies[cookie_name].value)


def test_25_a_session_has_256_bits_and_a_new_id_at_login(visitor: Visitor, api: Api, settings: Any) -> None:
    api.sign_up()

    cookies = [_log_in(visitor, settings.SESSION_COOKIE_NAME) for _ in range(2)]

    assert cookies[0] != cookies[1]
    assert {len(cookie) for cookie in cookies} == {43}


def test_25_a_browser_keeps_no_id_that_it_was_given_before_login(visitor: Visitor, api: Api, settings: Any) -> None:
    api.sign_up()
    visitor.client.cookies[settings.SESSION_COOKIE_NAME] = "planted"

    _log_in(visitor, settings.SESSION_COOKIE_NAME)

    thief = Visitor()
    thief.client.cookies[settings.SESSION_COOKIE_NAME] = "planted"
    assert thief.get("/account").status_code == 303


def test_25_a_session_has_a_new_id_after_reauthentication(visitor: Visitor, api: Api, settings: Any) -> None:
    api.sign_up()
    stolen = _log_in(visitor, settings.SESSION_COOKIE_NAME)
    page = visitor.get("/account").content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}

    answer = visitor.client.post("/account/password", {"csrfmiddlewaretoken": token, **passwords})

    assert (answer.status_code, visitor.get("/account").status_code) == (303, 200)
    thief = Visitor()
    thief.client.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert thief.get("/account").status_code == 303


def test_26_a_session_has_an_absolute_limit_of_100_days(api: Api) -> None:
    api.sign_up()

    session = Session.objects.get()

    assert session.expires_at - session.created_at == timedelta(days=100)


@pytest.mark.parametrize(("member", "days"), [("expires_at", 0), ("last_seen_at", 30)])
def test_26_a_session_ends_at_its_absolute_and_its_idle_limit(api: Api, member: str, days: int) -> None:
    api.sign_up()
    limit = timezone.now() - timedelta(days=days)

    Session.objects.update(**{member: limit + timedelta(minutes=1)})
    before = api.get("/auth/me").status_code
    Session.objects.update(**{member: limit})
    after = api.get("/auth/me").status_code

    assert (before, after) == (200, 401)


def test_27_logout_kills_the_session_on_the_server(visitor: Visitor, api: Api, settings: Any) -> None:
    api.sign_up()
    stolen = _log_in(visitor, settings.SESSION_COOKIE_NAME)

    visitor.send("/logout")

    thief = Visitor()
    thief.client.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert thief.get("/account").status_code == 303


@pytest.mark.parametrize("end", ["block", "delete", "end-sessions"])
def test_27_a_block_a_delete_or_an_admin_kills_every_session(
    visitor: Visitor, api: Api, key: Callable[..., Api], settings: Any, end: str
) -> None:
    signed_up = api.sign_up()
    _log_in(visitor, settings.SESSION_COOKIE_NAME)
    program, ann = key("users:write"), f"/users/{signed_up['user']['id']}"

    answer = program.delete(ann) if end == "delete" else program.post(f"{ann}/{end}")

    assert answer.status_code in {200, 204}
    assert visitor.get("/account").status_code == 303
    assert api.get("/auth/me").status_code == 401
    assert api.post("/auth/refresh", {"refreshToken": signed_up["session"]["refreshToken"]}).status_code == 401


def test_27_an_admin_kills_one_session_and_no_other(
    visitor: Visitor, api: Api, key: Callable[..., Api], settings: Any
) -> None:
    signed_up = api.sign_up()
    _log_in(visitor, settings.SESSION_COOKIE_NAME)
    session = f"/users/{signed_up['user']['id']}/sessions/{signed_up['session']['id']}"

    assert key("users:write").delete(session).status_code == 204

    assert api.post("/auth/refresh", {"refreshToken": signed_up["session"]["refreshToken"]}).status_code == 401
    assert visitor.get("/account").status_code == 200


def test_28_people_list_and_end_their_sessions(api: Api) -> None:
    api.sign_up()
    thief = Api(api.log_in().json()["session"]["accessToken"])
    [stolen, _own] = api.get("/auth/sessions").json()["items"]

    assert api.delete(f"/auth/sessions/{stolen['id']}").status_code == 204

    assert thief.get("/auth/me").status_code == 401
    assert [each["current"] for each in api.get("/auth/sessions").json()["items"]] == [True]


def test_28_a_session_left_open_does_not_tell_the_password(api: Api, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 2
    api.sign_up()

    guesses = [
        api.post("/auth/password/change", {"currentPassword": f"guess {number}", "newPassword": "mine from now on"})
        for number in range(3)
    ]

    assert [guess.status_code for guess in guesses] == [400, 400, 429]
    assert api.get("/auth/me").status_code == 200


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "https://auth.example.com"], indirect=True)
def test_29_cookies_have_the_host_prefix_and_are_secure_where_that_can_be(db: None, base_url: str) -> None:
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    visitor = Visitor(base_url)

    visitor.log_in()
    visitor.send("/verify-email", email="ann@example.com")
    visitor.log_in("root@example.com", at="/console/login")

    secure = base_url.startswith("https:")
    prefix = "__Host-fastgen_" if secure else "fastgen_"
    assert set(visitor.client.cookies) == {
        prefix + name for name in ("csrf", "session", "device", "pending", "console")
    }
    for cookie in visitor.client.cookies.values():
        assert (bool(cookie["secure"]), cookie["httponly"]) == (secure, True)
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")


def test_30_a_visitor_has_no_session(visitor: Visitor, settings: Any) -> None:
    for path in PAGES:
        visitor.get(path)

    assert settings.SESSION_COOKIE_NAME not in visitor.client.cookies
    assert not Session.objects.exists()
