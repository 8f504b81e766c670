"""Only who may do everything reaches admins; one of them can always come in; nobody shuts themselves out."""

from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import OneTimeLink, User
from events.models import EventSecret
from tests.authpages.conftest import Visitor
from tests.authpages.test_console_over_rest import csrf_token
from tests.conftest import PASSWORD, Api

ATTEMPTS: dict[str, Callable[[Api, str], Any]] = {
    "change": lambda caller, admin: caller.patch(admin, {"firstName": "Mallory"}),
    "move": lambda caller, admin: caller.patch(admin, {"email": "mallory@example.com"}),
    "set a password": lambda caller, admin: caller.patch(admin, {"password": "known to the thief"}),
    "demote": lambda caller, admin: caller.patch(admin, {"admin": False}),
    "block": lambda caller, admin: caller.post(f"{admin}/block"),
    "unblock": lambda caller, admin: caller.post(f"{admin}/unblock"),
    "lift the throttle": lambda caller, admin: caller.post(f"{admin}/lift-throttle"),
    "delete": lambda caller, admin: caller.delete(admin),
    "reset": lambda caller, admin: caller.post(f"{admin}/send-password-reset"),
    "verify": lambda caller, admin: caller.post(f"{admin}/send-email-verification"),
    "end sessions": lambda caller, admin: caller.post(f"{admin}/end-sessions"),
    "end one": lambda caller, admin: caller.delete(f"{admin}/sessions/{admin.rpartition('/')[2]}"),
}


@pytest.fixture
def root_path(root: User) -> str:
    return f"/users/{root.pk}"


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_key_that_writes_users_reaches_no_admin(
    key: Callable[..., Api], root: User, root_path: str, told: Callable[[], list[str]], attempt: str
) -> None:
    before = told()

    answer = ATTEMPTS[attempt](key("users:read", "users:write"), root_path)

    assert (answer.status_code, answer.json()["code"]) == (403, "admin-protected")
    assert told() == before
    root.refresh_from_db()
    assert (root.is_superuser, root.email, root.first_name) == (True, "root@example.com", "")


def test_a_key_that_writes_users_makes_no_admin(key: Callable[..., Api], api: Api) -> None:
    program = key("users:read", "users:write")
    ann = api.sign_up()["user"]["id"]

    answers = [
        program.post("/users", {"email": "mallory@example.com", "admin": True}),
        program.patch(f"/users/{ann}", {"admin": True}),
    ]

    assert [answer.json()["code"] for answer in answers] == ["admin-protected"] * 2
    assert not User.objects.admins().exists()


def test_a_key_that_may_do_everything_makes_and_changes_admins(key: Callable[..., Api], root_path: str) -> None:
    program = key("*")

    made = program.post("/users", {"email": "second@example.com", "admin": True}).json()

    assert made["admin"] is True
    assert program.patch(root_path, {"admin": False}).json()["admin"] is False


@pytest.mark.parametrize("attempt", ["demote", "block", "delete"])
def test_the_last_admin_who_can_come_in_stays(key: Callable[..., Api], root_path: str, attempt: str) -> None:
    program = key("*")
    program.post("/users", {"email": "shut-out@example.com", "admin": True, "blocked": True})

    answer = ATTEMPTS[attempt](program, root_path)

    assert (answer.status_code, answer.json()["code"]) == (409, "last-admin")
    assert program.get(root_path).json()["blocked"] is False


@pytest.mark.parametrize("attempt", ["demote", "block", "delete", "set a password"])
def test_nobody_shuts_themselves_out_or_skips_their_password(
    admin: Visitor, root_path: str, key: Callable[..., Api], attempt: str
) -> None:
    key("*").post("/users", {"email": "second@example.com", "admin": True})

    answer = ATTEMPTS[attempt](InConsole(admin), root_path)

    assert (answer.status_code, answer.json()["code"]) == (409, "own-account")
    assert admin.get("/api/v1/users").status_code == 200


def test_an_admin_in_the_console_manages_others(admin: Visitor, root_path: str) -> None:
    caller = InConsole(admin)

    made = caller.post("/users", {"email": "second@example.com", "admin": True})

    assert made.status_code == 201
    assert caller.post(f"/users/{made.json()['id']}/block").status_code == 200


def test_who_becomes_an_admin_gets_new_links(key: Callable[..., Api], api: Api) -> None:
    """A program that may see people's secrets, but no admin's, could hold those on the way."""
    ann = f"/users/{api.sign_up()['user']['id']}"
    key("*").post(f"{ann}/send-password-reset")

    key("*").patch(ann, {"admin": True})

    assert not OneTimeLink.objects.open().exists()
    assert not EventSecret.objects.exists()


def test_who_is_no_admin_any_more_is_out_of_the_console_for_good(
    admin: Visitor, root: User, key: Callable[..., Api]
) -> None:
    program = key("*")
    program.post("/users", {"email": "second@example.com", "password": PASSWORD, "admin": True})

    for rank in (False, True):
        program.patch(f"/users/{root.pk}", {"admin": rank})

    assert admin.get("/console/settings").status_code == 303


class InConsole(Api):
    """Calls the API as an admin's browser does: with the cookie, and the CSRF token of a page."""

    def __init__(self, admin: Visitor) -> None:
        super().__init__()
        self.client, self.csrf = admin.client, csrf_token(admin)

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        return super().call(method, path, body, raw=raw, **{"x-csrftoken": self.csrf, **headers})
