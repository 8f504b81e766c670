"""What the tokens of apps open at our API, for a person or for the app itself; and when they end."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import ApiKey, AppSession, Session, User
from authpages.services.apps import delete_app
from authpages.services.auth_requests import resolve_due
from events.models import Event
from tests.authpages.app_client import AppClient, confidential_app, public_app, userinfo
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import PASSWORD, Api


@pytest.fixture
def app(visitor: Visitor) -> AppClient:
    """An app of ours, to which Ann logs in in her browser."""
    visitor.sign_up()
    return public_app()


@pytest.fixture
def server(db: None) -> AppClient:
    """An app that may do everything in its own name."""
    return confidential_app(name="Server", scopes=["*"])


def caller(app: AppClient) -> Api:
    return Api(app.client_credentials().json()["access_token"])


def test_a_first_party_app_calls_for_its_person(app: AppClient) -> None:
    api = Api(app.tokens(scope="openid")["access_token"])

    assert api.get("/auth/me").json()["email"] == "ann@example.com"
    assert [each["current"] for each in api.get("/auth/sessions").json()["items"]] == [True]
    assert api.patch("/auth/me", {"firstName": "Ann"}).status_code == 200


@pytest.mark.parametrize("path", ["/auth/me", "/auth/sessions", "/users", "/tables", "/events"])
def test_the_token_of_a_third_party_app_opens_userinfo_alone(visitor: Visitor, path: str) -> None:
    visitor.sign_up()
    token = public_app(first_party=False).tokens()["access_token"]

    answer = Api(token).get(path)

    assert (answer.status_code, answer.json()["code"]) == (403, "token-not-for-api")
    assert userinfo(token).status_code == 200


@pytest.mark.parametrize("code", ["token-not-for-api", "not-a-person"])
def test_openapi_tells_what_the_tokens_of_apps_do_not_open(api: Api, code: str) -> None:
    schemes = api.get("/openapi.json").json()["components"]["securitySchemes"]

    assert f"403 `{code}`" in schemes["bearer"]["description"]


def test_the_token_of_an_app_that_is_a_third_party_one_by_now_opens_nothing_here(app: AppClient) -> None:
    api = Api(app.tokens()["access_token"])
    app.app.first_party = False
    app.app.save()

    assert [api.get(path).status_code for path in ("/auth/me", "/tables")] == [401, 401]


def test_to_check_the_token_of_an_app_costs_the_one_query_that_any_does(app: AppClient, key: Any) -> None:
    assert key("tables:write").post("/tables", {"name": "Open", "access": {"list": "authenticated"}}).status_code == 201
    visitors_own = Api()
    visitors_own.sign_up("bea@example.com")
    of_app = Api(app.tokens(session=Session.objects.get(cookie_hash__isnull=False))["access_token"])

    counts = []
    for api in (visitors_own, of_app):
        api.get("/auth/me")
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/auth/me").status_code == 200
        counts.append(len(queries))

    assert counts == [1, 1]


def test_an_app_logs_its_person_out_everywhere(app: AppClient, visitor: Visitor) -> None:
    tokens = app.tokens()

    assert Api(tokens["access_token"]).post("/auth/logout").status_code == 204

    assert visitor.get("/account").status_code == 303
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_an_app_changes_a_password_and_the_browser_logs_in_anew(app: AppClient, visitor: Visitor) -> None:
    tokens = app.tokens()
    body = {"currentPassword": PASSWORD, "newPassword": PASSWORD[::-1]}

    answer = Api(tokens["access_token"]).post("/auth/password/change", body)

    session = answer.json()["session"]
    assert (answer.status_code, len(answer.cookies)) == (200, 0)
    assert visitor.get("/account").status_code == 303
    assert userinfo(session["accessToken"]).status_code == 200
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(session["refreshToken"]).status_code == 200
    assert Session.objects.get().ended_at is None


def test_a_password_that_is_changed_elsewhere_takes_the_tokens_of_apps(app: AppClient) -> None:
    tokens = app.tokens()
    other = Api()
    other.token = other.log_in().json()["session"]["accessToken"]

    other.post("/auth/password/change", {"currentPassword": PASSWORD, "newPassword": PASSWORD[::-1]})

    assert app.refresh(tokens["refresh_token"]).status_code == 400
    assert userinfo(tokens["access_token"]).status_code == 401


def _end_own(visitor: Visitor, key: Callable[..., Api], mailed: Callable[[str], str]) -> None:
    elsewhere, session = Visitor(), Session.objects.get()
    elsewhere.log_in()
    elsewhere.press("/account", f"/account/sessions/{session.pk}/end#sessions")


def _log_out(visitor: Visitor, key: Callable[..., Api], mailed: Callable[[str], str]) -> None:
    visitor.send("/logout")


def _reset(visitor: Visitor, key: Callable[..., Api], mailed: Callable[[str], str]) -> None:
    visitor.send("/forgot-password", email="ann@example.com")
    resolve_due()
    visitor.send(f"/reset-password?token={mailed('auth.password_reset')}", password="an entirely new one")


def _by_program(action: str) -> Any:
    def act(visitor: Visitor, key: Callable[..., Api], mailed: Callable[[str], str]) -> None:
        path = f"/users/{User.objects.get().pk}"
        answer = key("users:write").post(f"{path}/{action}") if action else key("users:write").delete(path)
        assert answer.status_code in {200, 204}

    return act


ENDS = {
    "its owner, on the account page": _end_own,
    "logging out": _log_out,
    "a reset": _reset,
    "a block": _by_program("block"),
    "an admin": _by_program("end-sessions"),
    "a deletion": _by_program(""),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_a_session_ends_every_token_of_an_app_at_once(
    app: AppClient, visitor: Visitor, key: Callable[..., Api], mailed: Callable[[str], str], end: str
) -> None:
    other = public_app(name="Third", first_party=False)
    held = [(each, each.tokens(scope="openid offline_access")) for each in (app, other)]
    code = app.code()

    ENDS[end](visitor, key, mailed)

    assert [each.refresh(tokens["refresh_token"]).status_code for each, tokens in held] == [400, 400]
    assert [userinfo(tokens["access_token"]).status_code for _each, tokens in held] == [401, 401]
    assert Api(held[0][1]["access_token"]).get("/auth/me").status_code == 401
    assert app.exchange(code).status_code == 400


def test_an_app_acts_in_its_own_name(server: AppClient) -> None:
    answer = caller(server).post("/users", {"email": "bea@example.com"})

    assert answer.status_code == 201
    assert Event.objects.get().actor == f"app:{server.id}"


def test_what_an_app_did_leads_to_it_while_there_is_one(server: AppClient, admin: Visitor) -> None:
    caller(server).post("/users", {"email": "bea@example.com"})
    page, app = f"/console/events/{Event.objects.get(actor__startswith='app:').public_id}", f"app:{server.id}"

    before = admin.get(page).content.decode()
    delete_app(app_id=server.app.pk)
    after = admin.get(page)

    assert f'<a href="/console/apps/{server.id}">Server</a>' in before
    assert f"{app} deleted" not in before
    assert f"Done by {app} deleted all it did" in text_of(after)


@pytest.mark.parametrize("path", ["/auth/me", "/auth/sessions"])
def test_an_app_is_no_person(server: AppClient, path: str) -> None:
    answer = caller(server).get(path)

    assert (answer.status_code, answer.json()["code"]) == (403, "not-a-person")


def test_an_app_makes_no_key_that_would_outlive_it(server: AppClient) -> None:
    answer = caller(server).post("/api-keys", {"name": "mine", "scopes": ["users:read"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "no-key-for-apps")
    assert not ApiKey.objects.exists()


def test_an_app_gives_no_app_more_than_it_has(db: None) -> None:
    narrow = confidential_app(scopes=["settings:write", "settings:read"])
    body = {"name": "Accomplice", "type": "confidential", "firstParty": True, "scopes": ["*"]}

    assert caller(narrow).post("/apps", body).status_code == 403


def test_an_app_reaches_admins_by_the_scope_of_everything_alone(server: AppClient, root: User) -> None:
    narrow = confidential_app(scopes=["users:write"])

    assert caller(narrow).patch(f"/users/{root.pk}", {"firstName": "Eve"}).status_code == 403
    assert caller(server).patch(f"/users/{root.pk}", {"firstName": "Ann"}).status_code == 200


def test_a_scope_that_is_taken_from_an_app_is_taken_at_once(server: AppClient) -> None:
    api = caller(server)
    server.app.scopes = ["events:read"]
    server.app.save()

    assert (api.get("/users").status_code, api.get("/events").status_code) == (403, 403)
    assert caller(server).get("/events").status_code == 200


def test_the_token_of_an_app_that_is_deleted_is_nobodys(server: AppClient) -> None:
    api = caller(server)
    server.app.delete()

    assert api.get("/users").status_code == 401


def test_an_app_owns_no_rows(server: AppClient) -> None:
    api = caller(server)
    api.post("/tables", {"name": "Notes", "columns": [{"name": "Text", "type": "text"}]})

    answer = api.post("/tables/notes/rows", {"text": "by an app"})

    assert (answer.status_code, answer.json()["owner"]) == (201, None)


def test_what_an_app_holds_goes_with_the_person(app: AppClient, key: Callable[..., Api]) -> None:
    app.tokens()

    key("users:write").delete(f"/users/{User.objects.get().pk}")

    assert not AppSession.objects.exists()
