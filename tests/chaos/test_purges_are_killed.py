"""kill -9 amid the purge of a column: it is there or gone, and the next worker does what is left."""

import signal
import subprocess

import pytest

from tests.chaos.conftest import Installation
from tests.processes import wait_for

START = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from datahub.access import EVERYTHING
from datahub.models import Column
from datahub.services.column_checks import NewColumn
from datahub.services.columns import hide_column
from datahub.services.housekeeping import keep_house
from datahub.services.rows import create_rows
from datahub.services.tables import create_table
from fastgen_backend.origin import COMMAND_LINE
columns = [NewColumn("Name", "text"), NewColumn("Size", "text", indexed=True)]
table = create_table(name="Items", columns=columns, origin=COMMAND_LINE)
items = [{"name": str(number), "size": "x"} for number in range(1000)]
create_rows(table=table, items=items, caller=EVERYTHING, origin=COMMAND_LINE)
hide_column(table=table, id_or_key="size", origin=COMMAND_LINE)
Column.objects.filter(key="size").update(hidden_at=timezone.now() - timedelta(days=31))
keep_house()
"""
WORK = """
import os, signal, uuid
import django; django.setup()
from datahub.services import jobs, purging
from datahub.services.work import Working
from events.services.leases import living_workers
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{place} = die
Working(jobs.claim_job(worker=uuid.uuid4(), living=living_workers)).step()
"""


def _physical_columns(installation: Installation) -> int:
    """How many columns of users the table has."""
    [(table,)] = installation.query("SELECT id FROM datahub_table")
    if installation.url.startswith("sqlite"):
        names = installation.query(f"SELECT name FROM pragma_table_info('dh_{table}')")  # noqa: S608  a name of ours
    else:
        names = installation.query(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = 'dh_{table}'"  # noqa: S608  ours
        )
    return len([name for (name,) in names if name in {"c1", "c2"}])


@pytest.mark.parametrize(("place", "left"), [("purging.rebuild_if_worn", 2), ("jobs.finish", 1)])
def test_another_worker_does_what_is_left(installation: Installation, place: str, left: int):
    installation.run(START)

    with pytest.raises(subprocess.CalledProcessError) as died:
        installation.run(WORK.format(place=place))

    assert died.value.returncode == -signal.SIGKILL
    assert (_physical_columns(installation), installation.count("datahub_column")) == (left, left)
    assert installation.count("datahub_job") == 1
    installation.start_worker()
    assert wait_for(lambda: not installation.count("datahub_job"))
    assert (_physical_columns(installation), installation.count("datahub_column")) == (1, 1)
