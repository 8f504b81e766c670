"""A public installation: https everywhere, behind proxies that are believed only where the settings say so."""

import http.client
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.test import Client

from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD
from tests.fastgen_backend.conftest import settings_of
from tests.processes import PATIENCE, Running, wait_for

SITE = "https://auth.example.com"
TLS = {"x-forwarded-proto": "https"}


@pytest.fixture
def public(db: None, settings: Any) -> Callable[..., Client]:
    """Applies the settings that follow from an https address and the proxies named; tells who calls from 127.0.0.1."""

    def behind(proxies: str) -> Client:
        usual = settings_of()
        for name, value in settings_of(BASE_URL=SITE, TRUSTED_PROXIES=proxies).items():
            if value != usual[name]:
                setattr(settings, name, value)
        return Client(headers={"host": "auth.example.com"})

    return behind


@pytest.mark.parametrize("proxies", ["1", "2", "127.0.0.0/8", "10.0.0.0/8,127.0.0.1"])
def test_a_trusted_proxy_is_believed_that_the_client_came_by_https(public: Callable[..., Client], proxies: str):
    assert public(proxies).get("/login", headers=TLS).status_code == 200


@pytest.mark.parametrize("proxies", ["", "0", "10.0.0.0/8", "::1"])
def test_others_are_not(public: Callable[..., Client], proxies: str):
    assert public(proxies).get("/login", headers=TLS).status_code == 301


@pytest.mark.parametrize("scheme", ["http", "", "https;", "on"])
def test_a_client_who_came_otherwise_is_sent_to_https(public: Callable[..., Client], scheme: str):
    assert public("1").get("/login", headers={"x-forwarded-proto": scheme}).status_code == 301


def test_the_scheme_is_believed_beside_the_client_s_address(public: Callable[..., Client]):
    answer = public("127.0.0.1").get("/login", headers={**TLS, "x-forwarded-for": "192.0.2.7"})

    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["auth.example.com", "auth.example.com:8080", "AUTH.example.com"])
def test_http_leads_to_the_same_page_of_the_public_address(public: Callable[..., Client], host: str):
    answer = public("").get("/login?next=/account", headers={"host": host, "x-forwarded-host": "evil.example"})

    assert (answer.status_code, answer["Location"]) == (301, f"{SITE}/login?next=/account")


def test_http_under_a_foreign_name_leads_nowhere(public: Callable[..., Client]):
    answer = public("").get("/login", headers={"host": "evil.example"})

    assert (answer.status_code, answer.has_header("Location")) == (400, False)


def test_probes_are_answered_without_tls(public: Callable[..., Client]):
    assert public("").get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/api/v1/auth/me", "/static/shared.css", "/nothing"])
def test_every_answer_over_https_keeps_the_browser_there(public: Callable[..., Client], path: str):
    answer = public("1").get(path, headers=TLS)
    answer.close()  # of a file that nobody reads

    assert answer["Strict-Transport-Security"] == "max-age=31536000"


def test_an_answer_over_http_says_nothing_of_that(public: Callable[..., Client]):
    answer = public("1").get("/login")  # RFC 6797, 7.2: browsers would not listen

    assert not answer.has_header("Strict-Transport-Security")


def test_subdomains_are_kept_there_too_where_the_setting_says_so(db: None, settings: Any):
    made = settings_of(BASE_URL=SITE, HSTS_SUBDOMAINS="on")
    settings.SECURE_HSTS_SECONDS = made["SECURE_HSTS_SECONDS"]
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = made["SECURE_HSTS_INCLUDE_SUBDOMAINS"]

    answer = Client(headers={"host": "127.0.0.1:8000"}).get("/login", secure=True)

    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_an_http_address_is_served_as_it_is(client: Client, db: None):
    answer = client.get("/login", headers={"host": "127.0.0.1:8000"})

    assert (answer.status_code, answer.has_header("Strict-Transport-Security")) == (200, False)


def test_every_cookie_is_bound_to_the_host_and_to_https(public: Callable[..., Client]):
    public("1")
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    visitor = Visitor(SITE)

    visitor.sign_up()
    visitor.log_in("root@example.com", at="/console/login")

    cookies = visitor.client.cookies
    assert set(cookies) == {f"__Host-fastgen_{name}" for name in ("csrf", "session", "pending", "console", "device")}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")  # else browsers refuse the prefix


def test_a_cookie_that_is_taken_back_is_bound_likewise(public: Callable[..., Client]):
    public("1")
    visitor = Visitor(SITE)
    visitor.sign_up()

    visitor.send("/logout")

    cookie = visitor.client.cookies["__Host-fastgen_session"]
    assert (cookie.value, cookie["secure"], cookie["path"]) == ("", True, "/")


def test_the_server_behind_a_proxy_that_ends_tls(start: Callable[..., Running]):
    running = start(BASE_URL=SITE, EMAIL_URL="smtp://127.0.0.1:9", TRUSTED_PROXIES="1")
    assert wait_for(lambda: f"running at {SITE}" in running.out.read_text()), running.err.read_text()

    over_tls, plain = _get(running.port, "/login", TLS), _get(running.port, "/login?a=b", {})

    (cookie,) = SimpleCookie(over_tls.headers["Set-Cookie"]).values()
    assert (over_tls.status, over_tls.headers["Strict-Transport-Security"]) == (200, "max-age=31536000")
    assert (cookie.key, cookie["secure"], cookie["httponly"]) == ("__Host-fastgen_csrf", True, True)
    assert (plain.status, plain.headers["Location"]) == (301, f"{SITE}/login?a=b")


def _get(port: int, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        server.request("GET", path, headers={"host": "auth.example.com"} | headers)
        answer = server.getresponse()
        answer.read()
        return answer
    finally:
        server.close()
