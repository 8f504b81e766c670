"""What was asked for an address, and what becomes of it once the worker finds out whose it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.utils import timezone

from authpages.models import AuthRequest, HostedAuthSettings, User
from authpages.services.auth_requests import resolve_due
from authpages.services.signup import create_account
from authpages.services.users import create_user
from events.models import Event
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api

VERIFICATION = "auth.email_verificationRequested"
REQUEST_ID = "the-request-of-ann"


@pytest.fixture(autouse=True)
def _verified_addresses_are_required(db: None) -> None:
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"require_verified_email": True})


def _sign_up(email: str) -> None:
    assert Api().post("/auth/signup", {"email": email, "password": PASSWORD}).status_code == 202


def _ask_by_api(page: str) -> int:
    path = {"forgot-password": "password-reset/request", "verify-email": "email-verification/request"}.get(page, page)
    body = {"email": "ann@example.com"} | ({"password": PASSWORD} if page == "signup" else {})
    headers: dict[str, Any] = {"x-request-id": REQUEST_ID}
    return int(Api().call("POST", f"/auth/{path}", body, **headers).status_code)


def _ask_on_page(page: str) -> int:
    visitor = Visitor()
    visitor.client.defaults["HTTP_X_REQUEST_ID"] = REQUEST_ID
    return int(visitor.send(f"/{page}", email="ann@example.com", password=PASSWORD).status_code)


@pytest.mark.parametrize(("source", "ask", "status"), [("api", _ask_by_api, 202), ("hosted", _ask_on_page, 200)])
@pytest.mark.parametrize(
    ("page", "types"),
    [
        ("signup", ["auth.user_signedUp", VERIFICATION]),
        ("verify-email", [VERIFICATION]),
        ("forgot-password", ["auth.password_reset"]),
    ],
)
def test_its_events_tell_at_which_door_and_in_which_request_it_was_asked(
    page: str, types: list[str], source: str, ask: Callable[[str], int], status: int
) -> None:
    if page != "signup":
        create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    Event.objects.all().delete()

    assert ask(page) == status
    resolve_due()

    events = Event.objects.order_by("id").values_list("type", "source", "request_id")
    assert list(events) == [(each, source, REQUEST_ID) for each in types]


def test_a_resolved_request_is_emptied() -> None:
    _sign_up("ann@example.com")

    resolve_due()

    request = AuthRequest.objects.get()
    assert (request.email, request.password, request.profile) == ("", "", {})
    assert (request.ip_address, request.user_agent) == (None, "")


def test_a_resolved_request_is_not_resolved_again(told: Callable[[], list[str]]) -> None:
    _sign_up("ann@example.com")

    resolve_due()
    resolve_due()

    assert told() == ["auth.user_signedUp", VERIFICATION]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Resolving anything of Ann's fails; undo it to mend that."""

    def fail_for_ann(**account: Any) -> User:
        user = create_account(**account)
        if account["email"] == "ann@example.com":
            raise RuntimeError("not today")
        return user

    monkeypatch.setattr("authpages.services.auth_requests.create_account", fail_for_ann)
    return monkeypatch


def test_a_request_that_fails_holds_up_no_other_and_leaves_nothing_behind(
    failing: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    for email in ("ann@example.com", "bea@example.com"):
        _sign_up(email)

    resolve_due()

    assert list(User.objects.values_list("email", flat=True)) == ["bea@example.com"]
    assert told() == ["auth.user_signedUp", VERIFICATION]
    assert AuthRequest.objects.get(resolved_at=None).email == "ann@example.com"


def test_it_is_tried_again_a_minute_later_and_not_before(failing: pytest.MonkeyPatch) -> None:
    _sign_up("ann@example.com")
    resolve_due()
    failing.undo()

    resolve_due()
    at_once = User.objects.count()
    AuthRequest.objects.update(due_at=timezone.now())
    resolve_due()

    assert (at_once, User.objects.count()) == (0, 1)


def test_the_minute_begins_with_the_failure(failing: pytest.MonkeyPatch) -> None:
    _sign_up("ann@example.com")
    before = timezone.now()

    resolve_due()

    assert before <= AuthRequest.objects.get().due_at - timedelta(minutes=1) <= timezone.now()


def test_a_request_whose_event_cannot_be_written_has_made_nothing() -> None:
    _sign_up("ann@example.com")

    with patch("events.receivers.record_event", side_effect=RuntimeError("no room")):
        resolve_due()

    assert not User.objects.exists()
    assert AuthRequest.objects.get().resolved_at is None
