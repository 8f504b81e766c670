"""Checklist, OAuth and the callback: refresh tokens (40) and access tokens (42)."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import RSAKey

from authpages import signing_keys
from authpages.models import RefreshToken, Session
from tests.authpages.app_client import confidential_app, public_app, userinfo
from tests.conftest import Api


def test_40_a_refresh_token_is_good_once(api: Api) -> None:
    first = api.sign_up()["session"]["refreshToken"]
    api.post("/auth/refresh", {"refreshToken": first})
    RefreshToken.objects.filter(used_at__isnull=False).update(used_at=timezone.now() - timedelta(minutes=1))

    answer = api.post("/auth/refresh", {"refreshToken": first})

    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")


def test_40_a_replayed_refresh_token_ends_the_whole_family(api: Api) -> None:
    first = api.sign_up()["session"]["refreshToken"]
    second = api.post("/auth/refresh", {"refreshToken": first}).json()["session"]["refreshToken"]
    newest = api.post("/auth/refresh", {"refreshToken": second}).json()["session"]

    api.post("/auth/refresh", {"refreshToken": first})

    assert Session.objects.get().end_reason == "token_reused"
    assert api.post("/auth/refresh", {"refreshToken": newest["refreshToken"]}).status_code == 401
    api.token = newest["accessToken"]
    assert api.get("/auth/me").status_code == 401


def test_40_refreshing_moves_the_absolute_end_of_no_session(api: Api) -> None:
    token = api.sign_up()["session"]["refreshToken"]
    end = timezone.now() + timedelta(hours=1)
    Session.objects.update(expires_at=end)

    assert api.post("/auth/refresh", {"refreshToken": token}).status_code == 200

    assert Session.objects.get().expires_at == end


def _part(content: dict[str, Any] | bytes) -> str:
    """Base64url of bytes, or of a JSON object."""
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class Forger:
    """Makes tokens like one that is good, in which one thing is wrong; holds our key, where that is not the thing."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.claims = json.loads(base64.urlsafe_b64decode(good.split(".")[1] + "=="))
        self.ours = signing_keys.current_key()
        self.own = RSAKey.generate_key(2048)
        self.header: dict[str, Any] = {"alg": "RS256", "typ": "at+jwt", "kid": self.ours.kid}

    def like(self, *, key: RSAKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        whole = {**self.header, **(header or {})}
        return jwt.encode(whole, {**self.claims, **claims}, key or self.ours, algorithms=["RS256"])

    def unsigned(self) -> str:
        return f"{_part(self.header | {'alg': 'none'})}.{_part(self.claims)}."

    def hmac_signed(self) -> str:
        signed = f"{_part(self.header | {'alg': 'HS256'})}.{_part(self.claims)}"
        return f"{signed}.{_part(hmac.digest(self.ours.as_pem(private=False), signed.encode(), 'sha256'))}"

    def with_key_in_header(self, member: str) -> str:
        value = {
            "jwk": self.own.as_dict(private=False),
            "jku": "https://evil.example/jwks.json",
            "x5c": [base64.b64encode(self.own.as_der(private=False)).decode()],
        }[member]
        return self.like(key=self.own, header={member: value})


FORGERIES: dict[str, Callable[[Forger], str]] = {
    "no signature": Forger.unsigned,
    "HMAC with the public key": Forger.hmac_signed,
    "another RSA key": lambda forger: forger.like(key=forger.own),
    "a key in jwk": lambda forger: forger.with_key_in_header("jwk"),
    "a key at jku": lambda forger: forger.with_key_in_header("jku"),
    "a key in x5c": lambda forger: forger.with_key_in_header("x5c"),
    "an unknown kid": lambda forger: forger.like(header={"kid": "nobody"}),
    "another type": lambda forger: forger.like(header={"typ": "JWT"}),
    "another issuer": lambda forger: forger.like(iss="https://evil.example"),
    "another audience": lambda forger: forger.like(aud="app"),
    "another person": lambda forger: forger.like(sub=forger.claims["sid"]),
    "expired for longer than a minute": lambda forger: forger.like(exp=int(time.time()) - 61),
    "issued in more than a minute": lambda forger: forger.like(iat=int(time.time()) + 61),
    "a bit of the signature": lambda forger: forger.good[:-4],
}


OF_APPS: dict[str, Callable[[Forger], str]] = {
    "another hold of the session": lambda forger: forger.like(app_session=str(uuid.uuid4())),
    "another session": lambda forger: forger.like(sid=str(uuid.uuid4())),
    "no id that could be one": lambda forger: forger.like(app_session="x"),
}


@pytest.fixture
def forger(api: Api) -> Forger:
    return Forger(api.sign_up()["session"]["accessToken"])


def test_42_a_token_like_ours_in_which_nothing_is_wrong_is_taken(api: Api, forger: Forger) -> None:
    api.token = forger.like()

    assert api.get("/auth/me").status_code == 200


@pytest.mark.parametrize("forgery", FORGERIES)
def test_42_a_forged_token_is_401(api: Api, forger: Forger, forgery: str) -> None:
    api.token = FORGERIES[forgery](forger)

    answer = api.get("/auth/me")

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.fixture
def forger_of_app(api: Api) -> Forger:
    api.sign_up()
    return Forger(public_app().tokens()["access_token"])


def test_42_a_token_of_an_app_like_ours_in_which_nothing_is_wrong_is_taken(forger_of_app: Forger) -> None:
    token = forger_of_app.like()

    assert (userinfo(token).status_code, Api(token).get("/auth/me").status_code) == (200, 200)


@pytest.mark.parametrize("forgery", [*FORGERIES, *OF_APPS])
def test_42_a_forged_token_of_an_app_is_401_wherever_it_is_shown(forger_of_app: Forger, forgery: str) -> None:
    token = (FORGERIES | OF_APPS)[forgery](forger_of_app)

    answers = [userinfo(token), Api(token).get("/auth/me")]

    assert {answer.status_code for answer in answers} <= {401, 403}
    assert answers[0].status_code == 401
    assert confidential_app().introspect(token).json() == {"active": False}


def test_42_an_id_token_is_no_access_token(api: Api) -> None:
    api.sign_up()
    token = public_app().tokens()["id_token"]

    assert (userinfo(token).status_code, Api(token).get("/auth/me").status_code) == (401, 401)


def test_42_the_token_of_a_third_party_app_is_for_no_api(api: Api) -> None:
    api.sign_up()
    token = public_app(first_party=False).tokens()["access_token"]

    assert (Api(token).get("/auth/me").status_code, userinfo(token).status_code) == (403, 200)
