"""Rows as files: CSV and NDJSON, in pieces, so that a table of any size needs the same little memory."""

import csv
import io
from collections.abc import Iterator

import orjson

from datahub.access import Caller
from datahub.dynamic import Definition
from datahub.listing import walk
from datahub.row_queries import RowQuery
from datahub.statements import RAW_JSON

ROWS_AT_ONCE = 1000


def csv_lines(definition: Definition, query: RowQuery, caller: Caller) -> Iterator[bytes]:
    """A line of keys, then the rows; cells as `ColumnType.write` gives them, and as an import reads them."""
    pieces = walk(definition, query, caller, ROWS_AT_ONCE)
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


def ndjson_lines(definition: Definition, query: RowQuery, caller: Caller) -> Iterator[bytes]:
    """Each row as an object on a line of its own."""
    for found in walk(definition, query, caller, ROWS_AT_ONCE):
        rows = found.shown(query.fields)
        yield b"".join(orjson.dumps(row, option=RAW_JSON | orjson.OPT_APPEND_NEWLINE) for row in rows)


def _csv(lines: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()
