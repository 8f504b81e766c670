"""Files that are imported, read row by row in little memory: CSV (RFC 4180, leniently) and NDJSON."""

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, Any, AnyStr

from django.utils.translation import gettext as _

from datahub.chunk_stream import ChunkStream
from datahub.import_flaws import Flaw, kept, wrong_width
from fastgen_backend.strict_json import load_strictly

CELL_MAX = 10_000_000  # characters; no column takes so many
LINE_MAX = 20_000_000  # characters of a row of CSV, on however many lines
CELLS_MAX = 100_000  # of a row of CSV; each takes up to eighty bytes of memory beside its characters
JSON_LINE_MAX = 10_000_000  # bytes of NDJSON, whose objects take twenty times as much memory
BATCH_ROWS = 20_000
BATCH_BYTES = 8_000_000
END = "\ud800"  # a line of our own after the last of a CSV, of what no file's text can hold
CELL = re.compile(r'"[^"]*+(?:""[^"]*+)*+"?+[^,]*+|[^,]*+')  # as Python's reader takes it; none is tried twice
csv.field_size_limit(CELL_MAX)

Cells = Sequence[Any]  # of one column: texts of CSV, values of JSON; None is an absent member


class Unreadable(Exception):
    """The file can't be read on from here; says where and why."""


class Unclosed(Unreadable):
    """A quote is open at the end of the file, or of what there is of it."""


@dataclass(slots=True)
class Batch:
    """Rows as they stand in the file, one after the other; those that are no rows at all are in `flaws`."""

    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # the cells of CSV, row after row: a list each would wear Python out
    records: list[dict[str, Any]] = field(default_factory=list)  # the objects of NDJSON
    flaws: list[Flaw] = field(default_factory=list)
    is_last: bool = False

    @property
    def read(self) -> int:
        return len(self.lines) + len(self.flaws)


class RowFile(ABC):
    """A file of rows, given batch by batch."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._raw = ChunkStream(chunks)
        self._unreadable: Unreadable | None = None  # what comes after the rows of the last batch
        self.headers: list[str] = []

    @property
    def bytes_taken(self) -> int:
        return self._raw.taken

    def batch(self) -> Batch:
        """The next rows. Raises `Unreadable`, once those before it were given."""
        batch = Batch()
        if self._unreadable is None:
            try:
                self._fill(batch, self._raw.taken + BATCH_BYTES)
            except Unreadable as error:
                self._unreadable = error
        if self._unreadable and not batch.read:
            raise self._unreadable
        return batch

    @abstractmethod
    def _fill(self, batch: Batch, stop: int) -> None:
        """Add the next rows, until so many bytes of the file are taken. Raises `Unreadable`."""

    @abstractmethod
    def skip(self, rows: int) -> None:
        """Pass over rows that were read before."""

    @abstractmethod
    def cells(self, batch: Batch, headers: Sequence[str]) -> list[Cells]:
        """The batch column by column."""


class CsvFile(RowFile):
    """CSV in UTF-8: any line ends, cells in quotes may hold them, empty lines are none.

    What is not UTF-8 comes as lone surrogates, which no column takes: so only its row is bad, and not the file.
    A quote that is never closed makes a cell of the whole rest of the file: `END` is in that cell then.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__(chunks)
        text = io.TextIOWrapper(
            io.BufferedReader(self._raw, 65536), encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        self._since_row = 0  # characters read since the last row ended,
        self._cells = 0  # and the cells in them, where these are many
        self._reader = csv.reader(chain(self._lines(text), [END]))
        self.headers = self._read_headers()

    @property
    def is_all_header(self) -> bool:
        """Whether the file ends with its headers, or within them."""
        try:
            return next(self._reader, [END]) == [END]
        except (Unreadable, csv.Error):  # which is something else
            return False

    def skip(self, rows: int) -> None:
        while rows:
            rows -= bool(next(self._reader))
            self._since_row = 0

    def _fill(self, batch: Batch, stop: int) -> None:
        width, raw, reader = len(self.headers), self._raw, self._reader
        lines, texts = batch.lines, batch.texts
        end = reader.line_num
        record: list[str] = []
        try:
            for record in reader:
                line, end, self._since_row = end + 1, reader.line_num, 0
                if len(record) == width:
                    lines.append(line)
                    texts += record
                elif record:
                    batch.flaws.append(wrong_width(line, end, record, width))
                if len(lines) >= BATCH_ROWS or raw.taken >= stop or len(batch.flaws) >= BATCH_ROWS:
                    break
            else:
                batch.is_last = True
        except csv.Error as error:
            raise _unreadable_row(end + 1, error) from None
        if record and record[-1].endswith(END):
            _take_off_end(batch, record, width, end - 1)

    def cells(self, batch: Batch, headers: Sequence[str]) -> list[Cells]:
        width = len(headers)
        return [batch.texts[place::width] for place in range(width)]

    def _lines(self, file: IO[str]) -> Iterator[str]:
        """The lines; raises `Unreadable` where a row, or a line, is too long to be one."""
        for number, line in enumerate(_bounded(file, LINE_MAX), start=1):
            goes_on = self._since_row > 0
            self._cells = self._cells if goes_on else 0
            self._since_row += len(line)
            if self._since_row > CELLS_MAX and "," in line:  # where a row goes on, it does so within quotes
                self._cells -= goes_on
                self._bound_cells(f'"{line}' if goes_on else line, number)
            if self._since_row > LINE_MAX:
                detail = _("The row that goes on in line %(line)d has more than %(max)s characters.")
                raise Unreadable(detail % {"line": number, "max": f"{LINE_MAX:,}"})
            yield line

    def _bound_cells(self, text: str, number: int) -> None:
        """Raise `Unreadable` where a row has too many cells."""
        end = -1
        while end < len(text) and (cell := CELL.match(text, end + 1)):
            end = cell.end()
            self._cells += 1
            if self._cells > CELLS_MAX:
                detail = _("Line %(line)d has more than %(max)s cells.")
                raise Unreadable(detail % {"line": number, "max": f"{CELLS_MAX:,}"})

    def _read_headers(self) -> list[str]:
        try:
            for record in self._reader:
                if record and record[-1].endswith(END):
                    if record == [END]:
                        break
                    raise Unclosed(_("A quote in the line of headers is never closed."))
                self._since_row = 0
                if record:
                    return [header.strip() for header in record]
        except csv.Error as error:
            raise Unreadable(_("The line of headers can’t be read (%(reason)s).") % {"reason": error}) from None
        return []


class NdjsonFile(RowFile):
    """One JSON object on each line; empty lines are none."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__(chunks)
        self._line = 0
        self._lines = self._numbered(io.BufferedReader(self._raw, 65536))

    def skip(self, rows: int) -> None:
        while rows:
            rows -= bool(next(self._lines).strip())

    def _fill(self, batch: Batch, stop: int) -> None:
        for text in self._lines:
            record = _record(text) if text.strip() else None
            if isinstance(record, dict):
                batch.lines.append(self._line)
                batch.records.append(record)
            elif record:
                line = text.decode(errors="replace").strip()
                batch.flaws.append(Flaw(self._line, "", record, kept([line], 1)))
            if batch.read >= BATCH_ROWS or self._raw.taken >= stop:
                break
        else:
            batch.is_last = True

    def cells(self, batch: Batch, headers: Sequence[str]) -> list[Cells]:
        return [[record.get(header) for record in batch.records] for header in headers]

    def _numbered(self, file: IO[bytes]) -> Iterator[bytes]:
        for self._line, line in enumerate(_bounded(file, JSON_LINE_MAX), start=1):
            yield line


def _bounded(file: IO[AnyStr], most: int) -> Iterator[AnyStr]:
    """The lines of a file; raises `Unreadable` for one that is too long to be one."""
    read, number = file.readline, 0
    while line := read(most):
        number += 1
        if len(line) == most:
            detail = _("Line %(line)d has more than %(max)s characters.")
            raise Unreadable(detail % {"line": number, "max": f"{most:,}"})
        yield line


def _record(line: bytes) -> dict[str, Any] | str:
    """The object on a line, or what is wrong with it."""
    try:
        value = load_strictly(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _("This is not UTF-8.")
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else error  # whose own line is always the first
        return _("This is no valid JSON: %(reason)s") % {"reason": reason}
    return value if isinstance(value, dict) else _("A row is a JSON object.")


def _unreadable_row(line: int, error: csv.Error) -> Unreadable:
    reason = str(error)
    if "field larger" in reason:
        reason = _("a cell has more than %(max)s characters") % {"max": f"{CELL_MAX:,}"}
    detail = _("Line %(line)d can’t be read (%(reason)s); a quote may be missing there.")
    return Unreadable(detail % {"line": line, "reason": reason})


def _take_off_end(batch: Batch, record: list[str], width: int, end: int) -> None:
    """Replace the last record, which has `END` in it, by what is wrong with it, if it is more than that."""
    line = batch.lines.pop() if len(record) == width else batch.flaws.pop().line
    if len(record) == width:
        del batch.texts[-width:]
    if record != [END]:
        detail = _(
            "A quote that opens here is never closed: it takes in everything to the end of the file, line %(end)d."
        )
        record[-1] = record[-1].removesuffix(END)
        batch.flaws.append(Flaw(line, "", detail % {"end": end}, kept(record, width)))


def is_utf8(text: str) -> bool:
    """Whether a text of a CSV was UTF-8 in the file."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:  # lone surrogates
        return False


def foreign_encoding(start: bytes) -> bool:
    """Whether a file that begins like this is UTF-16 or UTF-32, or none of text at all."""
    return start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start[:4]


FILES: Mapping[str, Callable[[Iterable[bytes]], RowFile]] = {"csv": CsvFile, "ndjson": NdjsonFile}
