"""kill -9 amid a change of type, within one transaction or in the background: nothing is half-done, and it goes on."""

import signal
import subprocess

import pytest

from tests.chaos.conftest import Installation
from tests.processes import wait_for

ROWS = 11_000
SMALL = 1000
START = f"""
import django; django.setup()
from datahub.access import EVERYTHING
from datahub.services.column_checks import NewColumn
from datahub.services.rows import create_rows
from datahub.services.tables import create_table
from fastgen_backend.origin import COMMAND_LINE
table = create_table(name="Items", columns=[NewColumn("Size", "text", indexed=True)], origin=COMMAND_LINE)
for start in range(0, {ROWS}, 1000):
    items = [{{"size": str(number)}} for number in range(start, start + 1000)]
    create_rows(table=table, items=items, caller=EVERYTHING, origin=COMMAND_LINE)
"""
CHANGE = """
import os, signal
import django; django.setup()
from datahub.dynamic import find_table
from datahub.services import background_conversion, columns, conversion
from fastgen_backend.origin import COMMAND_LINE
conversion.AT_ONCE_MAX = {at_once}
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{death}
change = columns.ColumnChange({{"type": "integer"}})
columns.change_column(table=find_table("items"), id_or_key="size", change=change, origin=COMMAND_LINE)
"""
WORK = """
import os, signal, uuid
import django; django.setup()
from datahub.services import background_conversion
from datahub.services.jobs import claim_job
from datahub.services.work import Working
from events.services.leases import living_workers
portions = 0
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def die_amid_the_second(*_):
    global portions
    portions += 1
    if portions == 2:
        die()
background_conversion.{place} = {death}
working = Working(claim_job(worker=uuid.uuid4(), living=living_workers))
while working.step():
    pass
"""


@pytest.fixture
def items(installation: Installation) -> Installation:
    """An installation with a table of 11,000 texts that are numbers."""
    installation.run(START)
    return installation


def _dies(installation: Installation, code: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as died:
        installation.run(code)
    assert died.value.returncode == -signal.SIGKILL


def _is_as_it_was(installation: Installation) -> bool:
    columns = installation.query("SELECT number, type FROM datahub_column WHERE hidden_at IS NULL")
    return columns == [(1, "text")]


def _assert_all_is_converted(installation: Installation, versions: int) -> None:
    [(table, version)] = installation.query("SELECT id, version FROM datahub_table")
    [(number, type)] = installation.query("SELECT number, type FROM datahub_column WHERE hidden_at IS NULL")
    rows = installation.query(f"SELECT c{number} FROM dh_{table} ORDER BY id")  # noqa: S608  names of ours
    updates = installation.query("SELECT count(*) FROM events_event WHERE type = 'api.dataTable_updated'")
    assert type == "integer"
    assert [value for (value,) in rows] == list(range(ROWS))
    assert (version, updates) == (versions, [(versions - 1,)])
    assert installation.count("datahub_job") == 0
    installation.run("import django; django.setup()\nfrom django.core.management import call_command as call\n"
                     "call('datahub_check')")  # fmt: skip


def test_one_within_a_transaction_is_as_if_it_had_never_been(items: Installation):
    death = "columns.raise_version = die"

    _dies(items, CHANGE.format(at_once=ROWS, death=death))

    assert _is_as_it_was(items)
    assert items.count("datahub_column") == 1
    items.run(CHANGE.format(at_once=ROWS, death=""))
    _assert_all_is_converted(items, versions=2)


@pytest.mark.parametrize(
    ("place", "death"), [("_note", "die_amid_the_second"), ("_switch", "die"), ("raise_version", "die")]
)
def test_another_worker_goes_on_with_one_in_the_background(items: Installation, place: str, death: str):
    items.run(CHANGE.format(at_once=SMALL, death=""))

    _dies(items, WORK.format(place=place, death=death))

    assert _is_as_it_was(items)
    items.start_worker()
    assert wait_for(lambda: not items.count("datahub_conversion"))
    _assert_all_is_converted(items, versions=3)
