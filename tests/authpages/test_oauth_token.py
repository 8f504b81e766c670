"""The token endpoint: what an app gets for a code, for a refresh token and for itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from authpages.models import AppSession, AuthorizationCode, RefreshToken, Session
from tests.authpages.app_client import AppClient, confidential_app, public_app, read_claims, refusal, userinfo
from tests.authpages.oauth import CALLBACK, make_app
from tests.conftest import Api


@pytest.fixture
def person(api: Api) -> Any:
    """Ann, who has one session."""
    return api.sign_up()["user"]


@pytest.fixture
def app(person: Any) -> AppClient:
    """An app of ours that keeps no secret."""
    return public_app()


@pytest.mark.parametrize("make", [public_app, confidential_app])
def test_a_code_becomes_tokens_and_the_person(person: Any, api: Api, make: Any) -> None:
    app = make()

    answer = app.exchange(app.code())

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), answer.content
    told = answer.json()
    assert {name: told[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "openid email profile",
    }
    assert told["user"] == api.get("/auth/me").json()
    assert read_claims(told["id_token"])["sub"] == person["id"]
    assert userinfo(told["access_token"]).json()["email"] == "ann@example.com"
    assert app.refresh(told["refresh_token"]).status_code == 200


def test_without_openid_there_is_no_id_token(app: AppClient) -> None:
    assert "id_token" not in app.tokens(scope="email")


@pytest.mark.parametrize(
    ("scope", "members"),
    [
        ("openid", {"id"}),
        ("openid email", {"id", "email", "emailVerified"}),
        ("openid profile roles", {"id", "firstName", "lastName", "locale", "roles"}),
    ],
)
def test_a_third_party_app_is_told_of_the_person_what_the_scope_allows(
    person: Any, scope: str, members: set[str]
) -> None:
    told = public_app(first_party=False).tokens(scope=scope)

    assert told["user"] == {name: person[name] for name in members}


@pytest.mark.parametrize(("scope", "stays"), [("openid", False), ("openid offline_access", True)])
def test_a_third_party_app_stays_connected_if_the_person_agreed_to_that(person: Any, scope: str, stays: bool) -> None:
    app = public_app(first_party=False)

    told = app.tokens(scope=scope)

    assert (told["scope"], "refresh_token" in told) == (scope, stays)
    assert RefreshToken.objects.filter(app_session__isnull=False).exists() == stays
    assert userinfo(told["access_token"]).status_code == 200
    assert not stays or "refresh_token" in app.refresh(told["refresh_token"], scope="openid").json()


def test_a_refresh_yields_new_tokens_for_the_same_login(app: AppClient) -> None:
    first = app.tokens()
    Session.objects.update(authenticated_at=timezone.now() + timedelta(minutes=5))

    second = app.refresh(first["refresh_token"]).json()

    before, after = (read_claims(tokens["id_token"]) for tokens in (first, second))
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert {name: after[name] for name in ("iss", "sub", "aud", "auth_time", "sid")} == {
        name: before[name] for name in ("iss", "sub", "aud", "auth_time", "sid")
    }
    assert "nonce" not in after


def test_a_refresh_may_ask_for_less_and_later_for_all_again(app: AppClient) -> None:
    tokens = app.tokens(scope="openid email")

    less = app.refresh(tokens["refresh_token"], scope="openid").json()
    again = app.refresh(less["refresh_token"]).json()

    assert (less["scope"], again["scope"]) == ("openid", "openid email")
    assert "email" not in userinfo(less["access_token"]).json()
    assert "email" in userinfo(again["access_token"]).json()


def test_a_refresh_for_more_is_refused_and_spends_nothing(app: AppClient) -> None:
    token = app.tokens(scope="openid")["refresh_token"]

    refused = app.refresh(token, scope="openid email")

    assert refusal(refused) == (400, "invalid_scope")
    assert app.refresh(token).status_code == 200


def test_a_refresh_repeated_in_time_yields_the_same_child(app: AppClient, settings: Any) -> None:
    settings.REFRESH_REPEAT_SECONDS = 60
    token = app.tokens()["refresh_token"]

    children = [app.refresh(token).json()["refresh_token"] for _ in range(2)]

    assert children[0] == children[1]
    assert app.refresh(children[0]).status_code == 200


def test_apps_and_the_api_refresh_their_own_tokens_alone(api: Api, app: AppClient) -> None:
    tokens = app.tokens()
    own = api.log_in().json()["session"]

    assert api.post("/auth/refresh", {"refreshToken": tokens["refresh_token"]}).status_code == 401
    assert refusal(app.refresh(own["refreshToken"])) == (400, "invalid_grant")

    assert api.post("/auth/refresh", {"refreshToken": own["refreshToken"]}).status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_an_app_that_holds_a_session_many_times_loses_what_it_held_first(app: AppClient) -> None:
    first = app.tokens()
    held = [app.tokens() for _ in range(20)]

    assert AppSession.objects.alive(timezone.now()).count() == 20
    assert refusal(app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert userinfo(first["access_token"]).status_code == 401
    assert app.refresh(held[0]["refresh_token"]).status_code == 200


def test_a_code_is_good_for_a_minute(app: AppClient) -> None:
    code = app.code()
    AuthorizationCode.objects.update(expires_at=timezone.now())

    assert refusal(app.exchange(code)) == (400, "invalid_grant")
    assert Session.objects.get().ended_at is None


def test_a_code_of_a_session_that_ended_is_good_for_nothing(app: AppClient, api: Api) -> None:
    code = app.code()
    api.post("/auth/logout")

    assert refusal(app.exchange(code)) == (400, "invalid_grant")


def test_an_app_gets_a_token_for_itself(db: None) -> None:
    app = confidential_app(scopes=["users:read", "events:read"])

    answer = app.client_credentials()

    told = answer.json()
    assert (answer.status_code, set(told)) == (200, {"access_token", "token_type", "expires_in", "scope"})
    assert told["scope"] == "users:read events:read"
    assert read_claims(told["access_token"])["sub"] == app.id
    assert not RefreshToken.objects.exists()


@pytest.mark.parametrize("given", [["users:read", "events:read"], ["*"]])
def test_an_app_may_ask_for_some_of_its_scopes(db: None, given: list[str]) -> None:
    app = confidential_app(scopes=given)

    told = app.client_credentials(scope="users:read").json()

    assert told["scope"] == "users:read"
    assert Api(told["access_token"]).get("/users").status_code == 200
    assert Api(told["access_token"]).get("/events").status_code == 403


@pytest.mark.parametrize("scope", ["users:write", "*", "openid", "users:read tables:read"])
def test_an_app_gets_no_scope_that_it_was_not_given(db: None, scope: str) -> None:
    answer = confidential_app(scopes=["users:read"]).client_credentials(scope=scope)

    assert refusal(answer) == (400, "invalid_scope")
    assert "users:read" in answer.json()["error_description"]


def test_an_app_without_scopes_of_its_own_is_told_what_to_do(db: None) -> None:
    answer = confidential_app().client_credentials()

    assert refusal(answer) == (400, "unauthorized_client")
    assert "admin" in answer.json()["error_description"]


def test_a_public_app_gets_no_token_for_itself(db: None) -> None:
    assert refusal(public_app().client_credentials()) == (400, "unauthorized_client")


def test_a_bug_tells_nothing_of_us(app: AppClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(**_: Any) -> None:
        raise RuntimeError("secret internals")

    code = app.code()
    monkeypatch.setattr("authpages.oauth.code_grant.exchange_code", break_down)

    answer = app.exchange(code)

    assert refusal(answer) == (500, "server_error")
    assert b"internals" not in answer.content


class Gone(Exception):
    """As psycopg says that no server answers."""

    sqlstate = None


def test_a_database_that_is_away_is_said_to_be_so(app: AppClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_client_id: str) -> None:
        raise OperationalError from Gone()

    monkeypatch.setattr("authpages.oauth.client_authentication.find_app", ask)

    answer = app.refresh("x")

    assert refusal(answer) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_the_cost_of_an_exchange_and_a_refresh(app: AppClient, django_assert_max_num_queries: Any) -> None:
    app.refresh(app.tokens()["refresh_token"])  # so that the signing key is there
    code = app.code()

    with django_assert_max_num_queries(11):
        token = app.exchange(code).json()["refresh_token"]
    with django_assert_max_num_queries(9):
        app.refresh(token)


def test_the_redirect_uri_is_the_one_that_the_code_was_sent_to(person: Any) -> None:
    app = AppClient(make_app(redirect_uris=[CALLBACK, f"{CALLBACK}/2"]))

    assert refusal(app.exchange(app.code(), redirect_uri=f"{CALLBACK}/2")) == (400, "invalid_grant")
