"""How a soak ends: each limit with its verdict, and a part that fails keeps no other from its turn."""

from collections.abc import Iterator

import pytest

from tests.bench.figures import Figure
from tests.soak.__main__ import run

pytestmark = pytest.mark.whichever_database


def _kept(server: str, many: int) -> Iterator[Figure]:
    yield Figure("PostgreSQL", "a page that is quick", "ms", [3], most=4)


def _missed(server: str, many: int) -> Iterator[Figure]:
    yield Figure("PostgreSQL", "a page that is slow", "ms", [9], "few", [3], most_ratio=2)


def _failing(server: str, many: int) -> Iterator[Figure]:
    yield from _kept(server, many)
    raise RuntimeError("/api/v1/users answered 500")


def test_a_soak_that_keeps_its_limits_is_well(capsys: pytest.CaptureFixture[str]):
    assert run({"quick": _kept}, "", 1)

    assert "Limits missed: 0. Parts that failed: 0." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        (_missed, ["ratio ≤ 2  SHORT", "Limits missed: 1. Parts that failed: 0."]),
        (_failing, ["Limits missed: 0. Parts that failed: 1.", "worse: RuntimeError: /api/v1/users answered 500"]),
    ],
)
def test_a_limit_that_is_missed_and_a_part_that_fails_are_told_with_all_else(
    capsys: pytest.CaptureFixture[str], worse: object, said: list[str]
):
    assert not run({"worse": worse, "quick": _kept}, "", 1)  # type: ignore[dict-item]

    told = capsys.readouterr().out
    assert "a page that is quick" in told
    assert all(each in told for each in said), told
