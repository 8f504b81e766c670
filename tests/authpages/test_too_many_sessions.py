"""A person has so many sessions at most: who logs in once more ends the one that was not used for longest."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import Session, User
from authpages.services import session_limit
from events.models import Event
from tests.authpages.conftest import Visitor
from tests.conftest import AT_ONCE, Api, together


@pytest.fixture(autouse=True)
def _three_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_limit, "MOST_SESSIONS", 3)


def _living() -> int:
    return Session.objects.filter(ended_at=None).count()


def _began(answer: Any) -> str:
    return str(answer.json()["session"]["id"])


def test_the_login_beyond_ends_the_one_that_was_not_used_for_longest(api: Api) -> None:
    first = api.sign_up()["session"]["id"]
    second = _began(api.log_in())
    api.log_in()
    Session.objects.filter(pk=first).update(last_seen_at=timezone.now() + timedelta(seconds=1))

    api.log_in()

    assert _living() == 3
    assert str(Session.objects.exclude(ended_at=None).get().pk) == second


def test_that_is_an_event_with_its_reason_before_the_one_of_the_login(api: Api, told: Callable[[], list[str]]) -> None:
    first = api.sign_up()["session"]["id"]
    for _ in range(3):
        api.log_in()

    ended = Event.objects.get(type="auth.session_ended")

    assert (ended.data["sessionId"], ended.data["reason"]) == (first, "too_many")
    assert told()[-2:] == ["auth.session_ended", "auth.user_loggedIn"]
    assert api.get("/auth/me").status_code == 401


def test_those_of_browsers_count_too(api: Api, visitor: Visitor) -> None:
    api.sign_up()
    visitor.log_in()
    for _ in range(3):
        api.log_in()

    assert _living() == 3
    assert visitor.get("/account").status_code == 303


def test_one_that_is_over_for_its_age_makes_room_and_is_not_told_of(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()
    Session.objects.update(last_seen_at=timezone.now() - timedelta(days=40))
    for _ in range(3):
        api.log_in()

    assert _living() == 3
    assert "auth.session_ended" not in told()


def test_one_that_has_expired_makes_room_before_those_that_were_not_used_for_longer(api: Api) -> None:
    expired = api.sign_up()["session"]["id"]
    now = timezone.now()
    Session.objects.update(expires_at=now, last_seen_at=now + timedelta(seconds=9))
    for _ in range(3):
        api.log_in()

    assert str(Session.objects.exclude(ended_at=None).get().pk) == expired


def test_of_far_too_many_each_login_ends_some(api: Api) -> None:
    api.sign_up()
    owner, expires = User.objects.get(), timezone.now() + timedelta(days=1)
    Session.objects.bulk_create(Session(user=owner, expires_at=expires) for _ in range(9))

    left = []
    for _ in range(4):
        api.log_in()
        left.append(_living())

    assert left == [8, 6, 4, 3]


def test_whoever_has_few_pays_one_query(api: Api) -> None:
    api.sign_up()

    with CaptureQueriesContext(connection) as queries:
        api.log_in()

    asked = [each["sql"] for each in queries if "COUNT(*)" in each["sql"]]
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_logins_at_once_leave_no_more(settings: Any) -> None:
    settings.HASH_CONCURRENCY = 30
    Api().sign_up()

    statuses = together(lambda _: Api().log_in().status_code)

    assert statuses == [200] * AT_ONCE
    assert _living() == 3
    assert Event.objects.filter(type="auth.session_ended").count() == AT_ONCE - 2


def test_the_api_says_so(api: Api) -> None:
    login = api.get("/openapi.json").json()["paths"]["/api/v1/auth/login"]["post"]

    assert "100 sessions at most" in login["description"]
