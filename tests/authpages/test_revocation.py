"""Apps give tokens back, and ask what one is."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import AppSession, Session, User
from tests.authpages.app_client import AppClient, confidential_app, public_app, read_claims, userinfo
from tests.authpages.oauth import ISSUER
from tests.conftest import Api


@pytest.fixture
def app(api: Api) -> AppClient:
    """An app of ours that Ann may log in to."""
    api.sign_up()
    return public_app()


@pytest.fixture
def server(db: None) -> AppClient:
    """A confidential app of ours, such as the server of an API."""
    return confidential_app()


def kinds(tokens: Any) -> list[str]:
    return [tokens["access_token"], tokens["refresh_token"]]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_either_token_revokes_all_and_leaves_the_person_logged_in(
    app: AppClient, server: AppClient, api: Api, kind: str
) -> None:
    tokens = app.tokens()

    answer = app.revoke(tokens[kind])

    assert (answer.status_code, answer.json()) == (200, {})
    assert userinfo(tokens["access_token"]).status_code == 401
    assert Api(tokens["access_token"]).get("/auth/me").status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert [server.introspect(token).json() for token in kinds(tokens)] == [{"active": False}] * 2
    assert api.get("/auth/me").status_code == 200


def test_a_refresh_token_of_before_revokes_as_well(app: AppClient) -> None:
    first = app.tokens()
    second = app.refresh(first["refresh_token"]).json()

    app.revoke(first["refresh_token"])

    assert userinfo(second["access_token"]).status_code == 401
    assert Session.objects.get().ended_at is None


def test_one_login_is_revoked_and_no_other(app: AppClient) -> None:
    gone, stays = app.tokens(), app.tokens()

    app.revoke(gone["refresh_token"])

    assert userinfo(stays["access_token"]).status_code == 200


def test_what_is_unknown_or_another_apps_is_no_error_and_ends_nothing(app: AppClient, api: Api) -> None:
    other = public_app(name="Other")
    tokens = app.tokens()
    own = api.log_in().json()["session"]
    foreign = [*kinds(tokens), own["accessToken"], own["refreshToken"], "unknown", "\u00e9", "a.b.c"]

    answers = [other.revoke(token) for token in foreign]

    assert [(each.status_code, each.json()) for each in answers] == [(200, {})] * len(foreign)
    assert userinfo(tokens["access_token"]).status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert api.post("/auth/refresh", {"refreshToken": own["refreshToken"]}).status_code == 200


def test_a_hint_is_not_needed_and_does_no_harm(app: AppClient) -> None:
    tokens = app.tokens()

    app.post("/oauth/revoke", {"token": tokens["refresh_token"], "token_type_hint": "access_token"})

    assert not AppSession.objects.alive(timezone.now()).exists()


def test_the_token_of_an_app_itself_can_not_be_revoked_and_says_so(db: None) -> None:
    app = confidential_app(scopes=["users:read"])

    answer = app.revoke(app.client_credentials().json()["access_token"])

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_token_type")


@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
def test_no_token_is_a_bad_request(server: AppClient, path: str) -> None:
    answer = server.post(path, {})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_access_token_is_told(app: AppClient, server: AppClient) -> None:
    token = app.tokens()["access_token"]

    told = server.introspect(token)

    claims = read_claims(token)
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    assert told.json() == {
        "active": True,
        "iss": ISSUER,
        "sub": str(User.objects.get().pk),
        "sid": str(Session.objects.get().pk),
        "aud": [ISSUER, app.id],
        "client_id": app.id,
        "scope": "openid email profile",
        "username": "ann@example.com",
        "token_type": "Bearer",
        **{name: claims[name] for name in ("jti", "iat", "exp")},
    }


def test_a_refresh_token_is_told_and_not_spent(app: AppClient, server: AppClient) -> None:
    token = app.tokens()["refresh_token"]

    told = server.introspect(token).json()

    assert (told["active"], told["token_type"], told["client_id"]) == (True, "refresh_token", app.id)
    assert told["exp"] == int(Session.objects.get().expires_at.timestamp())
    assert app.refresh(token).status_code == 200
    assert server.introspect(token).json() == {"active": False}


def test_tokens_of_the_api_and_of_apps_themselves_are_told_to_ours(api: Api, server: AppClient) -> None:
    own = api.sign_up()["session"]
    client = confidential_app(scopes=["users:read", "events:read"])
    token = client.client_credentials().json()["access_token"]

    told = [server.introspect(each).json() for each in (own["accessToken"], own["refreshToken"], token)]

    assert [each["active"] for each in told] == [True] * 3
    assert [each.get("client_id") for each in told] == [None, None, client.id]
    assert (told[2]["sub"], told[2]["scope"]) == (client.id, "events:read users:read")
    assert "username" not in told[2]


def test_the_token_of_an_app_whose_scopes_were_taken_is_over(db: None, server: AppClient) -> None:
    client = confidential_app(scopes=["users:read"])
    token = client.client_credentials().json()["access_token"]
    client.app.scopes = []
    client.app.save()

    assert server.introspect(token).json() == {"active": False}


def test_a_third_party_app_is_told_of_its_own_tokens_alone(app: AppClient, api: Api) -> None:
    third = confidential_app(name="Third", first_party=False)
    own, foreign = third.tokens(scope="openid offline_access"), app.tokens()

    assert [third.introspect(token).json()["active"] for token in kinds(own)] == [True, True]
    assert "username" not in third.introspect(own["access_token"]).json()
    assert third.introspect(third.tokens()["access_token"]).json()["username"] == "ann@example.com"
    for token in [*kinds(foreign), api.token]:
        assert third.introspect(token).json() == {"active": False}


def test_a_public_app_may_not_ask(app: AppClient) -> None:
    answer = app.introspect(app.tokens()["access_token"])

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("token", ["x", "a.b.c", "\u00e9", "fgk_x", "x" * 5000])
def test_what_is_no_token_is_not_active(server: AppClient, token: str) -> None:
    assert server.introspect(token).json() == {"active": False}


def test_what_is_over_is_not_active(app: AppClient, server: AppClient) -> None:
    tokens = app.tokens()
    id_token = tokens["id_token"]
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert [server.introspect(token).json() for token in [*kinds(tokens), id_token]] == [{"active": False}] * 3


def test_the_cost_of_both(app: AppClient, server: AppClient, django_assert_max_num_queries: Any) -> None:
    tokens = app.tokens()

    for token in kinds(tokens):
        with django_assert_max_num_queries(3):
            server.introspect(token)
    with django_assert_max_num_queries(13):
        app.revoke(tokens["access_token"])
