"""Answers that are kept for a moment."""

import time

from fastgen_backend.kept import Kept


def test_what_took_long_to_find_out_is_kept_as_long_as_anything_else():
    found: list[int] = []

    def find() -> int:
        time.sleep(0.02)
        found.append(len(found))
        return found[-1]

    kept = Kept(find, seconds=0.01)

    assert (kept.read(), kept.read()) == (0, 0)
