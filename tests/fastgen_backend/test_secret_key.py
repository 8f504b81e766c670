"""The secret key that the first start makes."""

import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import KEY, PROJECT, environment

PRINT_KEY = "from fastgen_backend.settings import SECRET_KEY; print(SECRET_KEY)"
PRINT_KEYS = """
import sys
from pathlib import Path
from fastgen_backend.environment import secret_key
for line in sys.stdin:
    print(secret_key(Path(line.rstrip())), flush=True)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a fresh clone as the settings need."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "fastgen_backend", tmp_path / "fastgen_backend", ignore=ignore)
    return tmp_path


@pytest.fixture
def processes(clone: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Four processes that ask for a key each time they are told a file."""
    line = [sys.executable, "-c", PRINT_KEYS]
    with ExitStack() as stack:
        variables = environment({"SECRET_KEY": ""})
        yield [
            stack.enter_context(
                subprocess.Popen(
                    line, cwd=clone, env=variables, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            for _ in range(4)
        ]


def test_the_first_start_makes_a_key_that_its_owner_alone_may_read(clone: Path):
    key = key_of_a_start(clone)

    (file,) = (clone / "var").iterdir()
    assert (file.name, file.read_text()) == ("secret_key", key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) >= 64


def test_the_second_start_uses_the_key_of_the_first(clone: Path):
    assert key_of_a_start(clone) == key_of_a_start(clone)


def test_installations_do_not_share_a_key(clone: Path):
    first = key_of_a_start(clone)
    (clone / "var" / "secret_key").unlink()

    assert key_of_a_start(clone) != first


def test_processes_that_start_together_have_one_key(clone: Path, processes: list[subprocess.Popen[str]]):
    for number in range(50):
        keys = answers(processes, f"{clone}/var-{number}/secret_key")

        assert len(keys) == 1
        assert len(keys.pop()) >= 64


def test_a_key_that_is_given_is_used_and_none_is_made(clone: Path):
    assert key_of_a_start(clone, SECRET_KEY=KEY) == KEY
    assert not (clone / "var").exists()


def key_of_a_start(clone: Path, **variables: str) -> str:
    """The key that a process has which starts there."""
    line = [sys.executable, "-c", PRINT_KEY]
    variables = environment({"SECRET_KEY": ""} | variables)
    return subprocess.run(line, cwd=clone, env=variables, capture_output=True, text=True, check=True).stdout.strip()


def answers(processes: list[subprocess.Popen[str]], question: str) -> set[str]:
    """What the processes say when all are asked at once."""
    for process in processes:
        assert process.stdin
        process.stdin.write(f"{question}\n")
        process.stdin.flush()
    return {process.stdout.readline().strip() for process in processes if process.stdout}
