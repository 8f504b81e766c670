"""kill -9 of workers amid an import: every good row of the file is there once, in its order, and told by one event."""

import signal
import subprocess
import time

import pytest

from datahub.import_files import BATCH_ROWS
from tests.chaos.conftest import LONGEST_WAIT_SECONDS, Installation
from tests.processes import PATIENCE, wait_for

ROWS = 120_000
START = f"""
import io
import django; django.setup()
from datahub.services.imports.upload import Upload, start_import
from fastgen_backend.origin import COMMAND_LINE
content = b"number,text\\n" + b"".join(b"%d,text of row %d\\n" % (each, each) for each in range({ROWS}))
upload = Upload("csv", len(content), io.BytesIO(content))
start_import(table="numbers", makes_table=True, upload=upload, origin=COMMAND_LINE)
"""
DIE_AMID_A_BATCH = """
import os, signal, uuid
import django; django.setup()
from datahub.services.imports import loading
from datahub.services.jobs import claim_job
from datahub.services.work import Working
from events.services.leases import living_workers
batches = 0
def die_before_commit(*_):
    global batches
    batches += 1
    if batches == 3:
        os.kill(os.getpid(), signal.SIGKILL)
loading.keep_rejects = die_before_commit
working = Working(claim_job(worker=uuid.uuid4(), living=living_workers))
while working.step():
    pass
"""


def _is_done(installation: Installation) -> bool:
    return installation.query("SELECT state FROM datahub_import") == [("done",)]


def _assert_all_is_there_once(installation: Installation) -> None:
    [(table,)] = installation.query("SELECT id FROM datahub_table")
    rows = installation.query(f"SELECT c1 FROM dh_{table} ORDER BY id")  # noqa: S608  a name of ours
    events = installation.query("SELECT type FROM events_event ORDER BY id")
    assert [number for (number,) in rows] == list(range(ROWS))
    assert installation.query("SELECT rows_read, rows_imported, rows_rejected FROM datahub_import") == [(ROWS, ROWS, 0)]
    assert [type for (type,) in events] == ["api.dataTable_created", "api.dataTable_imported"]


def test_a_batch_that_was_not_committed_leaves_nothing(installation: Installation):
    installation.run(START)

    with pytest.raises(subprocess.CalledProcessError) as died:
        installation.run(DIE_AMID_A_BATCH)
    [(table,)] = installation.query("SELECT id FROM datahub_table")
    left = installation.count(f"dh_{table}")
    read = installation.query("SELECT rows_read FROM datahub_import")
    installation.start_worker()

    assert died.value.returncode == -signal.SIGKILL
    assert (left, read) == (2 * BATCH_ROWS, [(2 * BATCH_ROWS,)])
    assert wait_for(lambda: _is_done(installation))
    _assert_all_is_there_once(installation)


def test_another_worker_goes_on_with_the_import_of_a_killed_one(installation: Installation):
    installation.run(START)
    one = installation.start_worker()
    assert wait_for(lambda: installation.count("datahub_importbatch") > 0)

    one.kill()
    died = time.monotonic()
    batches = installation.count("datahub_importbatch")
    installation.start_worker()

    assert 0 < batches < ROWS / BATCH_ROWS
    assert wait_for(lambda: installation.count("datahub_importbatch") > batches)
    assert time.monotonic() - died < LONGEST_WAIT_SECONDS
    assert wait_for(lambda: _is_done(installation))
    _assert_all_is_there_once(installation)


def test_a_worker_that_is_told_to_stop_leaves_its_import_to_the_next(installation: Installation):
    installation.run(START)
    one = installation.start_worker()
    assert wait_for(lambda: installation.count("datahub_importbatch") > 0)

    one.terminate()

    assert one.wait(PATIENCE) == 0
    assert not _is_done(installation)
    assert installation.count("events_worker") == 0  # it signed off: what it had is free for the next at once
    installation.start_worker()
    assert wait_for(lambda: _is_done(installation))
    _assert_all_is_there_once(installation)
