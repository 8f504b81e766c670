"""What is forgotten in time."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from datahub.errors import NotHidden, TableBusy
from datahub.models import Column, IdempotentAnswer, Job
from datahub.services.housekeeping import keep_house
from datahub.services.jobs import TRIES_MAX
from datahub.services.purging import ask_for_purges, purge_column
from tests.conftest import Api
from tests.datahub.importing import do_jobs

pytestmark = pytest.mark.django_db


def _hide(api: Api, key: str, *, days: int) -> None:
    assert api.delete(f"/tables/people/columns/{key}").status_code == 204
    Column.objects.filter(key=key).update(hidden_at=timezone.now() - timedelta(days=days, minutes=1))


def test_a_column_is_purged_once_its_time_is_over(people: Api):
    _hide(people, "city", days=30)
    _hide(people, "age", days=29)

    keep_house()
    do_jobs()

    assert not Column.objects.filter(key="city").exists()
    assert not Job.objects.exists()
    assert people.post("/tables/people/columns/age/restore").status_code == 200


def test_a_purge_is_asked_for_once(people: Api):
    _hide(people, "city", days=30)

    assert [ask_for_purges(timezone.now()) for _ in range(2)] == [1, 0]
    assert Job.objects.get().kind == Job.Kind.PURGE


def test_a_column_that_was_restored_and_deleted_again_has_its_time_anew(people: Api):
    _hide(people, "city", days=30)
    keep_house()
    assert people.post("/tables/people/columns/city/restore").status_code == 200
    assert people.delete("/tables/people/columns/city").status_code == 204

    do_jobs()

    assert people.post("/tables/people/columns/city/restore").status_code == 200
    assert not Job.objects.exists()


def test_a_column_that_was_deleted_again_at_the_last_moment_is_kept(people: Api):
    _hide(people, "city", days=30)
    column = Column.objects.get(key="city")
    Column.objects.filter(pk=column.pk).update(hidden_at=timezone.now())

    with pytest.raises(NotHidden):
        purge_column(table=column.table, id_or_key="city", hidden_until=column.hidden_at)


def test_what_its_owner_purged_or_deleted_leaves_no_job(people: Api):
    _hide(people, "city", days=30)
    keep_house()
    assert people.post("/tables/people/columns/city/purge").status_code == 204

    do_jobs()

    assert not Job.objects.exists()


def test_answers_are_forgotten_after_a_day(people: Api):
    old = timezone.now() - timedelta(hours=25)
    IdempotentAnswer.objects.create(name=b"1", fingerprint=b"1", created_at=old)
    IdempotentAnswer.objects.create(name=b"2", fingerprint=b"2")

    keep_house()

    assert IdempotentAnswer.objects.count() == 1


def test_one_column_that_can_not_be_purged_holds_up_no_other(people: Api, monkeypatch: pytest.MonkeyPatch):
    _hide(people, "age", days=31)
    _hide(people, "city", days=31)
    before, tried = timezone.now(), []

    def busy_of_one(**given: Any) -> None:
        tried.append(given["id_or_key"])
        if tried[-1] == tried[0]:
            raise TableBusy
        purge_column(**given)

    monkeypatch.setattr("datahub.services.purging.purge_column", busy_of_one)

    keep_house()
    do_jobs()

    assert (Column.objects.hidden().count(), Job.objects.count()) == (1, 1)
    assert Job.objects.get().due_at > before + timedelta(seconds=1)


def test_a_purge_that_always_fails_is_given_up_and_asked_for_again(people: Api):
    _hide(people, "city", days=31)
    keep_house()
    Job.objects.update(tries=TRIES_MAX)

    do_jobs()

    assert (Job.objects.count(), Column.objects.hidden().count()) == (0, 1)
    assert ask_for_purges(timezone.now()) == 1
