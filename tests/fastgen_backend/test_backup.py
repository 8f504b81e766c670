"""`manage.py backup` and `restore`: all of an installation comes back, or nothing does and a sentence says why."""

import io
import json
import re
import stat
import tarfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from authpages.models import User
from authpages.tokens import forget_keys
from datahub.models import Table
from datahub.services.inspection import inspect as inspect_tables
from events.models import Delivery, Event, LogHead, Outage, Subscriber, Webhook
from events.services.inspection import inspect
from events.services.recording import record_custom_event
from events.services.sequencing import sequence_events
from events.services.trials import claim_trials
from fastgen_backend.ids import uuid7
from fastgen_backend.management.archives import contents, saving
from fastgen_backend.management.archives.archive import PART_BYTES, Reader, Writer
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.management.archives.restoring import restore
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api
from tests.fastgen_backend.installations import FULL, OTHER, empty, fill, is_empty, opened, rows_of, saved
from tests.processes import PATIENCE

OLDER = "0007_replays_are_kept_with_how_far_they_are"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(transactional_db: None, key: Callable[..., Api]) -> Api:
    return key("*")


@pytest.fixture
def session(admin: Api, api: Api) -> dict[str, Any]:
    """Ann’s, in an installation with something of everything."""
    return fill(admin, api)


def test_everything_comes_back(admin: Api, api: Api, session: dict[str, Any]):
    before, archive = admin.get("/tables/all/rows").json()["items"], saved()
    empty()

    restored = restore(opened(archive))

    forget_keys()
    rows = rows_of(archive)
    assert rows_of(saved()) == rows
    assert restored.rows == sum(map(len, rows.values()))
    assert (inspect_tables().flaws, inspect(at_rest=True).flaws) == ([], [])
    assert admin.get("/tables/all/rows").json()["items"] == before
    assert api.get("/auth/me").json()["email"] == "ann@example.com"
    assert api.post("/auth/refresh", {"refreshToken": session["refreshToken"]}).status_code == 200


def test_every_value_of_a_row_is_what_it_was(admin: Api, session: dict[str, Any]):
    archive = saved()
    empty()

    restore(opened(archive))

    first, second, third = admin.get("/tables/all/rows").json()["items"]
    assert admin.post("/tables/all/columns/choice/restore").status_code == 200
    assert admin.get(f"/tables/all/rows/{first['id']}").json().items() >= FULL.items()
    assert second.items() >= OTHER.items()
    assert (second["othersfalse"], second["otherstrue"]) == (first["id"], [first["id"]])
    assert third["text"] is None
    assert admin.get("/tables/all/rows?datetime=2026-11-27T12:00:00Z").json()["items"] == [{**first, "choice": "ß"}]


def test_what_comes_afterwards_has_numbers_of_its_own(admin: Api, session: dict[str, Any]):
    gone = admin.post("/tables", {"name": "Gone"}).json()["id"]
    number = Table.objects.get(uid=gone).pk
    admin.delete(f"/tables/{gone}")
    head = LogHead.objects.get().position
    archive = saved()
    empty()

    restore(opened(archive))

    assert admin.post("/tables", {"name": "New"}).status_code == 201
    sequence_events()
    assert Table.objects.get(key="new").pk == number + 1
    assert Event.objects.latest("position").position == head + 3  # made, gone and new
    assert inspect(at_rest=True).flaws == []


def test_an_empty_installation_comes_back_too(transactional_db: None):
    archive = saved()
    empty()

    restore(opened(archive))

    assert rows_of(saved()) == rows_of(archive)


def test_an_archive_is_of_one_moment(admin: Api, session: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    """What is written while it is made is written at once, and is no part of it."""
    real = saving._rows
    made: list[None] = []

    def write_meanwhile(each: Any) -> Any:
        if not made:
            with ThreadPoolExecutor(1) as pool:
                made.append(pool.submit(_happen).result(timeout=PATIENCE))
        return real(each)

    monkeypatch.setattr(saving, "_rows", write_meanwhile)
    events = Event.objects.count()

    archive = saved()

    assert Event.objects.count() == events + 1
    assert len(rows_of(archive)["events_event"]) == events


def test_a_table_that_is_emptied_meanwhile_is_saved_whole(
    admin: Api, session: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("datahub.locks.CHANGE_SECONDS", PATIENCE)
    real, clearing = saving._rows, threading.Thread(target=lambda: _clear(admin))

    def clear_meanwhile(each: Any) -> Any:
        if not clearing.ident:
            clearing.start()
            clearing.join(0.5)  # PostgreSQL has it wait for the end
        return real(each)

    monkeypatch.setattr(saving, "_rows", clear_meanwhile)

    archive = saved()
    clearing.join()

    table = Table.objects.get()
    assert len(rows_of(archive)[table.db_table]) == 3
    assert admin.get("/tables/all/rows").json()["items"] == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite shows those who read a table until they end")
def test_where_a_table_is_deleted_as_it_begins_it_says_so(
    admin: Api, session: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    def found_before_one_is_deleted() -> list[Table]:
        found = definitions()
        deleting = threading.Thread(target=lambda: _delete(admin))
        deleting.start()
        deleting.join()
        return found

    definitions = contents.definitions
    monkeypatch.setattr(contents, "definitions", found_before_one_is_deleted)

    with pytest.raises(Refused, match="deleted just now"):
        saved()


def _delete(admin: Api) -> None:
    assert admin.delete("/tables/all").status_code == 204
    connection.close()


def _clear(admin: Api) -> None:
    assert admin.post("/tables/all/clear").status_code == 204
    connection.close()


def _happen() -> None:
    record_custom_event(type="custom.meanwhile", data={}, origin=COMMAND_LINE)
    connection.close()


def test_many_rows_are_saved_in_parts(admin: Api, session: dict[str, Any]):
    rows = [{"longtext": "y" * 99_000} for _ in range(25)]
    assert admin.post("/tables/all/rows", rows).status_code == 201
    archive = saved()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        parts = [member for member in tar if "/dh_" in member.name]
    empty()

    restore(opened(archive))

    assert [part.size < PART_BYTES + 200_000 for part in parts] == [True] * 3
    assert len(admin.get("/tables/all/rows?limit=200").json()["items"]) == 28


def test_an_archive_of_an_older_version_is_restored_and_migrated(admin: Api, session: dict[str, Any]):
    """As a version without the events' migrations from 0008 on would have made it."""
    archive = saved()
    empty()
    MigrationExecutor(connection).migrate([("events", OLDER)])
    older = _as_of_now(opened(archive))

    restored = restore(opened(older), webhooks_off=True)

    assert Subscriber.objects.get().forgotten == 0
    assert (restored.switched_off, Subscriber.objects.get().enabled) == (1, False)
    assert Outage.objects.get(until=None).reason == Webhook.OFF_IN_A_COPY
    assert User.objects.get().email == "ann@example.com"
    assert inspect_tables().flaws == []


def _as_of_now(reader: Reader) -> bytes:
    """The same archive as it would be of the tables and columns that the database has at the moment."""
    stream, manifest, rows = io.BytesIO(), reader.manifest, dict[str, list[list[Any]]]()
    for table, part in reader.parts():
        rows.setdefault(table, []).extend(part)
    there = contents.existing_tables()
    tables = []
    for told in manifest["tables"]:
        if (table := told["table"]) in there or table.startswith("dh_"):
            columns = contents.existing_columns(table) if table in there else {name for name, _kind in told["columns"]}
            places = [place for place, (name, _kind) in enumerate(told["columns"]) if name in columns]
            tables.append({"table": table, "columns": [told["columns"][place] for place in places]})
            rows[table] = [[row[place] for place in places] for row in rows.get(table, [])]
    writer = Writer(stream, {**manifest, "tables": tables, "migrations": contents.applied_migrations()})
    for told in tables:
        writer.write_table(told["table"], iter(rows[told["table"]]))
    writer.finish()
    return stream.getvalue()


# What is refused -----------------------------------------------------------------------------------------------------


def _refused(archive: bytes) -> str:
    """Why nothing of it was restored."""
    empty()
    with pytest.raises(Refused) as refusal:
        restore(opened(archive))
    assert is_empty()
    return str(refusal.value)


def _altered(archive: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The same archive with other members, as somebody without the key could make it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            source = old.extractfile(member)
            assert source
            if (content := change(member.name, source.read())) is not None:
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
    return out.getvalue()


def test_one_that_is_cut_off_is_refused_wherever_it_is(session: dict[str, Any]):
    archive = saved()

    for length in (len(archive) // 2, len(archive) - 100):
        assert "damaged" in _refused(archive[:length])


def test_one_without_its_end_is_refused(session: dict[str, Any]):
    altered = _altered(saved(), lambda name, content: None if name == "seal.json" else content)

    assert "damaged" in _refused(altered)


@pytest.mark.parametrize("part", ["authpages_user/", "manifest.json"])
def test_one_that_was_changed_is_refused(session: dict[str, Any], part: str):
    def change(name: str, content: bytes) -> bytes:
        if part not in name:
            return content
        changed = content.replace(b"ann@", b"eve@").replace(b'"version": "0', b'"version": "1')
        assert changed != content
        return changed

    assert _refused(_altered(saved(), change)).startswith("The archive was changed after it was made")


def test_one_with_a_member_left_out_is_refused(session: dict[str, Any]):
    altered = _altered(saved(), lambda name, content: None if "authpages_user/" in name else content)

    assert _refused(altered)


def test_no_name_from_an_archive_gets_into_a_statement(session: dict[str, Any]):
    def change(name: str, content: bytes) -> bytes:
        return content.replace(b'"email_key"', b'"email_key) VALUES (1); DROP TABLE x; --"')

    assert "damaged" in _refused(_altered(saved(), change))


def test_one_of_another_key_is_refused(session: dict[str, Any], settings: Any):
    archive = saved()
    settings.SECRET_KEY = "another-key-that-is-long-enough-to-be-taken-for-one"

    assert _refused(archive).startswith("SECRET_KEY does not open the archive’s secrets")


def test_one_of_a_newer_version_is_refused(session: dict[str, Any]):
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        manifest = json.loads(content)
        manifest["migrations"].append(["events", "9999_from_the_future"])
        return json.dumps(manifest).encode()

    refusal = _refused(_altered(saved(), change))

    assert refusal.startswith("The archive was made by a newer version of Fastgen backend")
    assert "events.9999_from_the_future" in refusal


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8bhello", b"\0" * 10_240])
def test_another_file_is_refused(transactional_db: None, content: bytes):
    with pytest.raises(Refused, match=r"This is no archive of Fastgen backend"):
        opened(content)


def test_a_database_that_holds_anything_is_left_alone(admin: Api, session: dict[str, Any]):
    archive = saved()
    before = rows_of(archive)

    with pytest.raises(Refused, match=r"The database is not empty: there is something in \w+\."):
        restore(opened(archive))

    assert rows_of(saved()) == before


# The file ------------------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_and_is_overwritten_only_by_force(
    session: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "installation.fgb"
    call_command("backup", str(file))
    first = file.read_bytes()

    with pytest.raises(SystemExit, match="is there already"):
        call_command("backup", str(file))
    unchanged = file.read_bytes() == first
    call_command("backup", str(file), force=True)

    assert unchanged
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert rows_of(file.read_bytes()) == rows_of(first)
    assert re.fullmatch(r"(Saved \d+ rows of \d+ tables\.\n){2}", capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_without_hard_links_takes_it_too(
    session: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*names: Any, **options: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)

    call_command("backup", str(tmp_path / "installation.fgb"))

    assert rows_of((tmp_path / "installation.fgb").read_bytes()) == rows_of(saved())


def test_a_file_that_came_meanwhile_is_left_alone(
    session: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file, rows = tmp_path / "installation.fgb", saving._rows

    def write_meanwhile(each: Any) -> Any:
        file.write_text("somebody’s")
        return rows(each)

    monkeypatch.setattr(saving, "_rows", write_meanwhile)

    with pytest.raises(SystemExit, match="is there by now"):
        call_command("backup", str(file))

    assert (file.read_text(), list(tmp_path.iterdir())) == ("somebody’s", [file])


def test_a_backup_that_fails_leaves_no_file(session: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(each: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "_rows", fail)

    with pytest.raises(SystemExit, match="no space left on device"):
        call_command("backup", str(tmp_path / "installation.fgb"))

    assert list(tmp_path.iterdir()) == []


def test_a_file_is_read_whole_before_anything_is_written(
    session: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "installation.fgb"
    archive = saved()
    file.write_bytes(archive[:-20])
    empty()
    monkeypatch.setattr("fastgen_backend.management.commands.restore.restore", pytest.fail)

    with pytest.raises(SystemExit, match="cut off or damaged"):
        call_command("restore", str(file))


def test_the_command_tells_what_it_restored(
    session: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "installation.fgb"
    call_command("backup", str(file))
    empty()

    call_command("restore", str(file))

    assert re.search(r"^Restored \d+ rows of \d+ tables in [\d.]+ s\.$", capsys.readouterr().out, re.MULTILINE)
    assert User.objects.count() == 1


def test_a_copy_calls_no_webhook_where_that_is_asked_for(
    admin: Api, session: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "installation.fgb"
    admin.post(f"/webhooks/{Webhook.objects.get().pk}/test")
    call_command("backup", str(file))
    empty()

    call_command("restore", str(file), "--webhooks-off")
    called = claim_trials(uuid7(), 10)
    [webhook] = admin.get("/webhooks").json()["items"]
    promised = Delivery.objects.filter(subscriber=webhook["id"]).count()
    admin.post("/events", {"type": "custom.b", "data": {}})
    sequence_events()

    assert "Webhooks switched off: 1." in capsys.readouterr().out
    assert (webhook["enabled"], Webhook.objects.get().disabled_reason) == (False, Webhook.OFF_IN_A_COPY)
    assert not Webhook.objects.in_trouble().exists()
    assert Delivery.objects.filter(subscriber=webhook["id"]).count() == promised > 0
    assert called == []
    assert admin.get(f"/webhooks/{webhook['id']}/replay?kind=missed").json()["total"] == 1
