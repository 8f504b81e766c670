"""What is forgotten in time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from datahub.errors import TableBusy
from datahub.models import Column, IdempotentAnswer
from datahub.services.columns import purge_column
from datahub.services.housekeeping import keep_house
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def _hide(api: Api, key: str, *, days: int) -> None:
    assert api.delete(f"/tables/people/columns/{key}").status_code == 204
    Column.objects.filter(key=key).update(hidden_at=timezone.now() - timedelta(days=days, minutes=1))


def test_a_column_is_purged_once_its_time_is_over(people: Api):
    _hide(people, "city", days=30)
    _hide(people, "age", days=29)

    keep_house()

    assert not Column.objects.filter(key="city").exists()
    assert people.post("/tables/people/columns/age/restore").status_code == 200


def test_answers_are_forgotten_after_a_day(people: Api):
    old = timezone.now() - timedelta(hours=25)
    IdempotentAnswer.objects.create(name=b"1", fingerprint=b"1", created_at=old)
    IdempotentAnswer.objects.create(name=b"2", fingerprint=b"2")

    keep_house()

    assert IdempotentAnswer.objects.count() == 1


def test_one_column_that_can_not_be_purged_holds_up_no_other(people: Api, monkeypatch: pytest.MonkeyPatch):
    _hide(people, "age", days=31)
    _hide(people, "city", days=31)
    calls = []

    def busy_once(**given: object) -> None:
        calls.append(given)
        if len(calls) == 1:
            raise TableBusy
        purge_column(**given)  # type: ignore[arg-type]

    monkeypatch.setattr("datahub.services.housekeeping.purge_column", busy_once)

    keep_house()

    assert Column.objects.hidden().count() == 1
