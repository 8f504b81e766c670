"""Rows as files: CSV and NDJSON, in pieces, so that a table of any size needs the same little memory."""

import csv
import io
import logging
from collections.abc import Iterator
from itertools import chain, islice

import orjson
from django.utils.translation import gettext as _

from datahub.access import Caller
from datahub.dynamic import Definition
from datahub.listing import walk
from datahub.row_queries import RowQuery
from datahub.statements import RAW_JSON, Found
from fastgen_backend.time_limits import unlimited

log = logging.getLogger("fastgen.errors")

ROWS_AT_ONCE = 1000
LINE = RAW_JSON | orjson.OPT_APPEND_NEWLINE


def csv_lines(definition: Definition, query: RowQuery, caller: Caller) -> Iterator[bytes]:
    """A line of keys, then the rows; cells as `ColumnType.write` gives them, and as an import reads them."""
    return _told(_csv_lines(query, _begun(walk(definition, query, caller, ROWS_AT_ONCE))), _csv([[_incomplete()]]))


def ndjson_lines(definition: Definition, query: RowQuery, caller: Caller) -> Iterator[bytes]:
    """Each row as an object on a line of its own."""
    last = orjson.dumps({"error": {"code": "export-incomplete", "detail": _incomplete()}}, option=LINE)
    return _told(_ndjson_lines(query, _begun(walk(definition, query, caller, ROWS_AT_ONCE))), last)


def _told(lines: Iterator[bytes], last: bytes) -> Iterator[bytes]:
    """The lines; where they end early, a last one that says so, because servers end such an answer like a whole one."""
    try:
        yield from lines
    except Exception:
        log.exception("An export ended before its end.")
        yield last


def _incomplete() -> str:
    return _("This export is not complete: it was cut off here by a failure. Ask for it again.")


def _begun(pieces: Iterator[Found]) -> Iterator[Found]:
    """The pieces, of which the first is read at once: what is wrong with it still is refused.

    The others take the time they need. To stop one would cut the file short, and a server may end that as if it were
    whole.
    """
    first = list(islice(pieces, 1))
    return chain(first, _unlimited(pieces) if first else ())


def _unlimited(pieces: Iterator[Found]) -> Iterator[Found]:
    end: list[Found] = []
    while True:
        with unlimited():  # not while the server sends, which may do other things in this thread
            piece = next(pieces, end)
        if isinstance(piece, list):
            return
        yield piece


def _csv_lines(query: RowQuery, pieces: Iterator[Found]) -> Iterator[bytes]:
    yield _csv([[member.key for member in query.fields]])
    for found in pieces:
        yield _csv(
            [
                [
                    "" if value is None else member.type.write(value)
                    for member, value in zip(query.fields, row, strict=False)
                ]
                for row in map(found.values, range(len(found)))
            ]
        )


def _ndjson_lines(query: RowQuery, pieces: Iterator[Found]) -> Iterator[bytes]:
    for found in pieces:
        rows = found.shown(query.fields)
        yield b"".join(orjson.dumps(row, option=LINE) for row in rows)


def _csv(lines: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()
