"""What the README tells people to do: `make run` in a clone, and a webhook received by ten lines of Python."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import (
    PATIENCE,
    PROJECT,
    Running,
    calling,
    database_url,
    environment,
    free_port,
    is_running,
    run,
    start,
    up,
    wait_for,
)
from tests.readme import block, bodies

__all__ = ["database_url", "start", "up"]

pytestmark = pytest.mark.whichever_database

NOT_IN_A_CLONE = shutil.ignore_patterns(
    *(".venv", ".git", ".env", "var", "node_modules", "__pycache__", ".*_cache", ".hypothesis")
)
INSTALLING = "Installing what the locked requirements name"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone in which everything is installed: its virtual environment is made of links to ours."""
    clone = Path(shutil.copytree(PROJECT, tmp_path / "clone", ignore=NOT_IN_A_CLONE))
    ours, its = Path(sys.prefix), clone / ".venv"
    its.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (its / name).symlink_to(ours / name)
    (its / "made").touch()
    (its / "runs").touch()
    return clone


@pytest.fixture
def make_run(clone: Path, database_url: str) -> Iterator[Callable[[], Running]]:
    """Starts `make run` in the clone, in a process group of its own; where it would install, it says so instead."""
    started: list[Running] = []

    def begin() -> Running:
        port, out, err = free_port(), clone / f"out-{len(started)}", clone / f"err-{len(started)}"
        line = ["make", "run", f"PORT={port}", "PIP=echo pip"]
        variables = environment({"DATABASE_URL": database_url, "SECRET_KEY": ""})
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                line, cwd=clone, env=variables, stdout=stdout, stderr=stderr, start_new_session=True
            )
        started.append(Running(process, port, out, err))
        return started[-1]

    yield begin
    for running in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()


def _stop(running: Running, number: int = signal.SIGTERM) -> list[int]:
    """Send a signal to all that `make run` started, and wait; answers which processes are left."""
    processes = running.descendants()
    os.killpg(running.process.pid, number)
    running.process.wait(PATIENCE)
    wait_for(lambda: not any(map(is_running, processes)))
    return [pid for pid in processes if is_running(pid)]


def test_make_run_serves_again_and_again_and_leaves_nothing_behind(make_run: Callable[[], Running]) -> None:
    running = make_run()
    assert wait_for(running.is_ready), running.err.read_text()
    link = re.search(r"\S+/console/setup\?token=\S+", running.out.read_text())  # makes the first admin
    assert link
    assert httpx.get(f"{running.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(link[0]).status_code == httpx.codes.OK
    _assert_a_signal_ends_all_of_it(running, signal.SIGINT)

    second = make_run()
    assert wait_for(second.is_ready), second.err.read_text()
    assert INSTALLING not in running.out.read_text() + second.out.read_text()
    _assert_a_signal_ends_all_of_it(second, signal.SIGTERM)


def _assert_a_signal_ends_all_of_it(running: Running, number: int) -> None:
    """A signal to the group, as Ctrl-C at a terminal sends it."""
    assert _stop(running, number) == []
    assert "Traceback" not in running.err.read_text()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", running.port))


def test_what_make_run_needs_is_installed_once_when_a_lock_file_has_changed(clone: Path) -> None:
    os.utime(clone / ".venv" / "runs", (0, 0))  # older than any lock file
    make = ["make", ".venv/runs", "PIP=echo pip"]

    after_a_change, once_more = (
        subprocess.run(make, cwd=clone, env=environment({}), capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )

    assert INSTALLING in after_a_change
    assert "pip install --require-hashes -r requirements.lock" in after_a_change
    assert INSTALLING not in once_more
    assert re.search(r"^run: \.venv/runs$", (clone / "Makefile").read_text(), re.MULTILINE)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Runs the README's receiver, on a port of ours, with a secret; answers the file that it prints to."""
    running: list[subprocess.Popen[bytes]] = []
    program, out = tmp_path / "receiver.py", tmp_path / "received"

    def listen(secret: str, port: int) -> Path:
        program.write_text(block("python", "Receiver").replace("9000", str(port)))
        with out.open("wb") as stdout:
            running.append(subprocess.Popen([sys.executable, str(program), secret], stdout=stdout))
        assert wait_for(lambda: _listens(port))
        return out

    yield listen
    for process in running:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_the_five_minutes_end_with_a_received_webhook(
    up: Running, database_url: str, receiver: Callable[[str, int], Path]
) -> None:
    key = run("create_api_key", "demo", "--scope", "*", DATABASE_URL=database_url).stdout.strip()
    port = free_port()
    with calling(up.url, key) as api:
        webhook = api.post("/webhooks", json=bodies("$API/webhooks")[0] | {"url": f"http://127.0.0.1:{port}/"})
        received = receiver(webhook.json()["secret"], port)

        signed_up = api.post("/auth/signup", json=bodies("$API/auth/signup")[0])

        assert (webhook.status_code, signed_up.status_code) == (201, 201)
        assert wait_for(lambda: len(received.read_text().splitlines()) == 2)
        assert sorted(line.split()[1] for line in received.read_text().splitlines()) == sorted(
            ["auth.user_signedUp", "auth.email_verificationRequested"]
        )
        assert "/verify-email?token=" in received.read_text()
