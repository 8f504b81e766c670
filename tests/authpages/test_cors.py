"""Pages of the settings' origins may call with tokens, and read refusals too; cookies are of no use to them."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from authpages.models import HostedAuthSettings
from fastgen_backend.errors import TooBusy
from tests.authpages.conftest import Visitor
from tests.conftest import Api

APP = "https://app.example.com"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
STRANGERS = [
    "null",
    "https://app.example.com.evil.example",
    "https://evil.example/https://app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com:443",  # browsers leave that out
    "https://APP.example.com",
    "https://app.example.com/",
    "https://sub.app.example.com",
    "https://app.example.com, https://app.example.com",
    "https://app.example.com\x00",
    "http://127.0.0.1:3000",
    "",
]


@pytest.fixture(autouse=True)
def _allowed(hosted: HostedAuthSettings) -> None:
    hosted.callback_url = "https://app.example.com/back"
    hosted.save()


def _ask(path: str, origin: str, method: str = "GET", **headers: str) -> Any:
    return Api().client.generic(method, path, headers={"origin": origin, **headers})


def _preflight(path: str, origin: str) -> Any:
    return _ask(path, origin, "OPTIONS", **PREFLIGHT)


def _cors(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.items() if name.startswith("Access-Control-")}


@pytest.mark.parametrize("path", ["/api/v1/auth/me", "/oauth/token", "/oauth/userinfo", "/oauth/revoke"])
def test_a_browser_that_asks_whether_it_may_is_told_so(path: str):
    with CaptureQueriesContext(connection) as queries:
        answer = _preflight(path, APP)

    assert (answer.status_code, answer.content, len(queries)) == (204, b"", 1)
    assert answer["Access-Control-Allow-Origin"] == APP
    assert {"Authorization", "Content-Type", "If-Match"} <= set(answer["Access-Control-Allow-Headers"].split(", "))
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer["Access-Control-Allow-Methods"].split(", "))
    assert answer["Access-Control-Max-Age"] == "7200"
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("origin", STRANGERS)
def test_others_get_no_header_that_would_let_them_read(origin: str):
    asked, told = _preflight("/api/v1/auth/me", origin), _ask("/api/v1/auth/me", origin)

    assert _cors(asked) == _cors(told) == {}
    assert told.status_code == 401
    assert "Origin" in told["Vary"]


def test_others_who_ask_are_told_what_to_do():
    answer = _preflight("/api/v1/auth/me", "http://127.0.0.1:3000")

    assert (answer.status_code, answer.json()["code"]) == (403, "origin-not-allowed")
    assert "http://127.0.0.1:3000" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/oauth/authorize", "/oauth/introspect", "/oauth/forward-auth", "/oauth/logout", "/login", "/account"]
)
def test_what_is_no_business_of_pages_elsewhere_has_no_such_headers(path: str):
    assert _cors(_preflight(path, APP)) == _cors(_ask(path, APP)) == {}


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server", "jwks.json"])
def test_what_everybody_may_know_is_open_to_all(name: str):
    path = f"/.well-known/{name}"
    with CaptureQueriesContext(connection) as queries:
        asked = _preflight(path, "https://evil.example")
    told = _ask(path, "https://evil.example")

    assert (asked.status_code, len(queries)) == (204, 0)
    assert asked["Access-Control-Allow-Origin"] == told["Access-Control-Allow-Origin"] == "*"
    assert told.status_code == 200
    assert "Origin" not in told.headers.get("Vary", "")  # one copy in a cache is good for all


def test_the_spelling_of_browsers_counts_whatever_the_settings_have(hosted: HostedAuthSettings):
    hosted.callback_url = "https://App.Example.com:443/back"
    hosted.save()

    assert _cors(_ask("/api/v1/auth/me", APP)) != {}


def test_origins_that_were_given_count_instead_of_those_of_the_urls(hosted: HostedAuthSettings):
    hosted.allowed_origins = ["http://localhost:5173"]
    hosted.save()

    assert _cors(_ask("/api/v1/auth/me", "http://localhost:5173")) != {}
    assert _cors(_ask("/api/v1/auth/me", APP)) == {}


def _refusals(key: Callable[..., Api]) -> dict[int, Any]:
    person, weak = Api(), key("rows:read")
    person.sign_up()
    from_app: dict[str, Any] = {"origin": APP}
    with mock.patch("authpages.api.views.log_in", side_effect=TooBusy("Wait.", retry_after=3)):
        busy = Api().post("/auth/login", {"email": "ann@example.com", "password": "x" * 8}, **from_app)
    return {
        200: person.call("GET", "/auth/me", **from_app),
        400: Api().post("/auth/login", {"who": "ann"}, **from_app),
        401: Api().call("GET", "/auth/me", **from_app),
        403: weak.call("GET", "/users", **from_app),
        404: Api().call("GET", "/no/such/thing", **from_app),
        405: person.call("PUT", "/auth/me", **from_app),
        411: Api().call("POST", "/auth/login", raw=b"", **from_app, **{"transfer-encoding": "chunked"}),
        413: Api().post("/auth/login", "x" * 1_000_001, **from_app),
        415: Api().call("POST", "/auth/login", raw=b"x", **from_app, **{"content-type": "text/plain"}),
        503: busy,
    }


def test_a_page_can_read_every_kind_of_refusal(key: Callable[..., Api]):
    answers = _refusals(key)

    assert {status: answer.status_code for status, answer in answers.items()} == {each: each for each in answers}
    for answer in answers.values():
        assert answer["Access-Control-Allow-Origin"] == APP
        assert {"Retry-After", "ETag", "X-Request-Id"} <= set(answer["Access-Control-Expose-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Origin" in answer["Vary"]


def test_a_page_can_read_what_the_endpoints_of_tokens_refuse():
    client = Api().client
    refused = client.post("/oauth/token", {"grant_type": "authorization_code"}, headers={"origin": APP})
    nobody = client.get("/oauth/userinfo", headers={"origin": APP})
    stranger = client.get("/oauth/userinfo", headers={"origin": "https://evil.example"})

    assert refused.status_code in {400, 401}
    assert nobody.status_code == stranger.status_code == 401
    assert refused["Access-Control-Allow-Origin"] == nobody["Access-Control-Allow-Origin"] == APP
    assert _cors(stranger) == {}


def test_an_error_of_ours_can_be_read_too():
    with mock.patch("authpages.api.views.MeView.get", side_effect=RuntimeError):
        person = Api()
        person.sign_up()
        answer = person.call("GET", "/auth/me", origin=APP)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (500, APP)


def test_it_takes_one_query_and_none_without_an_origin_of_elsewhere():
    def queries(**headers: Any) -> int:
        with CaptureQueriesContext(connection) as made:
            person.call("GET", "/auth/me", **headers)
        return len(made)

    person = Api()
    person.sign_up()
    alone = queries()

    assert queries(origin=APP) == queries(origin="https://evil.example") == alone + 1
    assert queries(origin="http://127.0.0.1:8000") == alone


@pytest.mark.parametrize("origin", [APP, "https://evil.example", "null"])
def test_a_console_cookie_gains_nothing_for_a_page_elsewhere(admin: Visitor, origin: str):
    token = str(admin.client.cookies["fastgen_csrf"].value)
    for path in ("/api/v1/users", "/api/v1/settings/hosted-auth"):
        assert admin.get(path).status_code == 200
        assert admin.client.get(path, headers={"origin": origin}).status_code == 401

    forged = admin.client.patch(
        "/api/v1/settings/hosted-auth",
        {"productName": "Mine"},
        content_type="application/json",
        headers={"origin": origin, "x-csrftoken": token},
    )

    assert forged.status_code == 401
    assert HostedAuthSettings.load().product_name == "Fastgen"


def test_answers_hand_no_cookie_to_a_page_elsewhere(admin: Visitor):
    answer = admin.client.get("/api/v1/users", headers={"origin": APP})

    assert not answer.cookies


def test_while_the_database_is_away_a_page_known_before_reads_that_it_is():
    api = Api()
    assert _cors(api.call("GET", "/auth/me", origin=APP))
    away = OperationalError()
    away.__cause__ = Exception()  # psycopg's, where no server spoke, has no SQLSTATE
    vars(away.__cause__)["sqlstate"] = None

    with mock.patch("authpages.services.allowed_origins.HostedAuthSettings.load", side_effect=away):
        answer = api.call("GET", "/auth/me", origin=APP)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, APP)
