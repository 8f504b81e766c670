"""kill -9 amid a restore or a copy: the database stays empty, and the next one finds it so."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import Installation
from tests.processes import PROJECT, new_database, query

RESTORE = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from fastgen_backend.management.archives import loading
load = loading.load
def die_amid(into, rows):
    if into.table == "events_event":
        os.kill(os.getpid(), signal.SIGKILL)
    load(into, rows)
loading.load = die_amid
call_command("restore", sys.argv[1])
"""
COPY = """
import os, signal, sys
import django; django.setup()
from django.core.management import call_command
from fastgen_backend.management.archives import saving
rows = saving._rows
def die_amid(each):
    if each.table == "events_inboxmail":
        os.kill(os.getpid(), signal.SIGKILL)
    return rows(each)
saving._rows = die_amid
call_command("copy_database", sys.argv[1])
"""
SOURCE = """
import django; django.setup()
from authpages.signing_keys import current_key
from events.services.recording import record_custom_event
from fastgen_backend.origin import COMMAND_LINE
current_key()
for number in range(5):
    record_custom_event(type="custom.a", data={"text": str(number) * 60_000}, origin=COMMAND_LINE)
"""  # more than the pipe between two processes holds
LOADED_BEFORE = ("fastgen_backend_installation", "authpages_signingkey", "events_event")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "target"
    folder.mkdir()
    with new_database(folder) as url:
        yield url


@pytest.fixture
def source(installation: Installation) -> Installation:
    """With some events, and what else an installation has once it was started."""
    installation.run(SOURCE)
    return installation


def _run(source: Installation, *line: str) -> subprocess.CompletedProcess[str]:
    """Run to the end of it and of all that it started; nobody else holds its outputs."""
    return subprocess.run(
        [sys.executable, *line], env=source._environment(), cwd=PROJECT, capture_output=True, text=True, check=False
    )


def _left(url: str) -> list[int]:
    return [query(url, f"SELECT count(*) FROM {table}")[0][0] for table in LOADED_BEFORE]  # noqa: S608  ours


def test_a_restore_that_is_killed_leaves_nothing(source: Installation, target: str, tmp_path: Path):
    file = str(tmp_path / "installation.fgb")
    assert _run(source, "manage.py", "backup", file).returncode == 0
    other = Installation(target, tmp_path)

    died = _run(other, "-c", RESTORE, file)
    left = _left(target)
    again = _run(other, "manage.py", "restore", file)

    assert (died.returncode, left) == (-signal.SIGKILL, [0, 0, 0])
    assert again.returncode == 0, again.stderr
    assert _left(target) == [1, 1, 5]


def test_a_copy_that_is_killed_leaves_nothing(source: Installation, target: str):
    died = _run(source, "-c", COPY, target)
    left = _left(target)
    again = _run(source, "manage.py", "copy_database", target)

    assert (died.returncode, left) == (-signal.SIGKILL, [0, 0, 0])
    assert "The archive is cut off or damaged; nothing was restored." in died.stderr
    assert again.returncode == 0, again.stderr
    assert _left(target) == [1, 1, 5]
