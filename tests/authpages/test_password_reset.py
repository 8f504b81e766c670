"""Setting a new password over REST."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import OneTimeLink, Session, User
from authpages.services.auth_requests import resolve_due
from tests.conftest import Api

REQUEST = "/auth/password-reset/request"
SUBMIT = "/auth/password-reset/submit"
RESET = "auth.password_reset"
NEW = "an entirely new password"


@pytest.fixture
def token(api: Api, mailed: Callable[[str], str]) -> str:
    """A reset link of Ann, who is logged in twice."""
    api.sign_up()
    api.log_in()
    api.post(REQUEST, {"email": "ANN@example.com"})
    resolve_due()
    return mailed(RESET)


def test_the_answer_tells_nothing_about_the_address(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()

    answers = []
    for email in ("ann@example.com", "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = api.post(REQUEST, {"email": email})
        answers.append((answer.status_code, answer.content, len(queries)))
    resolve_due()

    assert answers[0] == answers[1]
    assert told().count("auth.password_reset:requested") == 1


def test_the_link_sets_the_password_and_ends_every_session(api: Api, token: str, told: Callable[[], list[str]]) -> None:
    answer = api.post(SUBMIT, {"token": token, "password": NEW})

    assert (answer.status_code, answer.content) == (204, b"")
    assert told()[-3:] == ["auth.session_ended", "auth.session_ended", "auth.password_reset:completed"]
    assert api.get("/auth/me").status_code == 401
    assert not Session.objects.filter(ended_at=None).exists()
    assert api.log_in().status_code == 401
    assert api.log_in(password=NEW).status_code == 200


def test_it_works_once(api: Api, token: str) -> None:
    api.post(SUBMIT, {"token": token, "password": NEW})

    assert api.post(SUBMIT, {"token": token, "password": "yet another password"}).json()["code"] == "link-invalid"


def test_every_other_open_link_dies_with_it(api: Api, token: str) -> None:
    api.post(REQUEST, {"email": "ann@example.com"})
    resolve_due()

    api.post(SUBMIT, {"token": token, "password": NEW})

    assert not OneTimeLink.objects.open().exists()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 8"),
        ("password", "most common"),
        ("1234567890", "most common"),
        ("aaaaaaaaaaaa", "most common"),
        ("ann@example.com", "e-mail address"),
        ("Fastgen1", "product"),
        ("p" * 1025, "at most"),
        ("\u00fc" * 513, "at most 1024 bytes"),
    ],
)
def test_a_refused_password_says_why_and_does_not_spend_the_link(
    api: Api, token: str, password: str, reason: str
) -> None:
    answer = api.post(SUBMIT, {"token": token, "password": password})

    assert answer.status_code == 400
    assert answer.json()["code"] == "weak-password"
    assert reason in answer.json()["detail"]
    assert api.post(SUBMIT, {"token": token, "password": NEW}).status_code == 204


@pytest.mark.parametrize("password", ["🔥🔥🔥 long unicode", "spaces are fine", "z9$" * 341, "alllowercaseisfinetoo"])
def test_any_unicode_spaces_and_1024_bytes_are_accepted(api: Api, token: str, password: str) -> None:
    assert api.post(SUBMIT, {"token": token, "password": password}).status_code == 204
    assert api.log_in(password=password).status_code == 200


def test_it_is_good_for_an_hour(api: Api, token: str) -> None:
    link = OneTimeLink.objects.get(purpose="reset")
    assert link.expires_at - link.created_at <= timedelta(minutes=60, seconds=1)
    OneTimeLink.objects.update(expires_at=timezone.now())

    assert api.post(SUBMIT, {"token": token, "password": NEW}).json()["code"] == "link-expired"


def test_a_blocked_person_gets_no_link(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()
    User.objects.update(blocked=True)

    assert api.post(REQUEST, {"email": "ann@example.com"}).status_code == 202
    resolve_due()

    assert "auth.password_reset:requested" not in told()
