"""How many rows tables hold and how large they are: counted where they are small, estimated where they are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper

from datahub.models import Table

COUNTED_MAX = 100_000  # rows; to count more takes more than a few milliseconds
PARTS_MAX = 100  # of one statement; SQLite takes 500
PAGES_MAX = 300  # of each tree that SQLite is asked to look at


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows and bytes, those of indexes too; None where the database can't tell them."""

    rows: int
    bytes: int | None
    is_estimate: bool


def figures_of(tables: Sequence[Table]) -> dict[int, Figures]:
    """The figures of each table, by its `id`."""
    if not tables:
        return {}
    return _in_postgresql(tables) if connection.vendor == "postgresql" else _in_sqlite(tables)


def _in_postgresql(tables: Sequence[Table]) -> dict[int, Figures]:
    """By what the last ANALYZE has counted, and where that was little or never, by counting so far."""
    names = [table.db_table for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint, pg_total_relation_size(oid) FROM pg_class "
            "WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace",
            [names],
        )
        known = {name: (rows, size) for name, rows, size in cursor.fetchall()}
        small = [name for name, (rows, _size) in known.items() if rows <= COUNTED_MAX]
        counted = _counted(cursor, small)
        found = {}
        for table in tables:
            rows, size = known.get(table.db_table, (0, 0))  # one that was deleted meanwhile has none
            exact = counted.get(table.db_table, COUNTED_MAX + 1)
            is_estimate = table.db_table in known and exact > COUNTED_MAX
            if is_estimate and rows <= COUNTED_MAX:
                cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {_quoted(table.db_table)}")
                rows = cursor.fetchone()[0][0]["Plan"]["Plan Rows"]
            found[table.pk] = Figures(rows if is_estimate else counted.get(table.db_table, 0), size, is_estimate)
    return found


def _in_sqlite(tables: Sequence[Table]) -> dict[int, Figures]:
    """By counting so far, and beyond by the number of the last row; sizes by the first pages of each tree."""
    names = [table.db_table for table in tables]
    with connection.cursor() as cursor:
        counted = _counted(cursor, names)
        large = [name for name in names if counted[name] > COUNTED_MAX]
        rows = counted | _asked(cursor, [(name, f"SELECT max(rowid) FROM {_quoted(name)}") for name in large])  # noqa: S608  names of ours
        sizes = _sizes_in_sqlite(cursor, rows)
    return {
        table.pk: Figures(rows[name], sizes.get(name), is_estimate=name in large)
        for table, name in zip(tables, names, strict=True)
    }


def _counted(cursor: CursorWrapper, names: Sequence[str]) -> dict[str, int]:
    """How many rows each has; of more than are counted, one more than that."""
    limit = COUNTED_MAX + 1
    return _asked(
        cursor,
        [(name, f"SELECT count(*) FROM (SELECT 1 FROM {_quoted(name)} LIMIT {limit}) AS few") for name in names],  # noqa: S608  names of ours
    )


def _asked(cursor: CursorWrapper, questions: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The one number that each question is answered with, by its name."""
    answers: dict[str, int] = {}
    for start in range(0, len(questions), PARTS_MAX):
        parts = [f"SELECT '{name}', ({question})" for name, question in questions[start : start + PARTS_MAX]]
        cursor.execute(" UNION ALL ".join(parts))
        answers |= dict(cursor.fetchall())
    return answers


def _sizes_in_sqlite(cursor: CursorWrapper, rows: Mapping[str, int]) -> dict[str, int]:
    """The bytes of each table with its indexes; none where this build of SQLite can't tell them."""
    cursor.execute("SELECT name, tbl_name FROM sqlite_master")
    trees = {tree: table for tree, table in cursor.fetchall() if table in rows}
    sizes: dict[str, int] = {}
    for start in range(0, len(trees), PARTS_MAX):
        parts = [
            f"SELECT '{tree}', count(*), sum(pgsize), sum(CASE pagetype WHEN 'leaf' THEN ncell ELSE 0 END) "  # noqa: S608  names of ours
            f"FROM (SELECT pgsize, pagetype, ncell FROM dbstat WHERE name = '{tree}' LIMIT {PAGES_MAX})"
            for tree in list(trees)[start : start + PARTS_MAX]
        ]
        try:
            cursor.execute(" UNION ALL ".join(parts))
        except OperationalError:  # not every build has `dbstat`
            return {}
        for tree, pages, size, cells in cursor.fetchall():
            whole = size or 0 if pages < PAGES_MAX or not cells else round(size / cells * rows[trees[tree]])
            sizes[trees[tree]] = sizes.get(trees[tree], 0) + whole
    return sizes


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
