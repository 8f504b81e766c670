"""What the worker does once a minute: one step that fails holds up no other."""

import psycopg
import pytest
from django.db import NotSupportedError, OperationalError

from events import housekeeping
from events.housekeeping import STEPS, keep_house


@pytest.mark.parametrize("error", [ValueError("never mind"), OperationalError("deadlock")], ids=["ours", "a deadlock"])
def test_a_step_that_fails_is_told_of_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
):
    error.__cause__ = psycopg.errors.DeadlockDetected()
    taken: list[int] = []

    def fails() -> None:
        raise error

    monkeypatch.setattr(housekeeping, "STEPS", [fails, lambda: taken.append(1)])

    keep_house()
    keep_house()

    assert taken == [1, 1]
    assert caplog.text.count("fails failed; it is tried again") == 2


@pytest.mark.parametrize(
    ("error", "cause"),
    [(OperationalError("gone"), psycopg.OperationalError()), (NotSupportedError("cached plan must not change"), None)],
)
def test_where_the_connection_is_no_good_any_more_the_rest_waits(
    monkeypatch: pytest.MonkeyPatch, error: Exception, cause: Exception | None
):
    taken: list[int] = []

    def fails() -> None:
        raise error from cause

    monkeypatch.setattr(housekeeping, "STEPS", [fails, lambda: taken.append(1)])

    with pytest.raises(type(error)):
        keep_house()
    assert not taken


def test_signing_keys_wait_for_nothing_else():
    assert STEPS[0].__name__ == "keep_signing_keys"
