"""Small charts of what happened: bars by the hour or the day, drawn here as SVG and told in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

HEIGHT = 100
SLOT, GAP = 10, 2  # the width of a bar with the room beside it, and that room


@dataclass(frozen=True, slots=True)
class Span:
    """So many steps up to the one that `now` is in."""

    step: timedelta
    steps: int
    last: datetime  # the beginning of the newest step

    @property
    def times(self) -> list[datetime]:
        """The beginnings of the steps, and of as many before them."""
        return [self.last - self.step * back for back in range(2 * self.steps - 1, -1, -1)]

    @property
    def is_hourly(self) -> bool:
        return self.step < timedelta(days=1)

    def name(self, at: datetime) -> str:
        """A step in words."""
        return f"{at:%H}:00" if self.is_hourly else f"{at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing, and what it says when it is pointed at."""

    kind: str
    x: int
    y: int
    height: int
    says: str


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is counted: its name, the class of its bars, and a number for each time of the span."""

    name: str
    kind: str
    counts: Sequence[int]

    @property
    def total(self) -> int:
        """Of the newer half."""
        return sum(self.counts[len(self.counts) // 2 :])

    @property
    def total_before(self) -> int:
        return sum(self.counts[: len(self.counts) // 2])


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars for the newer half of the span; of several series, one upon the other. `url` is where each one is told."""

    title: str
    series: Sequence[Series]
    span: Span
    url: str

    @property
    def width(self) -> int:
        return self.span.steps * SLOT

    @property
    def bar_width(self) -> int:
        return SLOT - GAP

    @property
    def total(self) -> str:
        return f"{self.series[0].total:,}"

    @property
    def others(self) -> Sequence[Series]:
        """What stands upon the first series."""
        return self.series[1:]

    @property
    def change(self) -> str:
        """The first series' total beside that of the time before."""
        total, before = self.series[0].total, self.series[0].total_before
        percent = round(100 * (total - before) / before) if before else 0
        then = _("the 24 hours before") if self.span.is_hourly else _("the 30 days before")
        if not before:
            return _("none in %(time)s") % {"time": then}
        return (
            _("%(percent)+d %% on %(time)s") % {"percent": percent, "time": then}
            if percent
            else _("as in %(time)s") % {"time": then}
        )

    @property
    def summary(self) -> str:
        """What the drawing shows, for those who can't see it."""
        highest = max(range(self.span.steps), key=lambda step: (self._heights()[step], step))
        told = ", ".join(f"{each.name}: {each.total:,}" for each in self.series)
        if not self._heights()[highest]:
            return told
        at = self.span.name(self.span.times[self.span.steps + highest])
        return f"{told}. " + _("Most at %(time)s: %(count)d.") % {"time": at, "count": self._heights()[highest]}

    def bars(self) -> list[Bar]:
        """The rectangles, in a box that is `width` wide and 100 high."""
        most = max(1, *self._heights())
        drawn = []
        for step, at in enumerate(self.span.times[self.span.steps :]):
            top = HEIGHT
            for each in self.series:
                if count := each.counts[self.span.steps + step]:
                    height = max(2, round(HEIGHT * count / most))
                    top = max(0, top - height)
                    says = f"{self.span.name(at)} · {each.name}: {count:,}"
                    drawn.append(Bar(each.kind, step * SLOT + GAP // 2, top, height, says))
        return drawn

    def _heights(self) -> list[int]:
        return [sum(each.counts[self.span.steps + step] for each in self.series) for step in range(self.span.steps)]


def series_of(name: str, kind: str, counts: Mapping[datetime, int], span: Span) -> Series:
    """What was counted at the times of `span`; nothing at those that are missing."""
    return Series(name, kind, [counts.get(at, 0) for at in span.times])


def last_hours(now: datetime) -> Span:
    """The 24 hours up to this one."""
    return Span(timedelta(hours=1), 24, now.replace(minute=0, second=0, microsecond=0))


def last_days(now: datetime) -> Span:
    """The 30 days (UTC) up to this one."""
    return Span(timedelta(days=1), 30, now.replace(hour=0, minute=0, second=0, microsecond=0))
