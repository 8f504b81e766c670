"""What accounts leave behind is forgotten in time: sessions that are over, old links, devices, resolved requests."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import AuthRequest, KnownDevice, OneTimeLink, RefreshToken, Session, User
from authpages.services.auth_requests import resolve_due
from authpages.services.retention import forget_some
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def _ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def session(api: Api) -> dict[str, Any]:
    """Of a person who just signed up."""
    return dict(api.sign_up()["session"])


def test_an_ended_session_goes_after_a_month_with_its_refresh_tokens(api: Api, session: dict[str, Any]):
    for _ in range(3):
        session = api.post("/auth/refresh", {"refreshToken": session["refreshToken"]}).json()["session"]
    api.log_in()
    Session.objects.filter(pk=session["id"]).update(ended_at=_ago(30.1), end_reason="logout")

    forget_some()

    assert Session.objects.count() == 1
    assert RefreshToken.objects.count() == 1


def test_a_session_whose_time_was_over_a_month_ago_goes(session: dict[str, Any]):
    Session.objects.update(expires_at=_ago(30.1))

    forget_some()

    assert not Session.objects.exists()


@pytest.mark.parametrize("change", [{"ended_at": _ago(29.9), "end_reason": "logout"}, {"expires_at": _ago(29.9)}, {}])
def test_a_session_that_lives_or_was_over_lately_stays(session: dict[str, Any], change: dict[str, Any]):
    Session.objects.update(**change)

    forget_some()

    assert (Session.objects.count(), RefreshToken.objects.count()) == (1, 1)


def test_many_refresh_tokens_go_in_bites(api: Api, session: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authpages.services.retention.BITE", 2)
    for _ in range(4):
        session = api.post("/auth/refresh", {"refreshToken": session["refreshToken"]}).json()["session"]
    Session.objects.update(ended_at=_ago(31), end_reason="logout")

    left = []
    while forget_some():
        left.append(RefreshToken.objects.count())

    assert left == [3, 1]
    assert not Session.objects.exists()


def test_links_go_a_week_after_their_time_was_over(api: Api):
    api.sign_up()
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    verification, reset = OneTimeLink.objects.order_by("created_at")
    OneTimeLink.objects.filter(pk=verification.pk).update(expires_at=_ago(7.1), spent_at=_ago(8))
    OneTimeLink.objects.filter(pk=reset.pk).update(expires_at=_ago(6.9))

    forget_some()

    assert OneTimeLink.objects.get() == reset


def test_requests_go_a_day_after_they_were_resolved(api: Api):
    for _ in range(3):
        api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    old, late, waiting = AuthRequest.objects.order_by("pk")
    AuthRequest.objects.filter(pk=old.pk).update(resolved_at=_ago(1.1))
    AuthRequest.objects.filter(pk=late.pk).update(resolved_at=_ago(0.9))
    AuthRequest.objects.filter(pk=waiting.pk).update(created_at=_ago(9))

    forget_some()

    assert set(AuthRequest.objects.all()) == {late, waiting}


def test_a_device_goes_when_its_cookie_is_a_year_old(session: dict[str, Any]):
    ann = User.objects.get()
    for number, days in enumerate((364.9, 365.1)):
        KnownDevice.objects.create(user=ann, hash=bytes([number]), last_seen_at=_ago(days))

    forget_some()

    assert [bytes(device.hash) for device in KnownDevice.objects.all()] == [b"\0"]
