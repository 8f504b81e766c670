"""Imports that are sent again with the same Idempotency-Key: nothing is stored or imported twice."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from datahub.errors import BodyCutShort
from datahub.models import IdempotentAnswer, Import, ImportChunk, Job
from datahub.services import idempotency
from datahub.services.idempotency import Answer
from datahub.services.imports import retries, upload
from datahub.services.imports.retries import import_once
from datahub.services.imports.upload import Upload
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api, together
from tests.datahub.conftest import made, pointers
from tests.datahub.importing import CSV, NDJSON, do_jobs, rows_of

CONTENT = "name,city\nAnn,Rome\n"
OTHER = "name,city\nBen,Oslo\n"


def _send(api: Api, content: str = CONTENT, *, query: str = "table=people", key: str = "one", type: str = CSV) -> Any:
    headers = {"authorization": f"Bearer {api.token}", "idempotency-key": key}
    return api.client.generic("POST", f"/api/v1/imports?{query}", content.encode(), type, headers=headers)


def test_the_same_file_is_answered_the_same_and_imported_once(people: Api):
    first = _send(people)
    do_jobs()
    second = _send(people)
    do_jobs()

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.content == second.content
    assert first["Content-Type"] == second["Content-Type"]
    assert rows_of(people, "people", "name") == [["Ann"]]
    assert (Import.objects.count(), ImportChunk.objects.count(), Job.objects.count()) == (1, 0, 0)


def test_an_import_whose_commit_was_not_heard_of_goes_on(people: Api, monkeypatch: pytest.MonkeyPatch):

    def lose_the_answer(**given: Any) -> Answer:
        idempotency.once(**given)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(retries, "once", lose_the_answer)
    lost = _send(people)
    monkeypatch.undo()
    again = _send(people)
    do_jobs()

    assert (lost.status_code, again.status_code) == (500, 202)
    assert people.get(f"/imports/{again.json()['id']}").json()["state"] == "done"
    assert rows_of(people, "people", "name") == [["Ann"]]


def test_a_key_belongs_to_one_table_whatever_others_are_called(people: Api):
    _send(people)
    do_jobs()
    people.delete("/tables/people")
    made(people.post("/tables", {"name": "People", "columns": [{"name": "Name", "type": "text"}]}))

    assert made(_send(people), 409)["code"] == "idempotency-key-reused"


def test_a_new_table_is_made_once(admin: Api):
    first = _send(admin, query="table=people&create=true")
    do_jobs()

    assert _send(admin, query="table=people&create=true").content == first.content


@pytest.mark.parametrize(
    "other",
    [
        {"content": OTHER},
        {"content": CONTENT + "Ben,Oslo\n"},
        {"content": CONTENT[:-2]},
        {"query": "table=people&create=false"},
        {"content": CONTENT, "type": NDJSON},
    ],
)
def test_a_key_belongs_to_one_file_and_address(people: Api, other: dict[str, str]):
    _send(people)

    assert made(_send(people, **other), 409)["code"] == "idempotency-key-reused"
    assert Import.objects.count() == 1


def test_another_key_is_another_import(people: Api, key: Callable[..., Api]):
    answers = [_send(people), _send(people, key="two"), _send(key("*"))]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert Import.objects.count() == 3


def test_what_was_refused_may_be_sent_again(people: Api):
    refused = _send(people, "nobody\nAnn\n")

    assert refused.status_code == 400
    assert _send(people).status_code == 202


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_key_has_a_length(people: Api, name: str):
    assert pointers(_send(people, key=name)) == ["/Idempotency-Key"]
    assert not Import.objects.exists()


def _import_once(content: bytes, size: int | None = None) -> Answer:
    def take_in(file: Upload) -> Import:
        return upload.take_in(table="people", makes_table=False, upload=file, origin=COMMAND_LINE, owner=None)

    file = Upload("csv", len(content) if size is None else size, io.BytesIO(content))
    return import_once(
        key="one", actor="key", asked="", upload=file, take_in=take_in, show=lambda found: str(found.pk).encode()
    )


def test_a_repeated_file_is_not_stored(people: Api, monkeypatch: pytest.MonkeyPatch):
    first = _import_once(CONTENT.encode())
    monkeypatch.setattr(upload, "_store", None)

    assert _import_once(CONTENT.encode()) == first


def test_a_repeated_file_that_ends_early_is_no_other_file(people: Api):
    _import_once(CONTENT.encode())

    with pytest.raises(BodyCutShort):
        _import_once(CONTENT[:-3].encode(), len(CONTENT))


def test_a_file_whose_import_can_not_be_asked_for_is_deleted(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "ask_for_import", lambda _found: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        _import_once(CONTENT.encode())

    assert not Import.objects.exists()
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_is_imported(people: Api):
    answers = together(lambda _number: _send(people))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert (Import.objects.count(), ImportChunk.objects.count(), Job.objects.count()) == (1, 1, 1)
