"""Access tokens, refresh tokens and the session behind both."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import RSAKey

from authpages.models import RefreshToken, Role, Session, User
from authpages.tokens import _keys
from tests.conftest import Api


def _refresh(api: Api, token: str) -> Any:
    return api.post("/auth/refresh", {"refreshToken": token})


def test_a_session_check_is_one_query_roles_included(api: Api) -> None:
    user = api.sign_up()["user"]
    for name in ("support", "editor"):
        User.objects.get().roles.add(Role.objects.create(name=name, name_key=name))

    with CaptureQueriesContext(connection) as queries:
        answer = api.get("/auth/me")

    assert answer.json()["id"] == user["id"]
    assert answer.json()["roles"] == ["editor", "support"]
    assert len(queries) == 1


def test_a_refresh_rotates_the_token(api: Api) -> None:
    first = api.sign_up()["session"]

    second = _refresh(api, first["refreshToken"]).json()["session"]

    assert second["id"] == first["id"]
    assert second["refreshToken"] != first["refreshToken"]
    api.token = second["accessToken"]
    assert api.get("/auth/me").status_code == 200


def test_the_parent_repeated_at_once_yields_the_same_child(api: Api) -> None:
    first = api.sign_up()["session"]["refreshToken"]

    children = {_refresh(api, first).json()["session"]["refreshToken"] for _ in range(3)}

    assert len(children) == 1


def test_the_same_child_comes_also_after_the_key_was_rotated(api: Api, settings: Any) -> None:
    first = api.sign_up()["session"]["refreshToken"]
    child = _refresh(api, first).json()["session"]["refreshToken"]
    api.sign_up("bea@example.com")

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key of more than 32 characters"

    assert _refresh(api, first).json()["session"]["refreshToken"] == child


@pytest.mark.parametrize("age", ["late", "grandparent"])
def test_an_old_token_ends_the_session_and_is_an_event(api: Api, told: Callable[[], list[str]], age: str) -> None:
    first = api.sign_up()["session"]["refreshToken"]
    newest = _refresh(api, first).json()["session"]
    if age == "late":
        RefreshToken.objects.filter(used_at__isnull=False).update(used_at=timezone.now() - timedelta(seconds=11))
    else:
        newest = _refresh(api, newest["refreshToken"]).json()["session"]

    answer = _refresh(api, first)

    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
    assert told()[-2:] == ["auth.session_ended", "auth.token_reused"]
    assert Session.objects.get().end_reason == "token_reused"
    assert _refresh(api, newest["refreshToken"]).status_code == 401
    api.token = newest["accessToken"]
    assert api.get("/auth/me").status_code == 401


def test_logout_ends_the_session_on_the_server(api: Api, told: Callable[[], list[str]]) -> None:
    session = api.sign_up()["session"]

    assert api.post("/auth/logout").status_code == 204

    assert api.get("/auth/me").status_code == 401
    assert _refresh(api, session["refreshToken"]).status_code == 401
    assert told()[-1] == "auth.user_loggedOut"


@pytest.mark.parametrize("change", ["expired", "idle", "blocked", "deleted"])
def test_what_ends_a_session_ends_its_tokens_at_once(api: Api, change: str) -> None:
    session = api.sign_up()["session"]
    match change:
        case "expired":
            Session.objects.update(expires_at=timezone.now())
        case "idle":
            Session.objects.update(last_seen_at=timezone.now() - timedelta(days=31))
        case "blocked":
            User.objects.update(blocked=True)
        case "deleted":
            User.objects.all().delete()

    assert api.get("/auth/me").status_code == 401
    assert _refresh(api, session["refreshToken"]).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "fgk_" + "x" * 43, "ü", "x" * 9000])
def test_a_token_that_is_not_ours_is_401(api: Api, token: str) -> None:
    answer = api.call("GET", "/auth/me", authorization=f"Bearer {token}")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unsigned(header: dict[str, Any], payload: str, algorithm: str) -> str:
    return f"{_base64(json.dumps({**header, 'alg': algorithm}).encode())}.{payload}"


def _forged(token: str, forge: str) -> str:
    """A token like `token`, in which one thing is wrong."""
    _, payload, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    ours, own = _keys.current(), RSAKey.generate_key(2048)
    header: dict[str, Any] = {"alg": "RS256", "typ": "at+jwt", "kid": ours.kid}
    hmac_signed = _unsigned(header, payload, "HS256")

    def signed(key: RSAKey = ours, header_change: dict[str, Any] | None = None, **claim_changes: Any) -> str:
        return jwt.encode({**header, **(header_change or {})}, {**claims, **claim_changes}, key, algorithms=["RS256"])

    variants = {
        "none": lambda: _unsigned(header, payload, "none") + ".",
        "hmac with the public key": lambda: (
            f"{hmac_signed}.{_base64(hmac.digest(ours.as_pem(private=False), hmac_signed.encode(), 'sha256'))}"
        ),
        "key of one's own": lambda: signed(own),
        "key in the header": lambda: signed(own, {"jwk": own.as_dict(private=False)}),
        "unknown kid": lambda: signed(header_change={"kid": "nobody"}),
        "other type": lambda: signed(header_change={"typ": "JWT"}),
        "other audience": lambda: signed(aud="app"),
        "other issuer": lambda: signed(iss="https://evil.example"),
        "expired": lambda: signed(exp=int(time.time()) - 61),
        "other person": lambda: signed(sub=claims["sid"]),
        "truncated": lambda: token[:-4],
    }
    return variants[forge]()


@pytest.mark.parametrize(
    "forge",
    [
        *("none", "hmac with the public key", "key of one's own", "key in the header", "unknown kid", "other type"),
        *("other audience", "other issuer", "expired", "other person", "truncated"),
    ],
)
def test_a_forged_token_is_401(api: Api, forge: str) -> None:
    token = api.sign_up()["session"]["accessToken"]

    api.token = _forged(token, forge)

    assert api.get("/auth/me").status_code == 401


def test_last_seen_is_written_at_most_once_a_minute(api: Api) -> None:
    api.sign_up()
    Session.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))

    api.get("/auth/me")
    seen = Session.objects.get().last_seen_at
    api.get("/auth/me")

    assert timezone.now() - seen < timedelta(minutes=1)
    assert Session.objects.get().last_seen_at == seen
