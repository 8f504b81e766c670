"""How long a child that keeps dying is left alone."""

import sys
import time

import pytest

from fastgen_backend.supervisor import LONGEST_PAUSE_SECONDS, STEADY_SECONDS, Child

pytestmark = pytest.mark.whichever_database


def die(child: Child) -> float:
    """Start the child, see it die, and return the pause before its next start."""
    child.due_at = 0
    child.tend()
    assert child.process
    child.process.wait()
    child.tend()
    return child.pause


@pytest.fixture
def child() -> Child:
    return Child("mayfly", [sys.executable, "-S", "-c", "raise SystemExit(3)"])


def test_pauses_double(child: Child):
    pauses = [die(child) for _ in range(4)]

    assert pauses == [0.5, 1, 2, 4]


def test_pauses_grow_to_a_limit(child: Child):
    child.pause = LONGEST_PAUSE_SECONDS

    assert die(child) == LONGEST_PAUSE_SECONDS


def test_who_ran_long_starts_soon_again(child: Child):
    child.pause = LONGEST_PAUSE_SECONDS
    child.tend()
    assert child.process
    child.process.wait()
    child.started_at = time.monotonic() - STEADY_SECONDS

    child.tend()

    assert child.pause == 0.5


def test_people_are_told(child: Child, capfd: pytest.CaptureFixture[str]):
    die(child)

    assert capfd.readouterr().err == "The mayfly ended with status 3; it starts again in 0.5 s.\n"
