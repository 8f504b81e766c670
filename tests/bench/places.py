"""Where the bench works: databases and processes of its own, each ended when its part is over."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.processes import PROJECT, environment

STOP_SECONDS = 15
EARNEST = {"ARGON2_MEMORY_KIB": "", "WEB_PROCESSES": "", "THROTTLES": "off"}  # hashes and processes as by default


@contextlib.contextmanager
def new_database(server: str) -> Iterator[str]:
    """The address of an empty database: on the PostgreSQL `server`, or in a SQLite file where that is empty."""
    if not server:
        with tempfile.TemporaryDirectory(prefix="fastgen-bench-", ignore_cleanup_errors=True) as folder:
            yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        return
    name = f"fastgen_bench_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextlib.contextmanager
def running(
    *arguments: str,
    into: int | None = None,
    out: int | None = subprocess.DEVNULL,
    err: int | None = None,
    **variables: str,
) -> Iterator[subprocess.Popen[str]]:
    """A Python process from the project's folder, with nothing in its environment but what it needs and `variables`.

    It leads a process group of its own, which is ended as a whole.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment(EARNEST | variables),
        stdin=into,
        stdout=out,
        stderr=err,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process that leads a group, and the group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def new_api_key(url: str) -> str:
    """A key of the installation in this database that may do everything."""
    made = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "bench", "--scope", "*"],
        cwd=PROJECT,
        env=environment({"DATABASE_URL": url}),
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()
