"""Verifying an address over REST."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import OneTimeLink, User
from authpages.services.auth_requests import resolve_due
from events.models import EventSecret
from tests.conftest import Api

VERIFICATION = "auth.email_verificationRequested"
SUBMIT = "/auth/email-verification/submit"
REQUEST = "/auth/email-verification/request"


def test_the_link_verifies_the_address(api: Api, mailed: Callable[[str], str], told: Callable[[], list[str]]) -> None:
    api.sign_up()

    answer = api.post(SUBMIT, {"token": mailed(VERIFICATION)})

    assert answer.status_code == 200
    assert answer.json()["user"]["emailVerified"] is True
    assert told()[-1] == "auth.email_verified"
    assert not EventSecret.objects.exists()


def test_the_same_link_again_is_a_success_and_no_event(
    api: Api, mailed: Callable[[str], str], told: Callable[[], list[str]]
) -> None:
    api.sign_up()
    token = mailed(VERIFICATION)
    api.post(SUBMIT, {"token": token})
    before = told()

    answer = api.post(SUBMIT, {"token": token})

    assert answer.status_code == 200
    assert told() == before


def test_the_same_link_again_is_invalid_once_the_address_is_not_verified(
    api: Api, mailed: Callable[[str], str]
) -> None:
    api.sign_up()
    token = mailed(VERIFICATION)
    api.post(SUBMIT, {"token": token})
    User.objects.update(email_verified=False)

    assert api.post(SUBMIT, {"token": token}).json()["code"] == "link-invalid"


def test_a_link_does_not_outlive_its_day(api: Api, mailed: Callable[[str], str]) -> None:
    api.sign_up()
    link = OneTimeLink.objects.get()
    assert link.expires_at - link.created_at <= timedelta(hours=24, seconds=1)
    OneTimeLink.objects.update(expires_at=timezone.now())

    answer = api.post(SUBMIT, {"token": mailed(VERIFICATION)})

    assert (answer.status_code, answer.json()["code"]) == (400, "link-expired")
    assert answer.json()["errors"][0]["pointer"] == "/token"


def test_a_link_is_bound_to_the_address_it_was_sent_to(api: Api, mailed: Callable[[str], str]) -> None:
    api.sign_up()
    User.objects.update(email="new@example.com", email_key="new@example.com")

    assert api.post(SUBMIT, {"token": mailed(VERIFICATION)}).json()["code"] == "link-invalid"


def test_a_link_is_bound_to_its_purpose(api: Api, mailed: Callable[[str], str]) -> None:
    api.sign_up()

    answer = api.post("/auth/password-reset/submit", {"token": mailed(VERIFICATION), "password": "a fine password"})

    assert answer.json()["code"] == "link-invalid"


@pytest.mark.parametrize("token", ["x", "x" * 43, "é", "0" * 1000])
def test_a_token_that_is_no_link_is_refused(api: Api, token: str) -> None:
    answer = api.post(SUBMIT, {"token": token})

    assert (answer.status_code, answer.json()["code"]) == (400, "link-invalid")


def test_the_caller_may_ask_for_another_mail(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()

    answer = api.post(REQUEST, {})

    assert answer.status_code == 202
    assert told().count(VERIFICATION) == 2


def test_a_verified_caller_gets_no_mail(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()
    User.objects.update(email_verified=True)

    assert api.post(REQUEST, {}).status_code == 202
    assert told().count(VERIFICATION) == 1


def test_for_any_address_the_answer_is_the_same(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()
    api.token = ""

    answers = []
    for email in ("ann@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = api.post(REQUEST, {"email": email})
        answers.append((answer.status_code, answer.content, len(queries)))
    resolve_due()

    assert answers[0] == answers[1] == (202, b"{}", answers[0][2])
    assert told().count(VERIFICATION) == 2


def test_mails_are_limited_per_account_whether_it_exists_or_not(api: Api) -> None:
    answers = [api.post(REQUEST, {"email": "nobody@example.com"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 3000


def test_nobody_without_address_and_credentials_is_401(api: Api) -> None:
    assert api.post(REQUEST, {}).status_code == 401
