"""Checklist, OAuth and the callback, as far as there is any: 36, 41 and 45."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.core.mail import EmailMultiAlternatives

from authpages.services.auth_requests import resolve_due
from authpages.services.users import create_user
from events.handlers import load_handlers
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api
from tests.events.conftest import work_until
from tests.security.conftest import PAGES

FOREIGN = ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/%09//evil.example"]


@pytest.mark.parametrize(
    ("path", "landing"), [("/signup", "/account"), ("/login", "/account"), ("/console/login", "/console")]
)
@pytest.mark.parametrize("next", FOREIGN)
def test_36_no_open_redirector(visitor: Visitor, path: str, landing: str, next: str) -> None:
    admin = "root@example.com"
    create_user(email=admin, password=PASSWORD, admin=True, origin=COMMAND_LINE)
    email = "ann@example.com" if path == "/signup" else admin
    address = f"{path}?next={quote(next)}"

    page = visitor.get(address)
    answer = visitor.send(address, email=email, password=PASSWORD, next=next)

    assert page.status_code == 200
    assert (answer.status_code, answer["Location"]) == (303, landing)


def test_36_a_callback_without_https_is_for_this_machine_alone(key: Callable[..., Api]) -> None:
    urls = ["https://app.example.com/", "http://127.0.0.1:3000/", "http://app.example.com/"]

    answers = [key("settings:write").patch("/settings/hosted-auth", {"callbackUrl": url}) for url in urls]

    assert [answer.status_code for answer in answers] == [200, 200, 400]


@pytest.mark.parametrize("path", PAGES)
def test_41_pages_are_neither_framed_nor_stored(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_41_answers_that_hold_tokens_are_not_stored(api: Api) -> None:
    session = api.sign_up()["session"]

    answers = [api.log_in(), api.post("/auth/refresh", {"refreshToken": session["refreshToken"]}), api.get("/auth/me")]

    assert [(answer.status_code, answer.headers["Cache-Control"]) for answer in answers] == [(200, "no-store")] * 3


def test_41_every_credential_post_answers_303(visitor: Visitor, api: Api, mailed: Callable[[str], str]) -> None:
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    api.sign_up()
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()

    answers = [
        visitor.sign_up("bea@example.com"),
        visitor.log_in(),
        visitor.log_in("root@example.com", at="/console/login"),
        visitor.send(f"/reset-password?token={mailed('auth.password_reset')}", password="an entirely new one"),
    ]

    assert [answer.status_code for answer in answers] == [303] * 4


def test_45_a_login_from_a_new_device_or_after_many_failures_is_mailed(
    transactional_db: None, settings: Any, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    load_handlers()
    settings.LOGIN_FREE_FAILURES = 2
    body = {"email": "ann@example.com", "password": PASSWORD}
    create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    Api().log_in()

    Api().post("/auth/login", body, **{"user-agent": "curl/8.5.0"})
    Api().log_in(password="wrong")
    settings.LOGIN_FREE_FAILURES = 1
    Api().log_in()

    assert work_until(lambda: len(mailoutbox) == 2)
    assert sorted(mail.subject.split(" to ")[0] for mail in mailoutbox) == ["New login", "Someone logged in"]
    assert {mail.to[0] for mail in mailoutbox} == {"ann@example.com"}
