"""Saving an installation as it is at one moment, while everything goes on."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import ProgrammingError, connection
from django.utils import timezone

from fastgen_backend import startup
from fastgen_backend.management.archives import contents
from fastgen_backend.management.archives.archive import PART_BYTES, Writer
from fastgen_backend.management.archives.contents import Contents
from fastgen_backend.management.archives.kinds import selected, to_json
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.models import Installation
from fastgen_backend.snapshots import snapshot
from fastgen_backend.vault import verify_key
from fastgen_backend.version import VERSION

ROWS_MAX = 2000  # that are fetched at once
UNDEFINED_TABLE = "42P01"  # the SQLSTATE


@dataclass(frozen=True, slots=True)
class Saved:
    """How much an archive holds."""

    tables: int
    rows: int


def save(stream: BinaryIO, *, compress: bool = True) -> Saved:
    """Write the whole installation to a stream; raises `CannotStart` where there is none of this version,
    `ImproperlyConfigured` where SECRET_KEY is not its key, and `Refused` where a table is deleted before it is held."""
    startup.check_installation()
    verify_key()
    try:
        with snapshot(holding=[table.db_table for table in contents.definitions()]):
            tables = [*contents.app_tables(), *contents.user_tables()]
            writer = Writer(stream, _manifest(tables), compress=compress)
            rows = sum(writer.write_table(each.table, _rows(each)) for each in tables)
            writer.finish()
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") != UNDEFINED_TABLE:
            raise
        raise Refused("A table was deleted just now; try again.") from None
    return Saved(len(tables), rows)


def _manifest(tables: list[Contents]) -> dict[str, Any]:
    installation = Installation.objects.get()
    return {
        "version": VERSION,
        "madeAt": timezone.now().isoformat(),
        "migrations": contents.applied_migrations(),
        "checkValue": base64.b64encode(bytes(installation.check_value)).decode(),
        "tables": [{"table": each.table, "columns": each.columns} for each in tables],
        "numbers": dict(_last_numbers()),
    }


def _rows(each: Contents) -> Iterator[list[Any]]:
    """Every row as an archive has it; fetched in portions of about a megabyte, however large the rows are."""
    names = ", ".join(selected(name, kind) for name, kind in each.columns)
    conversions = [(place, convert) for place, (_, kind) in enumerate(each.columns) if (convert := to_json(kind))]
    portion = 1
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(each.table)}")  # noqa: S608  names of ours
        while found := cursor.fetchmany(portion):
            size = 0
            for values in found:
                row = list(values)
                for place, convert in conversions:
                    if row[place] is not None:
                        row[place] = convert(row[place])
                size += sum(len(value) for value in row if isinstance(value, str)) + 1
                yield row
            portion = max(1, min(ROWS_MAX, 2 * portion, PART_BYTES * len(found) // size))


def _last_numbers() -> Iterator[tuple[str, int]]:
    """The last id that the database gave in each numbered table, be its row still there or not."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            given = dict(cursor.fetchall())
            yield from ((table, given.get(table, 0)) for table, _key in contents.numbered_tables())
            return
        for table, key in contents.numbered_tables():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, key])
            cursor.execute(f"SELECT last_value, is_called FROM {cursor.fetchone()[0]}")  # noqa: S608  told by the database
            last, is_called = cursor.fetchone()
            yield table, last if is_called else 0
