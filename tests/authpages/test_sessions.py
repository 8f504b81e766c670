"""Access tokens, refresh tokens and the session behind both."""

import base64
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import RefreshToken, Role, Session, SigningKey, User
from authpages.signing_keys import _Keys
from events.models import Event
from fastgen_backend import vault
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


def test_the_parent_repeated_at_once_yields_the_same_child(api: Api, settings: Any) -> None:
    settings.REFRESH_REPEAT_SECONDS = 60
    first = api.sign_up()["session"]["refreshToken"]

    children = {_refresh(api, first).json()["session"]["refreshToken"] for _ in range(3)}

    assert len(children) == 1


def test_the_same_child_comes_also_after_the_key_was_rotated(api: Api, settings: Any) -> None:
    settings.REFRESH_REPEAT_SECONDS = 60
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
    assert Event.objects.order_by("-id")[0].data["appId"] is None
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


def test_last_seen_is_written_at_most_once_a_minute(api: Api) -> None:
    api.sign_up()
    Session.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))

    api.get("/auth/me")
    seen = Session.objects.get().last_seen_at
    api.get("/auth/me")

    assert timezone.now() - seen < timedelta(minutes=1)
    assert Session.objects.get().last_seen_at == seen


def _opened(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_an_access_token_says_who_is_logged_in_and_nothing_else(api: Api, settings: Any) -> None:
    User.objects.get(pk=api.sign_up()["user"]["id"]).roles.add(Role.objects.create(name="Editor", name_key="editor"))
    before = int(time.time())
    answer = api.log_in().json()

    header, claims = (json.loads(_opened(part)) for part in answer["session"]["accessToken"].split(".")[:2])

    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": str(SigningKey.objects.get().pk)}
    assert before <= claims["iat"] <= time.time()
    assert len(claims["jti"]) == 32
    assert claims == {
        "iss": settings.BASE_URL,
        "aud": settings.BASE_URL,
        "sub": answer["user"]["id"],
        "sid": answer["session"]["id"],
        "jti": claims["jti"],
        "iat": claims["iat"],
        "exp": claims["iat"] + 900,
        "roles": ["Editor"],
        "email": "ann@example.com",
        "email_verified": False,
    }
    assert answer["session"]["expiresIn"] == 900


def test_no_two_access_tokens_have_the_same_id(api: Api) -> None:
    tokens = [api.sign_up()["session"]["accessToken"], api.log_in().json()["session"]["accessToken"]]

    assert len({json.loads(_opened(token.split(".")[1]))["jti"] for token in tokens}) == 2


def test_an_access_token_is_verified_with_the_public_key_alone(api: Api) -> None:
    signed, _, signature = api.sign_up()["session"]["accessToken"].rpartition(".")
    private = load_pem_private_key(vault.decrypt(bytes(SigningKey.objects.get().private_key)), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    public = private.public_key()

    public.verify(_opened(signature), signed.encode(), PKCS1v15(), SHA256())  # raises where it is another's

    assert public.key_size == 2048


def test_the_signing_key_is_sealed_in_the_database(api: Api, settings: Any) -> None:
    api.sign_up()
    sealed = bytes(SigningKey.objects.get().private_key)

    settings.SECRET_KEY = "another key of more than 32 characters"

    assert b"PRIVATE KEY" not in sealed
    with pytest.raises(InvalidToken):
        vault.decrypt(sealed)


def test_processes_that_start_at_once_sign_with_one_key(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, generate = threading.Barrier(2), rsa.generate_private_key

    def generate_when_both_have_found_none(**options: int) -> rsa.RSAPrivateKey:
        both.wait(60)
        return generate(**options)

    def kid(process: _Keys) -> str:
        try:
            return str(process.current().kid)
        finally:
            connection.close()

    monkeypatch.setattr(rsa, "generate_private_key", generate_when_both_have_found_none)

    with ThreadPoolExecutor(2) as pool:
        kids = list(pool.map(kid, [_Keys(), _Keys()]))

    assert kids == [str(SigningKey.objects.get().pk)] * 2
