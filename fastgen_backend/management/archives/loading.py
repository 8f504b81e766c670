"""Rows on their way into the database: by COPY on PostgreSQL, by prepared statements on SQLite."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection

from fastgen_backend.management.archives import contents
from fastgen_backend.management.archives.contents import Contents
from fastgen_backend.management.archives.kinds import from_json


def load(into: Contents, rows: list[list[Any]]) -> None:
    """Insert rows of an archive. In the caller's transaction; names are the database's own."""
    names = ", ".join(connection.ops.quote_name(name) for name, _kind in into.columns)
    table = connection.ops.quote_name(into.table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in _converted(into, rows):
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(into.columns))
        insert = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  names of the database
        cursor.executemany(insert, list(_converted(into, rows)))


def count(table: str) -> int:
    """How many rows a table has."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  a name of ours
        return int(cursor.fetchone()[0])


def go_on_numbering(last: Mapping[str, int]) -> None:
    """Let every table go on behind the last id that was ever given, so that none comes twice."""
    with connection.cursor() as cursor:
        for table, key in contents.numbered_tables():
            number = int(last.get(table, 0))
            if not number or table not in contents.existing_tables():
                continue
            if connection.vendor == "postgresql":
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, key, number])
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])


def _converted(into: Contents, rows: list[list[Any]]) -> Iterator[list[Any]]:
    conversions = [(place, convert) for place, (_, kind) in enumerate(into.columns) if (convert := from_json(kind))]
    for row in rows:
        for place, convert in conversions:
            if row[place] is not None:
                row[place] = convert(row[place])
        yield row
