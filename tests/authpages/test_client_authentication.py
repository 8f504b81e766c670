"""How an app shows at the token endpoint, and where else it comes by itself, which one it is."""

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from authpages.models import Session, Throttle
from tests.authpages.app_client import FORM, AppClient, basic, confidential_app, public_app, send
from tests.authpages.oauth import CALLBACK, VERIFIER
from tests.conftest import Api

PATHS = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]


@pytest.fixture
def server(db: None) -> AppClient:
    """A confidential app that may call our API."""
    return confidential_app(scopes=["users:read"])


def unencoded(client_id: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"


def ask(path: str = "/oauth/token", *, authorization: str = "", **form: str) -> Any:
    headers = {"authorization": authorization} if authorization else {}
    return send(path, {"grant_type": "client_credentials", "token": "x", **form}, **headers)


@pytest.mark.parametrize("spell", [basic, unencoded])
def test_basic_is_understood_form_encoded_and_as_it_is(server: AppClient, spell: Any) -> None:
    assert ask(authorization=spell(server.id, server.secret)).status_code == 200


def test_a_secret_may_be_sent_in_the_body(server: AppClient) -> None:
    assert ask(client_id=server.id, client_secret=server.secret).status_code == 200


def test_basic_may_stand_beside_the_same_client_id(server: AppClient) -> None:
    assert ask(authorization=basic(server.id, server.secret), client_id=server.id).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_two_ways_at_once_are_refused(server: AppClient, path: str) -> None:
    header = basic(server.id, server.secret)

    answers = [
        ask(path, authorization=header, client_id=server.id, client_secret=server.secret),
        ask(path, authorization=header, client_id=public_app().id),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(400, "invalid_request")] * 2


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"client_id": "nobody"},
        {"client_id": "01a21e5d-4921-7a35-ae3a-ed3d7a84b4f2", "client_secret": "x"},
        {"authorization": "Basic"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"authorization": "Bearer something"},
        {"authorization": basic("nobody", "x")},
    ],
)
def test_nobody_is_told_so(db: None, path: str, shown: dict[str, str]) -> None:
    answer = ask(path, **shown)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("secret", ["", "wrong"])
def test_a_confidential_app_without_its_secret_is_refused(server: AppClient, path: str, secret: str) -> None:
    answers = [ask(path, client_id=server.id, client_secret=secret), ask(path, authorization=basic(server.id, secret))]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(401, "invalid_client")] * 2


@pytest.mark.parametrize("path", PATHS)
def test_a_public_app_with_a_secret_is_refused(db: None, path: str) -> None:
    app = public_app()

    answers = [ask(path, client_id=app.id, client_secret="x"), ask(path, authorization=basic(app.id, "x"))]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(401, "invalid_client")] * 2


@pytest.mark.parametrize("path", PATHS)
def test_no_secret_is_taken_from_the_address(server: AppClient, path: str) -> None:
    client = Client(headers={"host": "127.0.0.1:8000"})
    query = urlencode({"client_id": server.id, "client_secret": server.secret})

    answer = client.post(f"{path}?{query}", urlencode({"grant_type": "client_credentials"}), content_type=FORM)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "body" in answer.json()["error_description"]


def test_wrong_secrets_are_throttled_and_shut_nobody_out(server: AppClient, settings: Any) -> None:
    settings.CLIENT_FAILURES_PER_ADDRESS_PER_HOUR = 2

    wrong = [ask(client_id=server.id, client_secret=f"guess {number}") for number in range(4)]

    assert [answer.status_code for answer in wrong] == [401, 401, 429, 429]
    assert (wrong[3].json()["error"], int(wrong[3].headers["Retry-After"]) > 3000) == ("temporarily_unavailable", True)
    assert server.client_credentials().status_code == 200


def test_who_is_no_app_of_ours_leaves_no_count(db: None) -> None:
    ask(authorization=basic("nobody", "x"))

    assert not Throttle.objects.exists()


def test_a_stranger_does_not_spend_the_code_of_an_app(api: Api, server: AppClient) -> None:
    api.sign_up()
    form = {"grant_type": "authorization_code", "code": server.code(), "redirect_uri": CALLBACK}
    form["code_verifier"] = VERIFIER

    wrong = send("/oauth/token", form, authorization=basic(server.id, "wrong"))
    right = send("/oauth/token", form, authorization=basic(server.id, server.secret))

    assert (wrong.status_code, right.status_code) == (401, 200)
    assert Session.objects.get().ended_at is None
