"""What an ID token tells an app, and userinfo after it."""

import base64
import hashlib
import json
import time
from typing import Any

import pytest
from authlib.oidc.core import CodeIDToken
from django.test import Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from authpages import signing_keys
from authpages.models import Role, Session, User
from authpages.services.app_sessions import end_app_session
from tests.authpages.app_client import FORM, AppClient, confidential_app, public_app, read_claims, userinfo
from tests.conftest import Api


@pytest.fixture
def app(api: Api) -> AppClient:
    """An app of ours, to which Ann Lee, an editor, may log in."""
    api.sign_up()
    api.patch("/auth/me", {"firstName": "Ann", "lastName": "Lee", "locale": "de"})
    User.objects.get().roles.add(Role.objects.create(name="editor", name_key="editor"))
    return public_app()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_an_id_token_is_what_openid_connect_asks_for(app: AppClient, algorithm: str) -> None:
    app.app.id_token_algorithm = algorithm
    app.app.save()
    session, before = Session.objects.get(), int(time.time())

    tokens = app.tokens(scope="openid", nonce="of this login")

    key = signing_keys.current_key(algorithm)
    decoded = jwt.decode(tokens["id_token"], key, algorithms=[algorithm])
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()
    assert decoded.header == {"alg": algorithm, "typ": "JWT", "kid": key.kid}
    issued_at = decoded.claims.pop("iat")
    assert before <= issued_at <= time.time()
    assert decoded.claims.pop("exp") == issued_at + 900
    assert decoded.claims == {
        "iss": "http://127.0.0.1:8000",
        "aud": app.id,
        "sub": str(session.user_id),
        "sid": str(session.pk),
        "auth_time": int(session.created_at.timestamp()),
        "nonce": "of this login",
        "acr": "aal1",
        "amr": ["pwd"],
        "at_hash": base64.urlsafe_b64encode(digest[:16]).decode().rstrip("="),
    }


def test_an_app_that_sent_no_nonce_gets_none(app: AppClient) -> None:
    assert "nonce" not in read_claims(app.tokens(nonce="")["id_token"])


CLAIMS: dict[str, dict[str, Any]] = {
    "openid": {},
    "openid email": {"email": "ann@example.com", "email_verified": False},
    "openid profile": {"name": "Ann Lee", "given_name": "Ann", "family_name": "Lee", "locale": "de"},
    "openid roles": {"roles": ["editor"]},
}


@pytest.mark.parametrize("scope", CLAIMS)
@pytest.mark.parametrize("first_party", [True, False])
def test_id_token_and_userinfo_tell_what_the_scope_allows(app: AppClient, scope: str, first_party: bool) -> None:
    app.app.first_party = first_party
    app.app.save()

    tokens = app.tokens(scope=scope)

    told = userinfo(tokens["access_token"])
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    assert told.json() == {"sub": str(User.objects.get().pk), **CLAIMS[scope]}
    assert told.json().items() <= read_claims(tokens["id_token"]).items()


def test_what_is_not_known_is_left_out(app: AppClient) -> None:
    User.objects.update(first_name="", last_name="", locale="")

    assert set(userinfo(app.tokens(scope="openid profile")["access_token"]).json()) == {"sub"}


def test_a_client_library_refuses_the_id_token_of_another_login(app: AppClient) -> None:
    mine, stolen = app.tokens(nonce="mine"), app.tokens(nonce="of the thief")

    _check(app, mine, nonce="mine")
    with pytest.raises(JoseError):
        _check(app, stolen, nonce="mine")


def test_a_client_library_refuses_an_access_token_that_the_id_token_was_not_made_with(app: AppClient) -> None:
    mine, other = app.tokens(), app.tokens()

    with pytest.raises(JoseError):
        _check(app, mine | {"access_token": other["access_token"]}, nonce="a nonce")


def _check(app: AppClient, tokens: Any, nonce: str) -> None:
    """What authlib's client does with what it gets for a code."""
    keys = KeySet([signing_keys.current_key()])
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    params = {"nonce": nonce, "client_id": app.id, "access_token": tokens["access_token"]}
    known = {"iss": {"values": ["http://127.0.0.1:8000"]}}
    CodeIDToken(decoded.claims, decoded.header, known, params).validate(leeway=0)


def test_userinfo_takes_the_token_from_the_body_of_a_post(app: AppClient) -> None:
    token = app.tokens()["access_token"]
    client = Client(headers={"host": "127.0.0.1:8000"}, enforce_csrf_checks=True)

    by_form = client.post("/oauth/userinfo", f"access_token={token}", content_type=FORM)
    by_header = client.post("/oauth/userinfo", headers={"authorization": f"Bearer {token}"})

    assert by_form.json() == by_header.json() == userinfo(token).json()


def test_userinfo_takes_no_token_from_the_address_nor_two(app: AppClient) -> None:
    token = app.tokens()["access_token"]
    client = Client(headers={"host": "127.0.0.1:8000"})
    header = {"authorization": f"Bearer {token}"}

    in_address = client.get(f"/oauth/userinfo?access_token={token}")
    twice = client.post("/oauth/userinfo", f"access_token={token}", content_type=FORM, headers=header)

    assert (in_address.status_code, in_address.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")


def test_who_shows_no_token_is_asked_for_one(db: None) -> None:
    answers = [userinfo(), userinfo(authorization="Basic eDp5"), userinfo(authorization="Bearer ")]

    assert [(each.status_code, each.headers["WWW-Authenticate"]) for each in answers] == [(401, "Bearer")] * 3


@pytest.mark.parametrize("token", ["x", "a.b.c", "\u00e9", "fgk_something"])
def test_a_token_that_is_none_is_invalid(db: None, token: str) -> None:
    answer = userinfo(token)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_without_openid_or_without_an_app_or_a_person_is_not_enough(app: AppClient, api: Api) -> None:
    server = confidential_app(scopes=["*"])
    tokens = [
        app.tokens(scope="email")["access_token"],
        api.token,
        server.client_credentials().json()["access_token"],
    ]

    answers = [userinfo(token) for token in tokens]

    assert [(each.status_code, each.json()["error"]) for each in answers] == [(403, "insufficient_scope")] * 3
    assert all('error="insufficient_scope"' in each.headers["WWW-Authenticate"] for each in answers)


def test_an_id_token_is_no_access_token(app: AppClient, api: Api) -> None:
    api.token = app.tokens()["id_token"]

    assert userinfo(api.token).status_code == 401
    assert api.get("/auth/me").status_code == 401


def test_what_an_app_holds_no_more_tells_nothing(app: AppClient) -> None:
    token = app.tokens()["access_token"]

    end_app_session(app_session=app.app.app_sessions.get())

    assert (userinfo(token).status_code, Session.objects.get().ended_at) == (401, None)


def test_userinfo_costs_one_query(app: AppClient, django_assert_num_queries: Any) -> None:
    token = app.tokens()["access_token"]

    with django_assert_num_queries(1):
        answer = userinfo(token)

    assert json.loads(answer.content)["email"] == "ann@example.com"


def test_other_methods_are_405(db: None) -> None:
    answer = Client(headers={"host": "127.0.0.1:8000"}).delete("/oauth/userinfo")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
