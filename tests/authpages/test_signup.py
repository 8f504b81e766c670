"""Signing up over REST."""

import hashlib
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import AuthRequest, HostedAuthSettings, OneTimeLink, Session, User
from authpages.services.auth_requests import resolve_due
from events.models import Event, EventSecret
from tests.conftest import PASSWORD, Api

VERIFICATION = "auth.email_verificationRequested"


def test_a_sign_up_makes_an_account_and_logs_in(api: Api) -> None:
    answer = api.post("/auth/signup", {"email": "Ann@Example.com", "password": PASSWORD, "firstName": "Ann"})

    assert answer.status_code == 201
    user, session = answer.json()["user"], answer.json()["session"]
    assert set(user) == {
        *("id", "email", "emailVerified", "firstName", "lastName", "roles", "blocked", "admin", "locale"),
        *("metadata", "appMetadata", "createdAt", "lastLoginAt"),
    }
    assert (user["email"], user["emailVerified"], user["firstName"]) == ("Ann@Example.com", False, "Ann")
    assert set(session) == {"id", "accessToken", "tokenType", "expiresIn", "refreshToken"}
    api.token = session["accessToken"]
    assert api.get("/auth/me").json()["id"] == user["id"]


def test_its_events_are_signed_up_then_verification_requested(api: Api, told: Callable[[], list[str]]) -> None:
    user = api.sign_up()["user"]

    assert told() == ["auth.user_signedUp", VERIFICATION]
    first, second = Event.objects.order_by("id")
    assert first.data == {"userId": user["id"], "email": "ann@example.com", "emailVerified": False, "roles": []}
    assert set(second.data) == {"userId", "email", "emailVerified", "roles", "expiresAt"}
    assert (first.source, first.subject) == ("api", user["id"])


@pytest.mark.parametrize("again", ["ann@example.com", "ANN@EXAMPLE.COM", "ａnn@example.com", " ann@example.com "])
def test_one_address_has_one_account_whatever_its_spelling(api: Api, again: str) -> None:
    api.sign_up("ann@example.com")

    answer = api.post("/auth/signup", {"email": again, "password": PASSWORD})

    assert answer.status_code == 409
    assert answer.json()["code"] == "email-taken"
    assert answer.json()["errors"][0]["pointer"] == "/email"
    assert User.objects.count() == 1


def test_domains_are_compared_as_a_labels(api: Api) -> None:
    api.sign_up("ann@bücher.example")

    answer = api.post("/auth/signup", {"email": "ann@xn--bcher-kva.example", "password": PASSWORD})

    assert answer.status_code == 409


def test_without_its_event_there_is_no_account(api: Api) -> None:
    with patch("events.receivers.record_event", side_effect=RuntimeError("no room")):
        answer = api.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD})

    assert answer.status_code == 500
    assert not User.objects.exists()
    assert not Session.objects.exists()
    assert not Event.objects.exists()


def test_closed_sign_ups_are_closed_here_too(api: Api) -> None:
    HostedAuthSettings.objects.create(allow_signups=False)

    answer = api.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (403, "signups-closed")


def test_a_sign_up_makes_at_most_14_queries(transactional_db: None) -> None:
    api = Api()
    api.sign_up("first@example.com")
    api.token = ""

    with CaptureQueriesContext(connection) as queries:
        api.sign_up("ann@example.com")

    assert len(queries) <= 14


def _require_verified() -> None:
    HostedAuthSettings.objects.create(require_verified_email=True)


def _sign_up(api: Api, email: str) -> Any:
    return api.post("/auth/signup", {"email": email, "password": PASSWORD})


def test_where_a_verified_address_is_required_nobody_is_logged_in(api: Api, told: Callable[[], list[str]]) -> None:
    _require_verified()

    answer = api.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD})
    resolve_due()

    assert (answer.status_code, answer.json()) == (202, {})
    assert told() == ["auth.user_signedUp", VERIFICATION]
    assert not Session.objects.exists()
    assert api.log_in().json()["code"] == "email-unverified"


def test_there_it_answers_alike_for_a_known_address_and_tells_its_owner(
    api: Api, told: Callable[[], list[str]]
) -> None:
    api.sign_up("ann@example.com")
    User.objects.update(email_verified=True)
    _require_verified()
    api.token = ""

    answers: list[Any] = []
    for email in ("ann@example.com", "new@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = api.post("/auth/signup", {"email": email, "password": PASSWORD})
        answers.append((answer.status_code, answer.content, len(queries)))
    resolve_due()

    assert answers[0] == answers[1]
    assert told()[2:] == ["auth.signUp_repeated", "auth.user_signedUp", VERIFICATION]


def test_sign_ups_are_limited_per_client_address(api: Api, settings: Any) -> None:
    settings.SIGNUPS_PER_ADDRESS_PER_HOUR = 2

    answers = [_sign_up(api, f"user{number}@example.com") for number in range(3)]
    api.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    elsewhere = _sign_up(api, "user3@example.com")

    assert [answer.status_code for answer in [*answers, elsewhere]] == [201, 201, 429, 201]
    assert answers[2].json()["code"] == "too-many-requests"
    assert 3500 < int(answers[2].headers["Retry-After"]) <= 3600
    assert not User.objects.filter(email="user2@example.com").exists()


def test_a_refused_password_uses_up_no_sign_up(api: Api, settings: Any) -> None:
    settings.SIGNUPS_PER_ADDRESS_PER_HOUR = 1

    refused = [api.post("/auth/signup", {"email": "ann@example.com", "password": "short"}) for _ in range(3)]

    assert [answer.status_code for answer in refused] == [400] * 3
    assert _sign_up(api, "ann@example.com").status_code == 201


def test_where_sign_ups_send_mail_it_is_limited_per_account(api: Api, settings: Any) -> None:
    _require_verified()
    settings.MAILS_PER_ACCOUNT_PER_HOUR = 2

    answers = [_sign_up(api, email) for email in ("ann@example.com", "ANN@example.com", "ann@Example.com")]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert _sign_up(api, "bea@example.com").status_code == 202
    assert AuthRequest.objects.count() == 3


def test_where_sign_ups_send_mail_it_is_limited_per_client_address(api: Api, settings: Any) -> None:
    _require_verified()
    settings.MAILS_PER_ADDRESS_PER_HOUR = 2

    answers = [_sign_up(api, f"user{number}@example.com") for number in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]


def test_tokens_are_in_no_event_and_kept_only_as_hashes(api: Api, mailed: Callable[[str], str]) -> None:
    api.sign_up()

    token = mailed(VERIFICATION)

    assert all(token not in str(event.data) for event in Event.objects.all())
    assert token.encode() not in bytes(EventSecret.objects.get().sealed)
    assert bytes(OneTimeLink.objects.get().hash) == hashlib.sha256(token.encode()).digest()
