"""What was measured: figures with their yardsticks, as a table for people and as JSON for programs."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Figure:
    """One thing measured in several rounds, each beside its `yardstick`, taken right before it; the median counts.

    The aim is the `least_ratio` or `most_ratio` to the yardstick, or the `least` or `most` of the figure itself.
    """

    database: str
    work: str
    unit: str
    values: Sequence[float]
    against: str = ""
    yardstick: Sequence[float] = field(default_factory=list)
    least_ratio: float | None = None
    most_ratio: float | None = None
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios."""
        if not self.yardstick:
            return None
        return statistics.median(value / base for value, base in zip(self.values, self.yardstick, strict=True))

    @property
    def aim(self) -> str:
        aims = {"ratio ≥": self.least_ratio, "ratio ≤": self.most_ratio, "≥": self.least, "≤": self.most}
        return ", ".join(f"{sign} {number:,g}" for sign, number in aims.items() if number is not None)

    @property
    def is_met(self) -> bool:
        return (
            (self.least_ratio is None or (self.ratio or 0) >= self.least_ratio)
            and (self.most_ratio is None or (self.ratio or 0) <= self.most_ratio)
            and (self.least is None or self.value >= self.least)
            and (self.most is None or self.value <= self.most)
        )


def table(figures: Sequence[Figure]) -> str:
    """All figures, one a line."""
    rows = [("database", "work", "median", "unit", "yardstick", "ratio", "aim", "", "note"), *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def write(figures: Sequence[Figure]) -> Path:
    """Keep the run as JSON; tells the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": sys.version.split()[0]}
    shown = [
        asdict(figure) | {"value": figure.value, "ratio": figure.ratio, "met": figure.is_met} for figure in figures
    ]
    file = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    file.write_text(json.dumps({"at": now.isoformat(), **machine, "figures": shown}, indent=2, ensure_ascii=False))
    return file


def _row(figure: Figure) -> tuple[str, ...]:
    base = f"{figure.against} {_number(statistics.median(figure.yardstick))}" if figure.yardstick else ""
    ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
    verdict = ("met" if figure.is_met else "SHORT") if figure.aim else ""
    return (
        figure.database, figure.work, _number(figure.value), figure.unit, base, ratio, figure.aim, verdict, figure.note,
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
