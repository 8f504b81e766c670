"""Imports, writers and changes of a table at the same time: all of it happens, and nothing of it twice."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from datahub import import_files
from datahub.models import Job
from datahub.services.imports.loading import Loading
from datahub.services.jobs import claim_job
from datahub.services.work import Working
from events.services import leases
from tests.conftest import Api, together
from tests.datahub.conftest import made
from tests.datahub.importing import rows_of, send, state_of
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 120


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_files, "BATCH_ROWS", 10)


@pytest.fixture(autouse=True)
def _nobody_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch):
    """However long the machine keeps them waiting: these workers don't say that they live."""
    monkeypatch.setattr(leases, "SILENCE", timedelta(minutes=5))


def _file(numbers: range) -> str:
    rows = "".join(f"Person {number},p{number}@example.com\n" for number in numbers)
    return f"name,email\n{rows}"


def _work(worker: UUID | None = None) -> None:
    """What one of several living workers does, until nothing is left for any of them."""
    worker = worker or leases.register_worker()

    def is_all_done() -> bool:
        while lease := claim_job(worker=worker, living=leases.living_workers):
            working = Working(lease)
            while working.step():
                pass
        return not Job.objects.exists()

    assert wait_for(is_all_done)


def test_two_imports_with_the_same_unique_values_share_them(people: Api):
    ids = [made(send(people, "table=people", _file(numbers)), 202)["id"] for numbers in (range(90), range(89, 29, -1))]

    together(lambda _number: _work(), 2)

    results = [state_of(people, id) for id in ids]
    emails = [email for [email] in rows_of(people, "people", "email")]
    assert [result["state"] for result in results] == ["done", "done"]
    assert sorted(emails) == sorted(f"p{number}@example.com" for number in range(90))
    assert sum(result["rowsImported"] for result in results) == 90
    assert sum(result["rowsRejected"] for result in results) == 60


def test_rows_that_are_written_beside_an_import_stay_their_writers(people: Api):
    id = made(send(people, "table=people", _file(range(COUNT))), 202)["id"]
    answers: list[Any] = []

    def take_part(number: int) -> None:
        if number:
            for each in range(0, COUNT, 4):
                answers.append(people.post("/tables/people/rows", {"name": "Me", "email": f"p{each}@example.com"}))
        else:
            _work()

    together(take_part, 2)

    mine = sum(answer.status_code == 201 for answer in answers)
    result = state_of(people, id)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert (result["state"], result["rowsImported"] + mine) == ("done", COUNT)
    assert len(rows_of(people, "people", "email")) == COUNT


def test_columns_that_come_and_go_beside_an_import_break_nothing(people: Api):
    id = made(send(people, "table=people", _file(range(COUNT))), 202)["id"]

    def take_part(number: int) -> None:
        if not number:
            return _work()
        for each in range(6):
            made(people.post("/tables/people/columns", {"name": f"More {each}", "type": "text"}))
            assert people.delete(f"/tables/people/columns/more_{each}").status_code == 204
        return None

    together(take_part, 2)

    result = state_of(people, id)
    assert (result["state"], result["rowsImported"]) == ("done", COUNT)


def test_two_workers_never_load_the_same_batch(people: Api, monkeypatch: pytest.MonkeyPatch):
    made(send(people, "table=people", _file(range(COUNT))), 202)
    portions = []
    real = Loading.step

    def counted(loading: Loading) -> bool:
        portions.append(loading)
        return real(loading)

    monkeypatch.setattr(Loading, "step", counted)

    workers = [leases.register_worker() for _ in range(3)]  # whoever comes later may take a job from who came just now

    together(lambda number: _work(workers[number]), 3)

    assert [name for [name] in rows_of(people, "people", "name")] == [f"Person {number}" for number in range(COUNT)]
    assert len(portions) == COUNT // 10 + 2  # one finds the end of the file, and one deletes it
