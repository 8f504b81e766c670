"""Users over REST: made, read, changed and deleted by programs."""

from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import OneTimeLink, User
from authpages.services.auth_requests import resolve_due
from events.models import Event, EventSecret
from tests.conftest import PASSWORD, Api

NOBODY = "/users/01890000-0000-7000-8000-000000000000"
NEW = {"email": "bob@example.com", "password": PASSWORD}
EVERYTHING = {
    "email": "Bob@example.com",
    "firstName": "Bob",
    "lastName": "Baker",
    "emailVerified": True,
    "roles": ["editor"],
    "locale": "pt-BR",
    "metadata": {"plan": "free"},
    "appMetadata": {"crm": 7},
    "blocked": True,
}


@pytest.fixture
def program(key: Callable[..., Api]) -> Api:
    return key("users:read", "users:write")


@pytest.fixture
def ann(api: Api) -> str:
    """The path of Ann, who signed up as `api`."""
    return f"/users/{api.sign_up()['user']['id']}"


@pytest.fixture
def changes(db: None) -> Callable[[], Any]:
    """What the newest `auth.user_updated` says was changed."""
    return lambda: Event.objects.filter(type="auth.user_updated").latest("id").data["changed"]


def test_one_is_made_with_all_that_it_is_given(program: Api, told: Callable[[], list[str]]) -> None:
    program.post("/roles", {"name": "Editor"})

    made = program.post("/users", {**EVERYTHING, "password": PASSWORD})

    shown = made.json()
    assert made.status_code == 201
    assert {name: shown[name] for name in EVERYTHING} == {**EVERYTHING, "roles": ["Editor"]}
    assert (shown["admin"], shown["lastLoginAt"]) == (False, None)
    assert program.get(f"/users/{shown['id']}").json() == shown
    assert told() == ["auth.user_created"]


def test_one_that_is_made_can_log_in_and_is_not_logged_in_by_that(program: Api, api: Api) -> None:
    made = program.post("/users", NEW).json()

    assert program.get(f"/users/{made['id']}/sessions").json()["items"] == []
    assert api.log_in("bob@example.com").status_code == 200


def test_one_without_a_password_gets_in_by_a_reset(program: Api, api: Api, mailed: Callable[[str], str]) -> None:
    made = program.post("/users", {"email": "bob@example.com"}).json()

    assert program.post(f"/users/{made['id']}/send-password-reset").status_code == 202

    api.post("/auth/password-reset/submit", {"token": mailed("auth.password_reset"), "password": PASSWORD})
    assert api.log_in("bob@example.com").status_code == 200


@pytest.mark.parametrize(
    ("members", "status", "pointer", "code"),
    [
        ({"email": "ANN@example.com"}, 409, "/email", "email-taken"),
        ({"email": "bob"}, 400, "/email", "email-unusable"),
        ({"password": "short"}, 400, "/password", "weak-password"),
        ({"locale": "not a tag"}, 400, "/locale", "locale-unusable"),
        ({"roles": ["Editor"]}, 400, "/roles/0", "role-unknown"),
        ({"roles": ["x"] * 51}, 400, "/roles", "too-many"),
    ],
)
@pytest.mark.parametrize("way", ["made", "changed"])
def test_what_can_not_be_is_refused_and_changes_nothing(
    program: Api, api: Api, way: str, members: dict[str, Any], status: int, pointer: str, code: str
) -> None:
    api.sign_up()
    bob = f"/users/{program.post('/users', {**NEW, 'firstName': 'Bob'}).json()['id']}"
    given = {"firstName": "Rob", **members}

    if way == "made":
        answer = program.post("/users", {"email": "new@example.com", **given})
    else:
        answer = program.patch(bob, given)

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (status, pointer, code)
    assert not User.objects.filter(first_name="Rob").exists()


def test_a_change_tells_what_changed_and_nothing_where_nothing_did(
    program: Api, ann: str, told: Callable[[], list[str]], changes: Callable[[], list[str]]
) -> None:
    program.post("/roles", {"name": "Editor"})
    given = {"firstName": "Ann", "emailVerified": True, "roles": ["EDITOR"], "appMetadata": {"a": 1}}

    changed = program.patch(ann, given)
    again = program.patch(ann, given)

    assert (changed.status_code, changed.json()) == (200, again.json())
    assert (changed.json()["roles"], changed.json()["appMetadata"]) == (["Editor"], {"a": 1})
    assert changes() == ["appMetadata", "emailVerified", "firstName", "roles"]
    assert told().count("auth.user_updated") == 1
    assert "auth.email_verified" not in told()


def test_another_address_is_unverified_and_the_links_of_the_old_one_die(
    program: Api, ann: str, api: Api, changes: Callable[[], list[str]]
) -> None:
    program.patch(ann, {"emailVerified": True})

    moved = program.patch(ann, {"email": "Anna@example.com"}).json()

    assert (moved["email"], moved["emailVerified"]) == ("Anna@example.com", False)
    assert changes() == ["email", "emailVerified"]
    assert not OneTimeLink.objects.open().exists()
    assert not EventSecret.objects.exists()
    assert api.log_in("anna@example.com").status_code == 200
    assert api.log_in("ann@example.com").status_code == 401


def test_another_spelling_of_the_address_leaves_it_verified(program: Api, ann: str) -> None:
    program.patch(ann, {"emailVerified": True})

    assert program.patch(ann, {"email": "Ann@Example.com"}).json()["emailVerified"] is True


def test_a_password_that_is_set_ends_everything_of_the_old_one(
    program: Api, ann: str, api: Api, told: Callable[[], list[str]]
) -> None:
    for _ in range(10):
        api.log_in(password="wrong")

    assert program.patch(ann, {"password": "an entirely new one"}).status_code == 200

    assert api.get("/auth/me").status_code == 401
    assert not OneTimeLink.objects.open().exists()
    assert api.log_in(password="an entirely new one").status_code == 200
    assert told()[-3:] == ["auth.session_ended", "auth.password_changed", "auth.user_loggedIn"]
    assert "auth.user_updated" not in told()


def test_without_a_password_nobody_logs_in(program: Api, ann: str, api: Api) -> None:
    program.patch(ann, {"password": None})

    assert api.log_in().json()["code"] == "invalid-credentials"


def test_a_password_that_is_not_there_is_taken_away_without_a_word(
    program: Api, told: Callable[[], list[str]], mailed: Callable[[str], str], api: Api
) -> None:
    bob = f"/users/{program.post('/users', {'email': NEW['email']}).json()['id']}"
    program.post(f"{bob}/send-password-reset")
    before = told()

    assert program.patch(bob, {"password": None}).status_code == 200

    assert told() == before
    body = {"token": mailed("auth.password_reset"), "password": "an entirely new one"}
    assert api.post("/auth/password-reset/submit", body).status_code == 204


def test_who_has_to_wait_after_failures_can_try_again_at_once(program: Api, ann: str, api: Api) -> None:
    for _ in range(10):
        api.log_in(password="wrong")
    assert api.log_in().status_code == 429

    lifted = program.post(f"{ann}/lift-throttle")

    assert (lifted.status_code, lifted.json()) == (200, program.get(ann).json())
    assert api.log_in().status_code == 200


def test_a_verification_mail_goes_to_who_needs_one(program: Api, ann: str, told: Callable[[], list[str]]) -> None:
    sent = program.post(f"{ann}/send-email-verification")
    program.patch(ann, {"emailVerified": True})
    needless = program.post(f"{ann}/send-email-verification")

    assert (sent.status_code, sent.json()) == (202, {})
    assert told().count("auth.email_verificationRequested") == 2
    assert (needless.status_code, needless.json()["code"]) == (409, "already-verified")


def test_mails_have_a_limit_of_their_own_beside_what_the_person_asks_for(
    program: Api, ann: str, api: Api, settings: Any, told: Callable[[], list[str]]
) -> None:
    settings.MAILS_PER_ACCOUNT_PER_HOUR = 2
    for _ in range(3):
        api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()

    answers = [program.post(f"{ann}/send-password-reset") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert told().count("auth.password_reset:requested") == 4


def test_sessions_are_listed_and_one_of_them_ended(program: Api, ann: str, api: Api) -> None:
    other = Api(api.log_in().json()["session"]["accessToken"])
    newest = program.get(f"{ann}/sessions").json()["items"][0]

    assert program.delete(f"{ann}/sessions/{newest['id']}").status_code == 204

    assert (newest["authentication"], newest["current"]) == ("password", False)
    assert len(program.get(f"{ann}/sessions").json()["items"]) == 1
    assert (other.get("/auth/me").status_code, api.get("/auth/me").status_code) == (401, 200)
    assert program.delete(f"{ann}/sessions/{newest['id']}").status_code == 404


def test_a_session_of_somebody_else_is_not_found_by_another_person(program: Api, ann: str, key: Any) -> None:
    bob = program.post("/users", NEW).json()["id"]
    session = program.get(f"{ann}/sessions").json()["items"][0]["id"]

    assert program.delete(f"/users/{bob}/sessions/{session}").status_code == 404
    assert len(program.get(f"{ann}/sessions").json()["items"]) == 1


def test_a_deleted_user_is_gone(program: Api, ann: str, api: Api) -> None:
    assert program.delete(ann).status_code == 204

    assert program.get(ann).status_code == 404
    assert api.get("/auth/me").status_code == 401


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_user_is_not_found(program: Api, method: str) -> None:
    assert program.call(method, NOBODY, {} if method == "PATCH" else None).status_code == 404


@pytest.mark.parametrize(
    "action", ["block", "unblock", "lift-throttle", "send-email-verification", "send-password-reset", "end-sessions"]
)
def test_nothing_is_done_to_an_unknown_user(program: Api, action: str) -> None:
    assert program.post(f"{NOBODY}/{action}").status_code == 404


def test_to_read_is_not_to_write(key: Callable[..., Api], ann: str, api: Api) -> None:
    reader, stranger = key("users:read"), key("rows:read", "rows:write")

    assert reader.get(ann).status_code == reader.get(f"{ann}/sessions").status_code == 200
    assert {reader.patch(ann, {"blocked": True}).status_code, reader.post(f"{ann}/block").status_code} == {403}
    assert {stranger.get("/users").status_code, api.get("/users").status_code, Api().get("/users").status_code} == {
        401,
        403,
    }
