"""Runs `manage.py` in real processes and looks at what becomes of them."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

PROJECT = Path(__file__).resolve().parents[1]
KEY = "a-key-for-tests-that-is-long-enough-to-be-taken-for-one"
PATIENCE = 240  # seconds for what happens at once where the machine does nothing else


@dataclass
class Running:
    """An `up` that was started, in a process group of its own."""

    process: subprocess.Popen[bytes]
    port: int
    out: Path
    err: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        return f"running at {self.url}" in self.out.read_text()

    def child(self, word: str) -> int | None:
        """The id of the child whose command line holds `word`, if it runs."""
        return next((pid for pid in children_of(self.process.pid) if word in _command_line(pid)), None)

    def descendants(self) -> list[int]:
        return _below(self.process.pid)


def children_of(pid: int) -> list[int]:
    """The ids of a process's children; none where it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _below(pid: int) -> list[int]:
    children = children_of(pid)
    return children + [below for child in children for below in _below(child)]


def is_running(pid: int) -> bool:
    """Whether a process still does anything; one that only waits for its parent to notice its end does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` to its end, with nothing in its environment but what a test names."""
    line = [sys.executable, str(PROJECT / "manage.py"), *command]
    return subprocess.run(
        line, env=environment(variables), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def calling(url: str, key: str) -> httpx.Client:
    """A program that calls the API there with a key of its own."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=PATIENCE)


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence a refused start printed."""
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    assert result.stderr.endswith(".\n")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def query(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, asked over a connection of its own."""
    if not database_url.startswith("sqlite"):
        with psycopg.connect(database_url) as server:
            return server.execute(statement.encode()).fetchall()
    with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), PATIENCE)) as file, file:
        return file.execute(statement).fetchall()


def environment(variables: dict[str, str]) -> dict[str, str]:
    """An environment with nothing in it but what is needed and `variables`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    unset = dict.fromkeys(["BASE_URL", "EMAIL_URL", "THROTTLES", "SECRET_KEY_FALLBACKS", "DEBUG"], "")  # over any .env
    return kept | unset | {"SECRET_KEY": KEY, "WEB_PROCESSES": "2", "ARGON2_MEMORY_KIB": "64"} | variables


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@contextlib.contextmanager
def new_database(folder: Path) -> Iterator[str]:
    """A new database of the kind that this run of the suite is about; a file is in the folder."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{folder / 'fastgen.sqlite3'}"
        return
    name = f"fastgen_up_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextlib.contextmanager
def starting(folder: Path, database_url: str) -> Iterator[Callable[..., Running]]:
    """Starts `up` on a free port, and ends all it left in the end."""
    started: list[Running] = []

    def start_up(port: int | None = None, **variables: str) -> Running:
        port = port or free_port()
        out, err = folder / f"out-{len(started)}", folder / f"err-{len(started)}"
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

    try:
        yield start_up
    finally:
        for running in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """A new database."""
    with new_database(tmp_path) as url:
        yield url


@pytest.fixture
def start(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Running]]:
    """Starts `up` on a free port, and ends all it left when the test is over."""
    with starting(tmp_path, database_url) as start_up:
        yield start_up


@pytest.fixture
def up(start: Callable[..., Running]) -> Running:
    """An `up` that is ready."""
    running = start()
    assert wait_for(running.is_ready), running.err.read_text()
    return running
