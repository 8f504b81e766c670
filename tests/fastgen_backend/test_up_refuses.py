"""A start that can't go well ends with status 1 and one plain sentence."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.processes import PATIENCE, PROJECT, environment, free_port, refusal, run

pytestmark = pytest.mark.whichever_database

BOUND_BY_PERMISSIONS = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # linux/prctl.h, linux/capability.h
if os.geteuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
    sys.exit("root can't give up its power over files here")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_a_taken_port_is_named(database_url: str):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("0.0.0.0", 0)) as all_addresses:
        ports = [each.getsockname()[1] for each in (one, all_addresses)]

        with ThreadPoolExecutor() as beside:  # each waits a moment for the port
            results = list(beside.map(lambda port: run("up", "--port", str(port), DATABASE_URL=database_url), ports))

    for port, result in zip(ports, results, strict=True):
        assert f"Port {port} is taken" in refusal(result)


def test_a_foreign_address_is_refused(database_url: str):
    result = run("up", "--host", "192.0.2.1", DATABASE_URL=database_url, BASE_URL="http://127.0.0.1:8000")

    assert "192.0.2.1" in refusal(result)


def test_an_unknown_host_is_refused(database_url: str):
    result = run("up", "--host", "nowhere.invalid", DATABASE_URL=database_url, BASE_URL="http://127.0.0.1:8000")

    assert "nowhere.invalid" in refusal(result)


def test_a_host_that_others_reach_needs_a_base_url(database_url: str):
    result = run("up", "--host", "0.0.0.0", DATABASE_URL=database_url)

    assert "BASE_URL" in refusal(result)


def test_a_public_base_url_needs_an_email_url(database_url: str):
    result = run("up", DATABASE_URL=database_url, BASE_URL="https://auth.example.com")

    assert "EMAIL_URL" in refusal(result)


def test_the_worker_alone_needs_an_email_url_too(database_url: str):
    result = run("events_worker", DATABASE_URL=database_url, BASE_URL="https://auth.example.com")

    assert result.returncode == 1
    assert "EMAIL_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()

    result = run("up", "--port", str(free_port()), DATABASE_URL=f"sqlite:///{tmp_path}/file/fastgen.sqlite3")

    assert f"{tmp_path}/file" in refusal(result)


def test_a_folder_that_can_not_be_written_to_is_named(tmp_path: Path):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)

    result = up_without_privileges(f"sqlite:///{folder}/fastgen.sqlite3")

    assert f"The folder {folder} can't be written to: permission denied" in refusal(result)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("mode", [0o400, 0o000], ids=["read only", "not even read"])
def test_a_database_file_that_can_not_be_written_to_is_named(tmp_path: Path, mode: int):
    database = tmp_path / "fastgen.sqlite3"
    run("migrate", DATABASE_URL=f"sqlite:///{database}")
    database.chmod(mode)

    result = up_without_privileges(f"sqlite:///{database}")

    assert f"The database file {database} can't be written to" in refusal(result)


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)

    result = run("up", "--port", str(free_port()), DATABASE_URL=f"sqlite:///{tmp_path}/letter.txt")

    assert f"{tmp_path}/letter.txt" in refusal(result)


def test_a_database_in_memory_is_refused():
    result = run("up", "--port", str(free_port()), DATABASE_URL="sqlite://:memory:")

    assert "DATABASE_URL" in refusal(result)


@pytest.mark.parametrize(
    "name_and_value",
    [
        "BASE_URL=auth.example.com",
        "DATABASE_URL=mysql://localhost/fastgen",
        "EMAIL_URL=somewhere",
        "LOG_LEVEL=loud",
        "SECRET_KEY_FILE=/nowhere/key",
        "THROTTLES=perhaps",
        "TRUSTED_PROXIES=all",
        "WEB_PROCESSES=many",
        "WEBHOOK_RETRY_SECONDS=5;10",
    ],
)
def test_a_bad_setting_is_named(name_and_value: str):
    name, _, value = name_and_value.partition("=")
    others = {"SECRET_KEY": ""} if name == "SECRET_KEY_FILE" else {}

    result = run("up", **{name: value}, **others)

    assert refusal(result).startswith("Settings: ")


def up_without_privileges(database_url: str) -> CompletedProcess[str]:
    """Run `up` bound by the permissions of files, even where these tests are run by root."""

    up = [str(PROJECT / "manage.py"), "up", "--port", str(free_port())]
    variables = environment({"DATABASE_URL": database_url})
    line = [sys.executable, "-c", BOUND_BY_PERMISSIONS, *up]
    return subprocess.run(line, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False)
