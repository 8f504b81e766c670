"""Checklist, OAuth and the callback, where apps come by themselves: 37 to 40, and 47."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import AuthorizationCode, RefreshToken, Session
from events.models import Event
from tests.authpages.app_client import AppClient, confidential_app, public_app, userinfo
from tests.authpages.conftest import Visitor
from tests.authpages.oauth import CALLBACK, VERIFIER
from tests.conftest import Api

KINDS = {"public": public_app, "confidential": confidential_app}


@pytest.fixture(params=KINDS)
def app(request: pytest.FixtureRequest, visitor: Visitor) -> AppClient:
    """An app of each kind, with Ann logged in in her browser."""
    visitor.sign_up()
    return KINDS[request.param]()


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("verifier", [VERIFIER, ""])
def test_37_a_verifier_without_challenge_is_refused(app: AppClient, verifier: str) -> None:
    assert refusal(app.exchange(app.code(code_challenge=""), code_verifier=verifier)) == (400, "invalid_grant")


def test_37_the_verifier_of_another_login_of_the_same_app_is_refused(app: AppClient) -> None:
    own, injected = app.code(), app.code(code_challenge="A" * 43)

    assert refusal(app.exchange(injected)) == (400, "invalid_grant")
    assert app.exchange(own).status_code == 200


@pytest.mark.parametrize("late", [False, True])
def test_38_a_second_use_ends_the_session_with_all_that_came_of_it(
    app: AppClient, visitor: Visitor, late: bool, told: Callable[[], list[str]]
) -> None:
    code = app.code()
    tokens = app.exchange(code).json()
    newest = app.refresh(tokens["refresh_token"]).json()
    if late:
        AuthorizationCode.objects.update(expires_at=timezone.now() - timedelta(minutes=5))

    assert refusal(app.exchange(code)) == (400, "invalid_grant")

    assert Session.objects.get().end_reason == "code_reused"
    assert [userinfo(each["access_token"]).status_code for each in (tokens, newest)] == [401, 401]
    assert refusal(app.refresh(newest["refresh_token"])) == (400, "invalid_grant")
    assert visitor.get("/account").status_code == 303
    assert told()[-2:] == ["auth.session_ended", "auth.token_reused"]
    event = Event.objects.order_by("-id")[0]
    assert (event.actor, event.data["appId"], event.data["appName"]) == (f"app:{app.id}", app.id, "Notes")


def test_38_a_code_of_another_app_is_good_for_nothing_and_ends_nothing(app: AppClient) -> None:
    other, code = public_app(name="Other"), app.code()

    assert refusal(other.exchange(code)) == (400, "invalid_grant")
    tokens = app.exchange(code).json()
    assert refusal(other.exchange(code)) == (400, "invalid_grant")

    assert userinfo(tokens["access_token"]).status_code == 200


OTHER_URIS = {
    "a byte more": f"{CALLBACK}/",
    "a byte less": CALLBACK[:-1],
    "another case": CALLBACK.replace("notes", "Notes"),
    "encoded otherwise": CALLBACK.replace("callback", "%63allback"),
    "a query": f"{CALLBACK}?",
    "a space": f"{CALLBACK} ",
}


@pytest.mark.parametrize("uri", OTHER_URIS)
def test_38_a_code_is_bound_to_the_redirect_uri_byte_for_byte(app: AppClient, uri: str) -> None:
    code = app.code()

    assert refusal(app.exchange(code, redirect_uri=OTHER_URIS[uri])) == (400, "invalid_grant")
    assert app.exchange(code).status_code == 200


GRANTS = [
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:device_code",
    "authorization_code ",
    "\u00e9",
]


@pytest.mark.parametrize("grant", GRANTS)
def test_39_there_is_no_password_grant_and_none_but_ours(app: AppClient, grant: str) -> None:
    form = {"grant_type": grant, "username": "ann@example.com", "password": "correct horse battery staple"}

    assert refusal(app.post("/oauth/token", form)) == (400, "unsupported_grant_type")


def test_40_the_refresh_token_of_an_app_rotates_and_its_replay_ends_the_session(
    app: AppClient, told: Callable[[], list[str]]
) -> None:
    first = app.tokens()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    newest = app.refresh(second).json()

    assert refusal(app.refresh(first)) == (400, "invalid_grant")

    assert Session.objects.get().end_reason == "token_reused"
    assert refusal(app.refresh(newest["refresh_token"])) == (400, "invalid_grant")
    assert userinfo(newest["access_token"]).status_code == 401
    assert told()[-2:] == ["auth.session_ended", "auth.token_reused"]
    assert Event.objects.order_by("-id")[0].data["appId"] == app.id


def test_40_a_refresh_token_is_good_once(app: AppClient) -> None:
    token = app.tokens()["refresh_token"]
    app.refresh(token)
    RefreshToken.objects.filter(used_at__isnull=False).update(used_at=timezone.now() - timedelta(minutes=1))

    assert refusal(app.refresh(token)) == (400, "invalid_grant")


def test_40_the_refresh_token_of_another_app_is_refused_and_ends_nothing(app: AppClient) -> None:
    other, tokens = public_app(name="Other"), app.tokens()
    used = app.refresh(tokens["refresh_token"]).json()

    answers = [other.refresh(each["refresh_token"]) for each in (tokens, used)]

    assert [refusal(answer) for answer in answers] == [(400, "invalid_grant")] * 2
    assert Session.objects.get().ended_at is None
    assert app.refresh(used["refresh_token"]).status_code == 200


def test_40_refreshing_moves_the_absolute_end_of_no_session_that_apps_hold(app: AppClient) -> None:
    token = app.tokens()["refresh_token"]
    end = timezone.now() + timedelta(hours=1)
    Session.objects.update(expires_at=end)

    token = app.refresh(token).json()["refresh_token"]

    assert Session.objects.get().expires_at == end
    Session.objects.update(expires_at=timezone.now())
    assert refusal(app.refresh(token)) == (400, "invalid_grant")


def test_40_apps_give_tokens_back(app: AppClient, visitor: Visitor) -> None:
    tokens = app.tokens()

    assert app.revoke(tokens["refresh_token"]).status_code == 200

    assert refusal(app.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert userinfo(tokens["access_token"]).status_code == 401
    assert visitor.get("/account").status_code == 200


def test_47_tokens_and_secrets_of_apps_are_in_no_log(
    app: AppClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    code = app.code()
    tokens = app.exchange(code).json()
    app.exchange(code)
    app.refresh(tokens["refresh_token"])
    app.introspect(tokens["access_token"])
    Api(tokens["access_token"]).get("/auth/me")

    said = caplog.text + "".join(capfd.readouterr())
    hidden = [app.secret, code, VERIFIER, *(tokens[name] for name in ("access_token", "refresh_token", "id_token"))]

    assert [each for each in hidden if each and each in said] == []
