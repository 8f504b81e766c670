"""Rejected rows as a grid shows them, and what is typed into it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate, takewhile
from typing import Any

from django.http import QueryDict

from datahub.models import Import, ImportReject, RejectedRow

ROWS_MAX, INPUTS_MAX = 50, 1000  # on a page
LONG = 40  # characters that need more than one line
OWNER = "owner"


@dataclass(slots=True)
class Cell:
    """A cell as it is shown: `place` counts the headers, and goes on beyond them."""

    place: int
    header: str
    text: str
    wrong: list[str] = field(default_factory=list)
    is_missing: bool = False
    is_beyond: bool = False

    @property
    def place_text(self) -> str:
        return str(self.place)

    @property
    def is_long(self) -> bool:
        return len(self.text) > LONG or "\n" in self.text

    @property
    def is_bad(self) -> bool:
        return bool(self.wrong) or self.is_missing or (self.is_beyond and bool(self.text))


@dataclass(slots=True)
class Line:
    """A row as it is shown, with what is wrong with it as a whole; no cells where those were too large to be kept."""

    number: int
    cells: list[Cell]
    wrong: list[str]
    is_kept: bool
    gap: range = range(0)  # the cells that other rows have beyond these

    @property
    def seal(self) -> str:
        """What tells whether something else was typed."""
        return _seal({cell.place: cell.text for cell in self.cells})


class Grid:
    """The rejected rows of an import after the line `after`, as many as go on a page."""

    def __init__(self, source: Import, after: int = 0) -> None:
        self._source = source
        self._width = len(source.headers)
        keys = {str(column.uid): column.key for column in source.filled_columns()} | {OWNER: OWNER}
        self._keys = [keys.get(target, "") for target in source.targets] or [""] * self._width
        found = RejectedRow.objects.filter(of=source, line__gt=after).order_by("line")
        rows = list(found[: ROWS_MAX + 1])
        inputs = accumulate(max(len(row.cells or ()), self._width) for row in rows)
        most = max(1, min(ROWS_MAX, sum(1 for _each in takewhile(lambda count: count <= INPUTS_MAX, inputs))))
        self.next = rows[most - 1].line if len(rows) > most else None
        self._rows = rows[:most]
        widths = [len(row.cells) for row in self._rows if row.cells is not None]
        self.beyond = range(max([0, *(width - self._width for width in widths)]))
        needs_all = source.format == Import.Format.CSV and any(width != self._width for width in widths)
        self._shown = [place for place, key in enumerate(self._keys) if key or needs_all]
        self.lines = self._lines()

    @property
    def heads(self) -> list[dict[str, Any]]:
        """The headers that are shown; those whose cells go nowhere only where rows have another width."""
        return [{"name": self._source.headers[place], "is_used": bool(self._keys[place])} for place in self._shown]

    def _lines(self) -> list[Line]:
        flaws: dict[int, list[ImportReject]] = {row.line: [] for row in self._rows}
        for flaw in ImportReject.objects.filter(of=self._source, line__in=list(flaws)).order_by("id"):
            flaws[flaw.line].append(flaw)
        return [self._line(row, flaws[row.line]) for row in self._rows]

    @property
    def width(self) -> int:
        """How many columns are shown."""
        return len(self._shown) + len(self.beyond)

    @property
    def span(self) -> int:
        """The same with that of leaving rows out."""
        return self.width + 1

    def _line(self, row: RejectedRow, flaws: Sequence[ImportReject]) -> Line:
        cells = {} if row.cells is None else {place: self._cell(place, row.cells) for place in self._places(row)}
        by_key = {self._keys[place]: cell for place, cell in cells.items() if place < self._width}
        wrong = []
        for flaw in flaws:
            key = flaw.pointer.removeprefix("/")
            if key and key in by_key:
                by_key[key].wrong.append(flaw.detail)
            else:
                wrong.append(f"{key}: {flaw.detail}" if key else flaw.detail)
        gap = range(len(cells), self.width)
        return Line(row.line, list(cells.values()), wrong, row.cells is not None, gap)

    def _places(self, row: RejectedRow) -> list[int]:
        return [*self._shown, *range(self._width, max(self._width, len(row.cells or [])))]

    def _cell(self, place: int, cells: Sequence[str]) -> Cell:
        is_beyond, is_missing = place >= self._width, place >= len(cells)
        header = "" if is_beyond else self._source.headers[place]
        text = "" if is_missing else _one_kind_of_line_end(cells[place])
        return Cell(place, header, text, is_missing=is_missing, is_beyond=is_beyond)


def typed(source: Import, data: QueryDict, *, changed_only: bool) -> dict[int, list[str]]:
    """The cells of the rows that were sent, by their lines; of those in which something else was typed, or of all.

    Where another admin has changed a row meanwhile, who types into it is the last to do so.
    """
    sent: dict[int, dict[int, str]] = {}
    for name, text in data.items():
        line, place = _place(name)
        if line:
            sent.setdefault(line, {})[place] = _one_kind_of_line_end(str(text))
    if changed_only:
        sent = {line: cells for line, cells in sent.items() if _seal(cells) != data.get(f"seal-{line}")}
    rows = RejectedRow.objects.filter(of=source, line__in=list(sent)).exclude(cells=None)
    return {row.line: _with(row.cells or [], sent[row.line], len(source.headers)) for row in rows}


def _with(cells: Sequence[str], typed: Mapping[int, str], width: int) -> list[str]:
    """The cells with what was typed; line ends stay as they are where nothing else is new."""
    size = min(max([len(cells), *(place + 1 for place in typed)]), max(width, len(cells)))
    now = [*cells, *[""] * (size - len(cells))]
    for place, text in typed.items():
        if place < size and text != _one_kind_of_line_end(now[place]):
            now[place] = text
    return now


def _place(name: str) -> tuple[int, int]:
    """The line and the place of a field such as `cell-17-3`; zeros where it is none."""
    kind, _dash, rest = name.partition("-")
    line, _dash, place = rest.partition("-")
    is_cell = kind == "cell" and all(each.isascii() and each.isdecimal() and len(each) < 16 for each in (line, place))
    return (int(line), int(place)) if is_cell else (0, 0)


def _seal(cells: Mapping[int, str]) -> str:
    return blake2b(json.dumps(sorted(cells.items())).encode(), digest_size=12).hexdigest()


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of_file(source: Import) -> "Iterable[list[str]]":
    """Headers, then each rejected row with its cells, its line and why it was rejected."""
    beyond = _most_beyond(source)
    extra = [f"beyond {number + 1}" for number in range(beyond)]
    yield [*source.headers, *extra, "line", "reason"]
    width = len(source.headers) + beyond
    reasons: dict[int, list[str]] = {}
    for line, pointer, detail in source.rejects.order_by("id").values_list("line", "pointer", "detail"):
        reasons.setdefault(line, []).append(f"{pointer.removeprefix('/')}: {detail}" if pointer else detail)
    for row in RejectedRow.objects.filter(of=source).order_by("line").iterator(chunk_size=100):
        cells = row.cells or []
        yield [*cells, *[""] * (width - len(cells)), str(row.line), " ".join(reasons.get(row.line, []))]


def _most_beyond(source: Import) -> int:
    rows = RejectedRow.objects.filter(of=source).exclude(cells=None).values_list("cells", flat=True)
    return max(0, *(len(cells or ()) - len(source.headers) for cells in rows.iterator(chunk_size=100)), 0)
