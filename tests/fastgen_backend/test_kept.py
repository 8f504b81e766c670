"""Answers that are kept for a moment."""

import threading
from types import SimpleNamespace

import pytest

from fastgen_backend.kept import Kept
from tests.processes import PATIENCE


def test_what_took_long_to_find_out_is_kept_as_long_as_anything_else(monkeypatch: pytest.MonkeyPatch):
    found, clock = list[int](), SimpleNamespace(now=0.0)
    monkeypatch.setattr("fastgen_backend.kept.time", SimpleNamespace(monotonic=lambda: clock.now))

    def find() -> int:
        clock.now += 0.3
        found.append(len(found))
        return found[-1]

    kept = Kept(find, seconds=0.25)

    assert (kept.read(), kept.read()) == (0, 0)


def test_who_asks_while_somebody_waits_for_the_answer_does_not_wait_for_ever():
    begun, ended = threading.Event(), threading.Event()

    def find() -> bool:
        begun.set()
        return ended.wait(PATIENCE)

    kept = Kept(find, seconds=60, patience=0.05)
    first = threading.Thread(target=kept.read)
    first.start()
    begun.wait(PATIENCE)

    with pytest.raises(TimeoutError):
        kept.read()
    ended.set()
    first.join()

    assert kept.read()
