"""`manage.py up` keeps its processes running, and leaves none behind."""

import http.client
import os
import signal
from collections.abc import Callable

import pytest

from tests.processes import PATIENCE, Running, children_of, is_running, run, wait_for

pytestmark = pytest.mark.whichever_database

Start = Callable[..., Running]


def test_one_command_serves_and_says_where_to_go(up: Running):
    assert wait_for(lambda: len(up.descendants()) == 4)  # web server with two workers, events worker
    link = up.out.read_text().splitlines()[1].strip()
    groups = {os.getpgid(pid) for pid in up.descendants()}

    assert status_of(up.port) == 200
    assert up.out.read_text().splitlines()[-1] == f"Fastgen backend is running at {up.url}"
    assert link.startswith(f"{up.url}/console/setup?token=")  # makes the first admin
    assert status_of(up.port, link.removeprefix(up.url)) == 200
    assert groups == {up.process.pid}  # all processes stay in the group `up` was started in


def test_no_such_link_is_printed_once_there_is_an_admin(start: Start, database_url: str):
    run("migrate", DATABASE_URL=database_url)
    made = run(
        "createsuperuser",
        "--noinput",
        DATABASE_URL=database_url,
        DJANGO_SUPERUSER_EMAIL="ada@example.com",
        DJANGO_SUPERUSER_PASSWORD="correct horse battery",
    )

    running = start()

    assert made.returncode == 0, made.stderr
    assert wait_for(running.is_ready)
    assert "/console/setup" not in running.out.read_text()


def test_a_start_without_throttles_says_so(start: Start):
    running = start(THROTTLES="off")

    assert wait_for(running.is_ready)
    assert "THROTTLES=off" in running.err.read_text()


@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGTERM, os.kill), (signal.SIGINT, os.killpg)],
    ids=["the end of a service", "Ctrl-C at a terminal"],
)
def test_a_signal_stops_everything_cleanly(up: Running, number: int, send: Callable[[int, int], None]):
    descendants = up.descendants()

    send(up.process.pid, number)

    assert up.process.wait(timeout=PATIENCE) == 0
    assert not any(is_running(pid) for pid in descendants)
    assert up.err.read_text() == ""


def test_what_dies_is_started_again(up: Running):
    web = up.child("fastgen_backend.web")
    assert web
    first_workers = set(children_of(web))

    os.kill(min(first_workers), signal.SIGKILL)
    assert wait_for(lambda: len(set(children_of(web)) - first_workers) == 1)
    assert wait_for(lambda: status_of(up.port) == 200)

    workers = children_of(web)
    for word, name in {"fastgen_backend.web": "web server", "events_worker": "events worker"}.items():
        kill_and_wait_for_the_next(up, word)
        assert f"The {name} was ended by SIGKILL" in up.err.read_text()
    assert wait_for(lambda: not any(is_running(pid) for pid in workers))
    assert wait_for(lambda: status_of(up.port) == 200)


def kill_and_wait_for_the_next(up: Running, word: str) -> None:
    first = up.child(word)
    assert first
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: up.child(word) not in {first, None})


def test_children_end_when_up_is_killed_and_the_next_start_waits_for_them(up: Running, start: Start):
    descendants = up.descendants()

    up.process.kill()
    second = start(port=up.port)

    assert wait_for(lambda: not any(is_running(pid) for pid in descendants))
    assert wait_for(second.is_ready), second.err.read_text()


def status_of(port: int, path: str = "/healthz") -> int | None:
    """The status of an answer; None where there is none."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        server.request("GET", path)
        return server.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        server.close()
