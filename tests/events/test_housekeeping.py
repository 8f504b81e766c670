"""What the worker does once a minute: one step that fails holds up no other."""

import pytest
from django.db import OperationalError

from events import housekeeping
from events.housekeeping import STEPS, keep_house


def test_a_step_that_fails_is_told_of_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    taken: list[int] = []

    def fails() -> None:
        raise ValueError("never mind")

    monkeypatch.setattr(housekeeping, "STEPS", [fails, lambda: taken.append(1)])

    keep_house()
    keep_house()

    assert taken == [1, 1]
    assert caplog.text.count("fails failed; it is tried again") == 2


def test_while_the_database_is_away_the_rest_waits(monkeypatch: pytest.MonkeyPatch):
    taken: list[int] = []

    def fails() -> None:
        raise OperationalError

    monkeypatch.setattr(housekeeping, "STEPS", [fails, lambda: taken.append(1)])

    with pytest.raises(OperationalError):
        keep_house()
    assert not taken


def test_signing_keys_wait_for_nothing_else():
    assert STEPS[0].__name__ == "keep_signing_keys"
