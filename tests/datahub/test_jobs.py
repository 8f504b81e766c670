"""Jobs: one worker at a time, portion after portion; who dies loses nothing that was written."""

import uuid
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from datahub import import_files
from datahub.errors import RowTooLarge
from datahub.models import Job
from datahub.services import background_conversion, conversion, jobs
from datahub.services.imports.loading import Loading
from datahub.services.jobs import Lease, LeaseLost, claim_job
from datahub.services.work import Working
from events.models import Worker
from events.services.leases import living_workers, register_worker, release_leases
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import do_jobs, rows_of, send, state_of, undone

pytestmark = pytest.mark.django_db
FIVE = "name\nAnn\nBen\nEve\nFay\nGil\n"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_files, "BATCH_ROWS", 2)


def claim(worker: uuid.UUID) -> Lease | None:
    return claim_job(worker=worker, living=living_workers)


def claimed(worker: uuid.UUID) -> Lease:
    lease = claim(worker)
    assert lease is not None
    return lease


def start(api: Api, content: str = FIVE, query: str = "table=people") -> str:
    return str(made(send(api, query, content), 202)["id"])


def names(api: Api) -> list[str]:
    return [name for [name] in rows_of(api, "people", "name")]


def test_one_of_two_workers_takes_a_job(people: Api):
    start(people)

    leases = [claim(register_worker()), claim(register_worker())]

    assert [lease is None for lease in leases] == [False, True]


def test_a_silent_worker_loses_its_job_to_another(people: Api):
    start(people)
    dead = claimed(register_worker())
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=11))

    taken = claimed(register_worker())

    assert (taken.job, taken.fence) == (dead.job, dead.fence + 1)


def test_a_worker_that_signs_off_lets_go_of_its_job_at_once(people: Api):
    start(people)
    worker = register_worker()
    claim(worker)

    release_leases(worker)

    assert claim(register_worker()) is not None


def test_each_batch_is_written_with_how_far_the_import_came(people: Api):
    id = start(people)

    do_jobs(portions=1)

    result = state_of(people, id)
    assert (result["state"], result["rowsRead"], result["rowsImported"]) == ("running", 2, 2)
    assert names(people) == ["Ann", "Ben"]


@pytest.mark.parametrize("portions", [1, 2, 3])
def test_an_import_goes_on_after_the_last_batch_of_a_dead_worker(people: Api, portions: int):
    id = start(people)

    do_jobs(portions=portions)
    do_jobs()

    assert state_of(people, id)["rowsImported"] == 5
    assert names(people) == ["Ann", "Ben", "Eve", "Fay", "Gil"]


@pytest.mark.parametrize("portions", [1, 2, 3, 4, 5])
def test_a_new_table_is_made_once_whenever_its_worker_dies(admin: Api, portions: int, told):
    start(admin, query="table=people&create=true")

    do_jobs(portions=portions)
    do_jobs()

    assert names(admin) == ["Ann", "Ben", "Eve", "Fay", "Gil"]
    assert told() == ["api.dataTable_created", "api.dataTable_imported"]


def test_an_undo_goes_on_where_a_dead_worker_ended(people: Api):
    id = start(people)
    do_jobs()
    people.post(f"/imports/{id}/undo")

    do_jobs(portions=1)
    do_jobs()

    assert state_of(people, id)["undone"] == {"rowsDeleted": 5, "rowsKept": 0}
    assert names(people) == []


def test_an_import_that_failed_half_way_can_be_undone(people: Api):
    id = start(people, "name,city\nAnn,Rome\nBen,Oslo\nEve,Bonn\n")
    do_jobs(portions=1)
    people.delete("/tables/people/columns/city")
    do_jobs()

    result = undone(people, id)

    assert (result["state"], result["undone"]) == ("failed", {"rowsDeleted": 2, "rowsKept": 0})


def test_lines_are_counted_from_the_beginning_after_a_dead_worker_as_well(people: Api):
    id = start(people, 'name,age\nAnn,1\n\n"B\nen",2\nEve,old\n')

    do_jobs(portions=1)
    do_jobs()

    assert [each["line"] for each in state_of(people, id)["rejects"]] == [6]


def test_who_lost_its_job_writes_nothing_more(people: Api):
    start(people)
    slow = Working(claimed(register_worker()))
    Worker.objects.all().delete()
    quick = Working(claimed(register_worker()))

    assert quick.step()
    assert not slow.step()

    assert names(people) == ["Ann", "Ben"]


def test_a_portion_needs_its_lease(people: Api):
    start(people)
    lease = claimed(register_worker())
    Job.objects.update(fence=lease.fence + 1)

    with pytest.raises(LeaseLost), jobs.portion(lease):
        pass


def test_a_column_that_comes_between_two_batches_is_empty_in_both(people: Api):
    start(people)
    do_jobs(portions=1)
    made(people.post("/tables/people/columns", {"name": "Shoes", "type": "integer"}))

    do_jobs()

    assert rows_of(people, "people", "name", "shoes")[-1] == ["Gil", None]


def test_a_change_of_type_between_two_batches_holds_for_the_rest(people: Api):
    id = start(people, "name,city\nAnn,1\nBen,2\nEve,x\nFay,4\n")
    do_jobs(portions=1)
    made(people.patch("/tables/people/columns/city", {"type": "integer"}), 200)

    do_jobs()

    assert rows_of(people, "people", "name", "city") == [["Ann", 1], ["Ben", 2], ["Fay", 4]]
    assert state_of(people, id)["rowsRejected"] == 1


def test_a_job_that_fails_is_tried_again_after_a_while(people: Api, monkeypatch: pytest.MonkeyPatch):
    start(people)
    monkeypatch.setattr(Loading, "_load", lambda *_: 1 / 0)
    before = timezone.now()

    assert not Working(claimed(register_worker())).step()

    job = Job.objects.get()
    assert job.worker is None
    assert job.due_at > before + timedelta(seconds=1)


def _refused(state: str) -> OperationalError:
    """What PostgreSQL raises in this SQLSTATE."""
    error = OperationalError("no")
    error.__cause__ = type("Refusal", (Exception,), {"sqlstate": state})()
    return error


@pytest.mark.parametrize("state", ["22003", "23514", "54001"])
def test_a_value_that_the_database_refuses_is_no_sign_that_it_is_away(
    people: Api, monkeypatch: pytest.MonkeyPatch, state: str
):
    start(people)
    monkeypatch.setattr(Loading, "_load", Mock(side_effect=_refused(state)))
    before = timezone.now()

    assert not Working(claimed(register_worker())).step()

    assert Job.objects.get().due_at > before + timedelta(seconds=1)


def test_a_database_that_is_away_is_told_and_the_job_stays_due(people: Api, monkeypatch: pytest.MonkeyPatch):
    start(people)
    monkeypatch.setattr(Loading, "_load", Mock(side_effect=_refused("57P01")))

    with pytest.raises(OperationalError):
        Working(claimed(register_worker())).step()

    assert Job.objects.get().due_at <= timezone.now()


@pytest.mark.parametrize("error", [RowTooLarge(), _refused("54000")])
def test_a_row_that_has_no_room_ends_the_job_at_once(people: Api, monkeypatch: pytest.MonkeyPatch, error: Exception):
    id = start(people)
    monkeypatch.setattr(Loading, "_load", Mock(side_effect=error))

    do_jobs()

    assert (state_of(people, id)["state"], state_of(people, id)["detail"]) == ("failed", RowTooLarge.title)
    assert not Job.objects.exists()


def test_a_row_that_has_no_room_ends_a_conversion_at_once(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conversion, "AT_ONCE_MAX", 0)
    made(people.post("/tables/people/rows", {"name": "Ann", "city": "1"}))
    made(people.patch("/tables/people/columns/city", {"type": "integer"}), 202)
    monkeypatch.setattr(background_conversion, "_copy", Mock(side_effect=_refused("54000")))

    do_jobs()

    told = made(people.get("/tables/people/columns"), 200)["items"][3]["conversion"]
    assert (told["state"], told["detail"]) == ("failed", RowTooLarge.title)


def test_a_job_that_always_fails_ends(people: Api):
    id = start(people)
    Job.objects.update(tries=jobs.TRIES_MAX)

    do_jobs()

    assert state_of(people, id)["state"] == "failed"


def test_a_portion_that_is_done_makes_earlier_failures_forgotten(people: Api):
    start(people)
    Job.objects.update(tries=3)

    do_jobs(portions=1)

    assert Job.objects.get().tries == 0
