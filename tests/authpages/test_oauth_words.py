"""What developers are told when their app asks wrongly: what is wrong, and what to do about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import override_settings
from django.utils import timezone

from authpages.models import AuthorizationCode, Session
from authpages.services.signing_keys import publish_new_keys, replace_keys, take_back_keys
from authpages.signing_keys import ES256, RS256, make_first_key
from authpages.tokens import forget_keys
from tests.authpages.app_client import AppClient, confidential_app, public_app, refusal, send, userinfo
from tests.authpages.oauth import CALLBACK, VERIFIER
from tests.conftest import Api

LOGIN = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


@pytest.fixture
def app(api: Api) -> AppClient:
    """An app of ours that keeps no secret, with Ann logged in."""
    api.sign_up()
    return public_app()


def words_of(answer: Any) -> str:
    assert refusal(answer)[0] in {400, 401, 403}
    return str(answer.json()["error_description"])


WRONG = {
    "no code": ({"code": ""}, "Send the code that came to the redirect_uri."),
    "a code that is none": (
        {"code": "x"},
        "This app was given no such code. Send it as it came, and with its own client_id.",
    ),
    "another redirect URI": (
        {"redirect_uri": f"{CALLBACK}/"},
        "Send the redirect_uri of the authorization request, letter for letter.",
    ),
    "no verifier": (
        {"code_verifier": ""},
        "Send the code_verifier that the code_challenge was made of (PKCE, RFC 7636).",
    ),
    "a verifier that is too short": (
        {"code_verifier": "a" * 42},
        "A code_verifier has 43 to 128 characters: letters, digits and any of - . _ ~",
    ),
    "another verifier": (
        {"code_verifier": "a" * 43},
        "This is not the code_verifier that the code_challenge of this login was made of.",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_of_a_code_it_is_said_what_is_wrong_and_what_to_do(app: AppClient, mistake: str) -> None:
    changed, words = WRONG[mistake]
    code = app.code()

    assert words_of(app.post("/oauth/token", {**LOGIN, "code": code} | changed)) == words
    assert app.exchange(code).status_code == 200


@pytest.mark.parametrize(
    ("name", "told"), [("code", "The parameter code"), ('"', "A parameter"), ("n" * 41, "A parameter")]
)
def test_what_stands_twice_is_named_where_it_has_a_name(app: AppClient, name: str, told: str) -> None:
    twice = urlencode([(name, "1"), (name, "2"), ("client_id", app.id)])

    assert words_of(send("/oauth/token", twice)) == f"{told} stands there more than once; send each one once."


def test_the_code_of_another_app_is_told_as_one_that_is_none(app: AppClient) -> None:
    code = public_app(name="Other").code()

    assert words_of(app.exchange(code)) == WRONG["a code that is none"][1]


def test_a_public_app_is_told_why_it_gets_no_token_for_itself(app: AppClient) -> None:
    words = "This app is public, so anyone could come as it: make a confidential app."

    assert words_of(app.client_credentials()) == words
    assert words_of(confidential_app().client_credentials()) != words


ENDED = "This app's access was taken back, or given back, while the session goes on; begin the login anew."
NOT_GOOD: dict[str, tuple[Callable[[AppClient], str], str]] = {
    "a refresh token": (
        lambda app: app.tokens()["refresh_token"],
        "This is no access token, which is a JWT: a refresh token is good at /oauth/token, or /auth/refresh.",
    ),
    "an ID token": (
        lambda app: app.tokens()["id_token"],
        "This is an ID token, which tells an app who logged in; send the access token.",
    ),
    "a forgery": (
        lambda app: app.tokens()["access_token"][:-4] + "AAAA",
        "The access token is malformed or not ours; refresh it or log in again.",
    ),
    "an old one": (
        lambda app: old_token(app),
        "The access token has expired; refresh it or log in again.",
    ),
    "one of a key that was taken back": (
        lambda app: token_of_a_key_taken_back(app),
        "No key of ours signed this access token, or one that was taken back; refresh it or log in again.",
    ),
    "one that the app gave back": (lambda app: token_given_back(app), ENDED),
    "one of a session that ended": (
        lambda app: token_of_an_ended_session(app),
        "This session has ended; log in again.",
    ),
}


def old_token(app: AppClient) -> str:
    with override_settings(ACCESS_TOKEN_SECONDS=-60):
        return str(app.tokens()["access_token"])


def token_of_a_key_taken_back(app: AppClient) -> str:
    token = str(app.tokens()["access_token"])
    for algorithm in (RS256, ES256):
        make_first_key(algorithm)
    keys = publish_new_keys()
    replace_keys(keys)
    take_back_keys(keys)
    forget_keys()
    return token


def token_given_back(app: AppClient) -> str:
    tokens = app.tokens()
    app.revoke(tokens["refresh_token"])
    return str(tokens["access_token"])


def token_of_an_ended_session(app: AppClient) -> str:
    token = str(app.tokens()["access_token"])
    Session.objects.update(ended_at=timezone.now(), end_reason="logout")
    return token


@pytest.mark.parametrize("token", NOT_GOOD)
def test_of_a_token_it_is_said_why_it_is_not_good(app: AppClient, token: str) -> None:
    make, words = NOT_GOOD[token]
    shown = make(app)

    of_person, at_api = userinfo(shown), Api(shown).get("/auth/me")

    assert refusal(of_person) == (401, "invalid_token")
    assert (at_api.status_code, at_api.json()["code"]) == (401, "token-invalid")
    assert of_person.json()["error_description"] == at_api.json()["detail"].replace("’", "'") == words
    assert words in of_person.headers["WWW-Authenticate"]


def test_a_key_is_told_apart_from_a_token(key: Callable[..., Api]) -> None:
    answer = userinfo(key("*").token)

    assert refusal(answer) == (401, "invalid_token")
    assert words_of(answer) == "This is an API key, which is no person's; send an access token."


def test_what_an_app_has_for_itself_is_told_apart_from_what_it_has_for_a_person(db: None) -> None:
    server = confidential_app(scopes=["users:read"])
    api = Api(server.client_credentials().json()["access_token"])

    refused = api.get("/auth/me").json()
    server.app.delete()

    assert refused["detail"] == (
        "This is for people: send a person’s access token, not an API key or a token that an app has for itself."
    )
    assert api.get("/users").json()["detail"].startswith("The app was deleted, ")


def test_what_needs_a_scope_says_that_the_token_of_an_app_may_have_it(db: None) -> None:
    api = Api(confidential_app(scopes=["users:read"]).client_credentials().json()["access_token"])

    assert [api.get(path).json()["detail"] for path in ("/events", f"/imports/{uuid4()}")] == [
        "This needs the console, or an API key or app with the scope events:read.",
        "This needs the console, or an API key or app with the scope rows:read or rows:write.",
    ]


def test_the_words_about_an_ended_access_keep_no_session_awake(app: AppClient) -> None:
    token = token_given_back(app)
    Session.objects.update(last_seen_at=timezone.now() - timedelta(days=1))
    before = Session.objects.get().last_seen_at

    userinfo(token)
    Api(token).get("/auth/me")

    assert Session.objects.get().last_seen_at == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda app, code: app.exchange(code),
            "This code was used before, so what came of it has ended; send each once, and begin the login anew.",
        ),
        (
            lambda app, code: AuthorizationCode.objects.update(expires_at=timezone.now()),
            "This code is older than 60 seconds; begin the login anew.",
        ),
        (
            lambda app, code: Session.objects.update(ended_at=timezone.now(), end_reason="logout"),
            "The session that this code was made for has ended; begin the login anew.",
        ),
    ],
    ids=["used", "too old", "of a session that ended"],
)
def test_a_code_that_was_good_says_why_it_is_not_any_more(app: AppClient, spoil: Any, words: str) -> None:
    code = app.code()
    spoil(app, code)

    answer = app.exchange(code)

    assert refusal(answer) == (400, "invalid_grant")
    assert words_of(answer) == words


def test_a_refresh_token_that_was_used_before_says_so(app: AppClient) -> None:
    first = app.tokens()["refresh_token"]
    app.refresh(app.refresh(first).json()["refresh_token"])

    words = [words_of(app.refresh(first)), words_of(app.refresh("x"))]

    assert words == [
        "This refresh token was used before, so what came of it has ended; keep the newest, and log in again.",
        "This refresh token is not valid any more; log in again.",
    ]
