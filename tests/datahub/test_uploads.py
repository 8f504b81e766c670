"""A file is taken in megabyte by megabyte; one that does not come to its end leaves nothing."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from datahub.errors import BodyCutShort, NoSuchTable
from datahub.models import Import, ImportChunk, Job, Table
from datahub.services.imports import upload
from datahub.services.imports.retries import import_once
from datahub.services.imports.upload import Upload, delete_abandoned_uploads, start_import, take_in
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api
from tests.datahub.conftest import made, pointers
from tests.datahub.importing import do_jobs, imported, rows_of, send, state_of

pytestmark = pytest.mark.django_db


class Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time, as a slow network does, and no more than asked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        self.most = max(self.most, size)
        return super().read(min(size, 7))


def start(stream: io.BytesIO, size: int) -> Import:
    taken = Upload("csv", size, stream)
    return start_import(table="people", makes_table=False, upload=taken, origin=COMMAND_LINE)


def test_a_file_is_stored_in_chunks_of_one_size(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upload, "CHUNK_BYTES", 12)
    content = b"name,city\nAnn,Rome\nBen,Oslo\n"

    found = start(stream := Dripping(content), len(content))

    chunks = [
        bytes(each)
        for each in ImportChunk.objects.filter(of=found).order_by("number").values_list("content", flat=True)
    ]
    assert [len(chunk) for chunk in chunks] == [12, 12, 4]
    assert b"".join(chunks) == content
    assert stream.most <= 12


def test_letters_and_rows_may_lie_across_chunks(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upload, "CHUNK_BYTES", 12)

    imported(people, "table=people", 'name,city\n"Ännchen ß","Zürich\n"\n')

    assert rows_of(people, "people", "name", "city") == [["Ännchen ß", "Zürich\n"]]


def test_a_body_that_is_cut_short_leaves_nothing(people: Api):
    with pytest.raises(BodyCutShort):
        start(io.BytesIO(b"name\nAnn\n"), 100)

    assert not Import.objects.exists()
    assert not ImportChunk.objects.exists()


def test_a_connection_that_breaks_leaves_nothing(people: Api):
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError("gone")
            return super().read(5)

    with pytest.raises(OSError, match="gone"):
        start(Breaking(b"name\nAnn\n"), 9)

    assert not Import.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reads", [1, 3])
@pytest.mark.parametrize("is_repeatable", [True, False])
def test_a_table_that_is_deleted_meanwhile_is_not_there(
    people: Api, monkeypatch: pytest.MonkeyPatch, reads: int, is_repeatable: bool
):
    monkeypatch.setattr(upload, "CHUNK_BYTES", 12)
    content = b"name,city\nAnn,Rome\nBen,Oslo\n"

    class Deleting(Dripping):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 7 * reads and Table.objects.exists():
                assert people.delete("/tables/people").status_code == 204
            return super().read(size)

    begin = _import_once if is_repeatable else _start_import
    with pytest.raises(NoSuchTable):
        begin(Upload("csv", len(content), Deleting(content)))

    assert (Import.objects.count(), ImportChunk.objects.count(), Job.objects.count()) == (0, 0, 0)


def _start_import(upload: Upload) -> None:
    start_import(table="people", makes_table=False, upload=upload, origin=COMMAND_LINE)


def _import_once(upload: Upload) -> None:
    import_once(key="k", actor="a", asked="", upload=upload, take_in=_take_in, show=lambda _found: b"")


def _take_in(upload: Upload) -> Import:
    return take_in(table="people", makes_table=False, upload=upload, origin=COMMAND_LINE, owner=None)


def test_a_header_that_does_not_end_in_the_first_chunk_is_refused(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upload, "CHUNK_BYTES", 10)

    assert pointers(send(people, "table=people", '"name,city\nand so on')) == ["/headers"]


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(people: Api):
    answer = people.client.generic(
        "POST",
        "/api/v1/imports?table=people",
        b"name\n",
        "text/csv",
        headers={"authorization": f"Bearer {people.token}"},
        CONTENT_LENGTH="1000000001",
    )

    assert answer.status_code == 413


def test_an_import_is_not_seen_before_its_file_is_complete(people: Api):
    unfinished = Import.objects.create(table_key="people", format="csv")

    assert people.get(f"/imports/{unfinished.pk}").status_code == 404


def test_uploads_that_never_ended_are_forgotten_in_time(people: Api):
    old = timezone.now() - timedelta(days=2)
    Import.objects.create(table_key="people", format="csv", created_at=old)
    young = Import.objects.create(table_key="people", format="csv")
    done = Import.objects.create(table_key="people", format="csv", state="done", created_at=old)

    assert delete_abandoned_uploads(timezone.now()) == 1

    assert {each.pk for each in Import.objects.all()} == {young.pk, done.pk}


def test_a_quote_that_is_never_closed_ends_the_import_with_its_line(people: Api):
    content = 'name\nAnn\n"Ben\n' + ("x" * 99 + "\n") * 102_000

    id = made(send(people, "table=people", content), 202)["id"]
    do_jobs()

    result = state_of(people, id)
    assert result["state"] == "failed"
    assert result["detail"].startswith("Line 3 ")
    assert not Job.objects.exists()
