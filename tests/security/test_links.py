"""Checklist, one-time links: 18 to 24."""

import re
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import AuthRequest, HostedAuthSettings, OneTimeLink, Session, User
from authpages.services.auth_requests import resolve_due
from events.handlers import load_handlers
from events.models import Event
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api
from tests.events.conftest import work_until
from tests.security.conftest import PAGES

VERIFICATION = "auth.email_verificationRequested"
RESET = "auth.password_reset"
NEW_PASSWORD = "an entirely new one"


@pytest.fixture
def links(api: Api, mailed: Callable[[str], str]) -> dict[str, str]:
    """The addresses of the pages that Ann's two open links lead to."""
    api.sign_up()
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    return {
        VERIFICATION: f"/verify-email?token={mailed(VERIFICATION)}",
        RESET: f"/reset-password?token={mailed(RESET)}",
    }


def _token(address: str) -> str:
    return address.partition("=")[2]


def _everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (User, Session, OneTimeLink, AuthRequest, Event)]


def test_18_get_and_head_change_nothing(visitor: Visitor, links: dict[str, str]) -> None:
    before = _everything()

    for path in (*links.values(), *PAGES):
        assert visitor.client.get(path).status_code == visitor.client.head(path).status_code == 200

    assert _everything() == before


@pytest.mark.parametrize("type", [VERIFICATION, RESET])
def test_18_a_post_without_its_csrf_token_consumes_nothing(visitor: Visitor, links: dict[str, str], type: str) -> None:
    before = _everything()

    answer = visitor.client.post(links[type], {"token": _token(links[type]), "password": NEW_PASSWORD})

    assert answer.status_code == 403
    assert _everything() == before


def test_19_a_link_has_256_bits_and_is_kept_hashed(links: dict[str, str]) -> None:
    assert {len(_token(link)) for link in links.values()} == {43}
    assert {len(bytes(link.hash)) for link in OneTimeLink.objects.all()} == {32}
    assert not any(_token(link) in str(_everything()) for link in links.values())


def test_20_a_link_works_once(api: Api, links: dict[str, str]) -> None:
    reset = {"token": _token(links[RESET]), "password": NEW_PASSWORD}

    answers = [api.post("/auth/password-reset/submit", reset) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 400]
    assert answers[1].json()["code"] == "link-invalid"


def test_20_a_link_is_good_for_its_purpose_alone(api: Api, links: dict[str, str]) -> None:
    swapped = [
        api.post("/auth/email-verification/submit", {"token": _token(links[RESET])}),
        api.post("/auth/password-reset/submit", {"token": _token(links[VERIFICATION]), "password": NEW_PASSWORD}),
    ]

    assert [answer.json()["code"] for answer in swapped] == ["link-invalid"] * 2


def test_20_every_link_dies_when_the_password_changes(api: Api, links: dict[str, str]) -> None:
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()

    api.post("/auth/password-reset/submit", {"token": _token(links[RESET]), "password": NEW_PASSWORD})

    assert not OneTimeLink.objects.open().exists()
    answer = api.post("/auth/email-verification/submit", {"token": _token(links[VERIFICATION])})
    assert answer.json()["code"] == "link-invalid"


def test_20_every_link_dies_when_the_address_changes(api: Api, key: Callable[..., Api], links: dict[str, str]) -> None:
    key("users:write").patch(f"/users/{User.objects.get().pk}", {"email": "new@example.com"})

    answers = [
        api.post("/auth/email-verification/submit", {"token": _token(links[VERIFICATION])}),
        api.post("/auth/password-reset/submit", {"token": _token(links[RESET]), "password": NEW_PASSWORD}),
    ]

    assert [answer.json()["code"] for answer in answers] == ["link-invalid"] * 2


def test_21_reset_is_good_for_an_hour_and_verification_for_a_day(links: dict[str, str]) -> None:
    lives = {link.purpose: link.expires_at - link.created_at for link in OneTimeLink.objects.all()}

    assert abs(lives["reset"] - timedelta(hours=1)) < timedelta(minutes=1)
    assert abs(lives["verification"] - timedelta(days=1)) < timedelta(minutes=1)


def test_22_links_come_from_the_configured_address(api: Api, key: Callable[..., Api], settings: Any) -> None:
    settings.BASE_URL = "https://auth.example.com"
    body = {"email": "ann@example.com", "password": PASSWORD}
    forged: dict[str, Any] = {"host": "localhost:1", "x-forwarded-host": "evil.example"}
    api.call("POST", "/auth/signup", body, **forged)

    event = Event.objects.get(type=VERIFICATION)
    shown = key("*").get(f"/events/{event.public_id}").json()["data"]["link"]
    assert shown.startswith("https://auth.example.com/verify-email?token=")


@pytest.mark.parametrize("type", [VERIFICATION, RESET])
def test_22_the_page_of_a_link_holds_nothing_of_third_parties(
    visitor: Visitor, links: dict[str, str], type: str
) -> None:
    page = visitor.get(links[type])

    assert not re.search(r'(src|href|action)="(https?:)?//', page.content.decode())
    assert page["Referrer-Policy"] == "same-origin"


def test_23_a_reset_logs_everyone_out_and_nobody_in(visitor: Visitor, api: Api, links: dict[str, str]) -> None:
    refresh = api.log_in().json()["session"]["refreshToken"]

    answer = visitor.send(links[RESET], password=NEW_PASSWORD)

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (303, "/login")
    assert visitor.get("/account").status_code == 303
    assert api.get("/auth/me").status_code == 401
    assert api.post("/auth/refresh", {"refreshToken": refresh}).status_code == 401


def test_23_a_mail_tells_of_the_reset(
    transactional_db: None, api: Api, links: dict[str, str], mailoutbox: list[EmailMultiAlternatives]
) -> None:
    load_handlers()
    api.post("/auth/password-reset/submit", {"token": _token(links[RESET]), "password": NEW_PASSWORD})

    assert work_until(
        lambda: [mail.to for mail in mailoutbox if "was changed" in mail.subject] == [["ann@example.com"]]
    )


@pytest.mark.parametrize("path", ["/login", "/forgot-password", "/verify-email"])
def test_24_pages_answer_alike_for_known_and_unknown(api: Api, path: str) -> None:
    api.sign_up()

    answers = [Visitor().send(path, email=email, password="wrong") for email in ("ann@example.com", "bea@example.com")]

    pages = [re.sub(r'value="[^"]*"|(ann|bea)@example\.com', "", answer.content.decode()) for answer in answers]
    assert answers[0].status_code == answers[1].status_code
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/auth/login", 401),
        ("/auth/password-reset/request", 202),
        ("/auth/email-verification/request", 202),
        ("/auth/signup", 202),
    ],
)
def test_24_endpoints_answer_alike_and_do_the_same_work_for_known_and_unknown(api: Api, path: str, status: int) -> None:
    api.sign_up()
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"require_verified_email": True})
    api.token = ""
    answers, work = [], []

    for email in ("ann@example.com", "bea@example.com"):
        password = {} if path.endswith("/request") else {"password": "not the password"}
        with CaptureQueriesContext(connection) as queries:
            answer = api.post(path, {"email": email} | password)
        answers.append((answer.status_code, answer.content))
        work.append([re.sub(r"'[^']*'|\s*-?\d+|NULL", "?", query["sql"]) for query in queries])

    assert answers[0] == answers[1]
    assert answers[0][0] == status
    assert work[0] == work[1]


def test_24_login_takes_as_long_for_unknown_addresses(api: Api, settings: Any) -> None:
    settings.THROTTLES, settings.ARGON2_MEMORY_KIB = False, 19456
    api.sign_up()
    api.log_in("warm@example.com")
    seconds: dict[str, list[float]] = {"ann@example.com": [], "nobody@example.com": []}

    for _ in range(9):
        for email, measured in seconds.items():
            begin = time.perf_counter()
            api.log_in(email, password="wrong")
            measured.append(time.perf_counter() - begin)

    known, unknown = (statistics.median(measured) for measured in seconds.values())
    assert 0.5 < known / unknown < 2  # without the dummy hash it is above 4
