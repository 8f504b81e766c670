"""A person's own sessions: seeing them, and ending those that should not be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import Session
from events.models import Event
from tests.conftest import Api

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
BODY = {"email": "ann@example.com", "password": "correct horse battery staple"}


@pytest.fixture
def ann(api: Api) -> Api:
    """Ann, who is logged in by a program and, later, in Firefox."""
    api.sign_up()
    Session.objects.update(created_at=timezone.now() - timedelta(days=1))
    Api().post("/auth/login", BODY, **{"user-agent": FIREFOX})
    return api


def _listed(api: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get("/auth/sessions").json()["items"]
    return items


def test_sessions_are_listed_newest_first_with_their_devices(ann: Api) -> None:
    firefox, program = _listed(ann)

    assert (firefox["device"], firefox["current"], firefox["ipAddress"]) == ("Firefox on Linux", False, "127.0.0.1")
    assert (program["device"], program["current"], program["authentication"]) == ("Unknown device", True, "password")
    assert set(program) == {
        *("id", "current", "createdAt", "lastSeenAt", "expiresAt", "ipAddress", "device", "authentication")
    }


def test_nobody_sees_the_sessions_of_others(ann: Api) -> None:
    bob = Api()
    bob.sign_up("bob@example.com")

    assert [session["current"] for session in _listed(bob)] == [True]


@pytest.mark.parametrize("change", ["ended_at", "expires_at", "last_seen_at"])
def test_a_session_that_is_over_is_shown_nowhere(ann: Api, change: str) -> None:
    Session.objects.filter(user_agent=FIREFOX).update(**{change: timezone.now() - timedelta(days=30)})

    assert [session["device"] for session in _listed(ann)] == ["Unknown device"]


def test_a_long_list_comes_in_pages(ann: Api) -> None:
    first = ann.get("/auth/sessions?limit=1").json()
    second = ann.get(f"/auth/sessions?limit=1&cursor={first['nextCursor']}").json()

    assert [page["items"][0]["current"] for page in (first, second)] == [False, True]
    assert second["nextCursor"] is None


def test_a_list_of_sessions_takes_two_queries_however_long(ann: Api) -> None:
    with CaptureQueriesContext(connection) as queries:
        _listed(ann)

    assert len(queries) == 2


def test_a_session_that_is_ended_is_good_for_nothing_and_an_event(ann: Api) -> None:
    firefox = Api(Api().log_in().json()["session"]["accessToken"])
    ended = _listed(firefox)[0]["id"]

    assert ann.delete(f"/auth/sessions/{ended}").status_code == 204

    assert firefox.get("/auth/me").status_code == 401
    event = Event.objects.latest("id")
    assert (event.type, event.data["sessionId"], event.data["reason"]) == (
        "auth.session_ended",
        ended,
        "ended_by_owner",
    )


def test_a_session_ends_once(ann: Api, told: Callable[[], list[str]]) -> None:
    path = f"/auth/sessions/{_listed(ann)[0]['id']}"

    assert [ann.delete(path).status_code for _ in range(2)] == [204, 404]
    assert told().count("auth.session_ended") == 1


def test_nobody_ends_the_session_of_another(ann: Api) -> None:
    bob = Api()
    bob.sign_up("bob@example.com")

    answer = bob.delete(f"/auth/sessions/{_listed(ann)[0]['id']}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert len(_listed(ann)) == 2


def test_the_own_session_may_be_ended_too(ann: Api) -> None:
    own = next(session["id"] for session in _listed(ann) if session["current"])

    assert ann.delete(f"/auth/sessions/{own}").status_code == 204

    assert ann.get("/auth/sessions").status_code == 401
