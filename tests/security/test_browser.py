"""Checklist, everything else: what browsers are kept from (48, 49)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from authpages.models import HostedAuthSettings, Session, User
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api
from tests.security.conftest import PAGES

HTTPS = "https://auth.example.com"
FORMS = [
    *("/signup", "/login", "/logout", "/verify-email", "/forgot-password", "/reset-password", "/account"),
    *("/account/profile", "/account/password", "/account/sessions/end-others"),
    *("/console/login", "/console/setup", "/console/logout", "/console/settings"),
]


@pytest.fixture
def admin(visitor: Visitor) -> Visitor:
    """A browser that is logged in everywhere: as an admin in the console, and on the hosted pages."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    assert visitor.log_in("root@example.com", at="/console/login").status_code == 303
    assert visitor.log_in("root@example.com").status_code == 303
    return visitor


@pytest.mark.parametrize("path", FORMS)
def test_48_every_form_is_checked_for_forgery(admin: Visitor, path: str) -> None:
    body = {"email": "ann@example.com", "password": PASSWORD, "token": "x", "product_name": "Evil"}

    answer = admin.client.post(path, body)

    assert answer.status_code == 403
    assert User.objects.count() == 1
    assert Session.objects.filter(ended_at=None).count() == 2
    assert HostedAuthSettings.load().product_name == "Fastgen"


@pytest.mark.parametrize("path", FORMS)
def test_48_no_form_is_sent_from_another_site(admin: Visitor, path: str) -> None:
    admin.get("/login")
    token = str(admin.client.cookies["fastgen_csrf"].value)

    answer = admin.client.post(path, {"csrfmiddlewaretoken": token}, headers={"origin": "https://evil.example"})

    assert answer.status_code == 403


def test_48_a_console_cookie_alone_changes_nothing(admin: Visitor) -> None:
    path = "/api/v1/settings/hosted-auth"
    assert admin.get(path).status_code == 200

    answer = admin.client.patch(path, {"productName": "Mine"}, content_type="application/json")

    assert answer.status_code == 403
    assert HostedAuthSettings.load().product_name == "Fastgen"


@pytest.mark.parametrize(
    "path", ["signup", "login", "logout", "refresh", "email-verification/submit", "password-reset/submit"]
)
def test_48_what_changes_something_answers_no_get(api: Api, path: str) -> None:
    api.sign_up()

    assert api.get(f"/auth/{path}").status_code == 405
    assert api.get("/auth/me").status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/openapi.json", "/no/such/page"])
def test_49_headers_that_browsers_heed(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("base_url", [HTTPS], indirect=True)
def test_49_browsers_are_told_to_use_https_for_a_year(db: None, base_url: str) -> None:
    answer = Visitor(base_url).get("/login")

    assert answer["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("base_url", [HTTPS], indirect=True)
def test_49_plain_http_is_sent_to_https(db: None, base_url: str) -> None:
    answer = Visitor(base_url.replace("https:", "http:")).get("/login?a=b")

    assert answer["Location"] == "https://auth.example.com/login?a=b"


def test_49_pages_over_plain_http_do_not_speak_of_https(visitor: Visitor) -> None:
    assert "Strict-Transport-Security" not in visitor.get("/login").headers


@pytest.mark.parametrize("path", PAGES)
def test_49_pages_hold_no_inline_script_or_style(visitor: Visitor, path: str) -> None:
    assert _inline_or_foreign(visitor.get(path)) == []


def test_49_nor_do_those_behind_a_login(admin: Visitor) -> None:
    answers = {path: admin.get(path) for path in ["/account", "/api/docs", *_of_the_console()]}

    pages = {path: answer for path, answer in answers.items() if answer.status_code == 200}
    assert {"/account", "/api/docs", "/console/settings", "/console/keys", "/console/inbox"} <= set(pages)
    assert {path: found for path, page in pages.items() if (found := _inline_or_foreign(page))} == {}
    assert [path for path, page in pages.items() if "unsafe" in page["Content-Security-Policy"]] == []


def test_48_nothing_in_the_console_is_posted_without_its_token(admin: Visitor) -> None:
    answers = {path: admin.client.post(path, {"name": "Evil"}).status_code for path in _of_the_console()}

    assert {path: status for path, status in answers.items() if status not in {403, 405}} == {}


def _of_the_console() -> list[str]:
    """Every address of the console that names nothing in particular."""
    return [path for path in _addresses(get_resolver().url_patterns) if path.startswith("/console") and "<" not in path]


def _addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for each in patterns:
        path = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from _addresses(each.url_patterns, path)
        else:
            yield path


def _inline_or_foreign(page: Any) -> list[str]:
    """What a page holds that is inline, or comes from another host."""
    assert page.status_code == 200
    marks = r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|(?:src|href)=\"(?:https?:)?//"
    return re.findall(marks, page.content.decode())
