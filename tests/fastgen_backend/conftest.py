"""Real processes: `manage.py up` with a database of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.fastgen_backend.running import PROJECT, Running, environment, free_port, wait_for


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """A new database of the kind that this run of the suite is about."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'fastgen.sqlite3'}"
        return
    name = f"fastgen_up_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def start(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Running]]:
    """Starts `up` on a free port, and ends all it left when the test is over."""
    started: list[Running] = []

    def start_up(port: int | None = None, **variables: str) -> Running:
        port = port or free_port()
        out, err = tmp_path / f"out-{len(started)}", tmp_path / f"err-{len(started)}"
        line = [sys.executable, str(PROJECT / "manage.py"), "up", "--port", str(port)]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                line,
                stdout=stdout,
                stderr=stderr,
                env=environment({"DATABASE_URL": database_url} | variables),
                start_new_session=True,
            )
        started.append(Running(process, port, out, err))
        return started[-1]

    yield start_up
    for running in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()


@pytest.fixture
def up(start: Callable[..., Running]) -> Running:
    """An `up` that is ready."""
    running = start()
    assert wait_for(running.is_ready), running.err.read_text()
    return running
