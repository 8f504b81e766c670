"""What the limits remember, and when they forget it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authpages import throttles
from authpages.models import Throttle
from tests.conftest import Api

WRONG = "a wrong password"


@pytest.fixture
def failed(api: Api) -> Throttle:
    """The row of an account with one failure; that of the address is gone."""
    api.log_in(password=WRONG)
    Throttle.objects.filter(key__startswith="login-from:").delete()
    return Throttle.objects.get()


def test_a_window_that_is_over_is_deleted(api: Api) -> None:
    api.sign_up()
    Throttle.objects.update(forgotten_at=timezone.now())

    throttles.delete_forgotten()

    assert not Throttle.objects.exists()


def test_one_that_is_not_over_stays(api: Api) -> None:
    api.sign_up()

    throttles.delete_forgotten()

    assert Throttle.objects.count() == 1


def test_it_deletes_all_however_many_it_takes_at_once(db: None) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Throttle.objects.bulk_create(Throttle(key=f"test:{number}", forgotten_at=past) for number in range(7))

    throttles.delete_forgotten(at_once=3)

    assert not Throttle.objects.exists()


def test_failures_are_forgotten_90_days_after_the_last(api: Api, failed: Throttle) -> None:
    Throttle.objects.update(forgotten_at=timezone.now())

    api.log_in(password=WRONG)

    row = Throttle.objects.get(pk=failed.pk)
    assert row.count == 2
    assert row.forgotten_at
    assert timedelta(days=89) < row.forgotten_at - timezone.now() <= timedelta(days=90)


def test_password_login_that_is_off_stays_off(api: Api, failed: Throttle, settings) -> None:
    Throttle.objects.update(count=settings.LOGIN_MAX_FAILURES - 1)

    api.log_in(password=WRONG)

    assert Throttle.objects.get(pk=failed.pk).forgotten_at is None
