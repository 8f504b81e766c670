"""Whether the database is what tables and columns say: physical tables, columns and indexes, each compared.

What there should be is told here once more, apart from the services that make it: a check that asked those would
find nothing that they do wrong.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext as _

from datahub.column_types import Relation
from datahub.dynamic import field_of, named_system_fields
from datahub.models import Column, Table
from fastgen_backend.snapshots import snapshot

PRIMARY_KEY = "PRIMARY KEY"  # in the place of the index's name, which the database chose


@dataclass(frozen=True, slots=True)
class PhysicalColumn:
    """A column in the words of the database; `collation` is empty where it is the usual one."""

    type: str
    collation: str = ""
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class PhysicalIndex:
    """An index: `definition` is what it holds, in what order and of which rows, in the words of the database."""

    definition: str
    is_unique: bool
    is_valid: bool = True


@dataclass
class PhysicalTable:
    """A table with its columns and indexes by name; `attributes_used` counts dropped columns too, where they count."""

    columns: dict[str, PhysicalColumn] = field(default_factory=dict)
    indexes: dict[str, PhysicalIndex] = field(default_factory=dict)
    attributes_used: int = 0


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found: every flaw in a sentence, and how much was compared."""

    flaws: list[str]
    tables: int
    columns: int
    indexes: int


def inspect() -> Inspection:
    """Compare the whole database with its tables and columns, as they are at one moment. Changes nothing."""
    with snapshot():
        tables = list(Table.objects.prefetch_related("columns").order_by("id"))
        found = _tables_of_postgresql() if connection.vendor == "postgresql" else _tables_of_sqlite()
    wanted = {table.db_table: _wanted(table) for table in tables}
    flaws = [flaw for table in tables for flaw in _flaws(table, wanted[table.db_table], found.get(table.db_table))]
    for name in sorted(found.keys() - wanted.keys()):
        flaws.append(_("The physical table %(name)s belongs to no table.") % {"name": name})
    columns = sum(len(each.columns) for each in wanted.values())
    return Inspection(flaws, len(tables), columns, sum(len(each.indexes) for each in wanted.values()))


def _flaws(table: Table, wanted: PhysicalTable, found: PhysicalTable | None) -> Iterator[str]:
    place = {"key": table.key, "table": table.db_table}
    if found is None:
        yield _("The table ‘%(key)s’ has no physical table %(table)s.") % place
        return
    names = {each.db_column: each.key for each in table.columns.all()}
    for name in _all_names(wanted.columns, found.columns):
        label = {**place, "name": name, "column": names.get(name, name)}
        yield from _flaws_of_column(wanted.columns.get(name), found.columns.get(name), label)
    for name in _all_names(wanted.indexes, found.indexes):
        yield from _flaws_of_index(wanted.indexes.get(name), found.indexes.get(name), {**place, "name": name})
    if any(each.number > table.columns_made for each in table.columns.all()):
        yield _("The table ‘%(key)s’ has more columns than it counts; a physical name could come twice.") % place
    if found.attributes_used > table.attributes_used:
        label = {**place, "counted": str(table.attributes_used), "used": str(found.attributes_used)}
        yield _("The table ‘%(key)s’ counts %(counted)s used attributes, but %(table)s has %(used)s.") % label


def _flaws_of_column(
    wanted: PhysicalColumn | None, found: PhysicalColumn | None, label: Mapping[str, str]
) -> Iterator[str]:
    if wanted is None:
        yield _("%(table)s has a column %(name)s that belongs to no column of ‘%(key)s’.") % label
    elif found is None:
        yield _("%(table)s lacks the column %(name)s (%(column)s of ‘%(key)s’).") % label
    else:
        told = {"wanted": wanted.type, "found": found.type}
        if found.type != wanted.type:
            yield _("%(table)s.%(name)s is of the type %(found)s instead of %(wanted)s.") % {**label, **told}
        if found.collation != wanted.collation:
            told = {"wanted": wanted.collation or _("none"), "found": found.collation or _("none")}
            yield _("%(table)s.%(name)s has the collation %(found)s instead of %(wanted)s.") % {**label, **told}
        if found.is_nullable and not wanted.is_nullable:
            yield _("%(table)s.%(name)s may be null, but must not be.") % label
        if wanted.is_nullable and not found.is_nullable:
            yield _("%(table)s.%(name)s must not be null, but should be free to be.") % label


def _flaws_of_index(
    wanted: PhysicalIndex | None, found: PhysicalIndex | None, label: Mapping[str, str]
) -> Iterator[str]:
    if wanted is None:
        yield _("%(table)s has an index %(name)s that no column of ‘%(key)s’ asks for.") % label
    elif found is None:
        yield _("%(table)s lacks the index %(name)s.") % label
    else:
        told = {"wanted": wanted.definition, "found": found.definition}
        if found.definition != wanted.definition:
            yield _("The index %(name)s of %(table)s is %(found)s instead of %(wanted)s.") % {**label, **told}
        if wanted.is_unique and not found.is_unique:
            yield _("The index %(name)s of %(table)s is not unique.") % label
        if found.is_unique and not wanted.is_unique:
            yield _("The index %(name)s of %(table)s is unique, though its column is not.") % label
        if not found.is_valid:
            yield _("The index %(name)s of %(table)s is invalid; the database does not use it.") % label


def _wanted(table: Table) -> PhysicalTable:
    """What the database should hold for a table, its hidden columns too."""
    columns = {str(each.column): _physical(each) for each in named_system_fields()}
    indexes = {PRIMARY_KEY: PhysicalIndex(_definition(["id"], is_key=True), is_unique=True)}
    indexes[f"{table.db_table}_owner"] = PhysicalIndex(_definition(["owner", "id"], is_partial=True), is_unique=False)
    for column in table.columns.all():
        columns[column.db_column] = _physical(field_of(column))
        indexes |= _wanted_indexes(table, column) if column.hidden_at is None else {}
    return PhysicalTable(columns, indexes)


def _wanted_indexes(table: Table, column: Column) -> dict[str, PhysicalIndex]:
    """A deleted column has none, so that dropping it is no more than that."""
    name = f"{table.db_table}_{column.db_column}"
    is_relation = column.type == Relation.name
    if column.unique:
        return {f"{name}_u": PhysicalIndex(_definition([column.db_column]), is_unique=True)}
    if is_relation and column.options["many"]:
        definition = _definition([column.db_column], is_of_lists=True)
        return {f"{name}_i": PhysicalIndex(definition, is_unique=False)} if definition else {}
    if column.indexed or is_relation:
        return {f"{name}_i": PhysicalIndex(_definition([column.db_column, "id"]), is_unique=False)}
    return {}


def _physical(each: "models.Field[Any, Any]") -> PhysicalColumn:
    parameters = each.db_parameters(connection)
    type = str(parameters["type"]).replace(", ", ",")
    return PhysicalColumn(type, str(parameters.get("collation") or ""), each.null)


def _definition(
    columns: Iterable[str], *, is_key: bool = False, is_partial: bool = False, is_of_lists: bool = False
) -> str:
    """An index as the catalogue tells of it; empty where the database has none of this kind."""
    names = list(columns)
    if connection.vendor != "postgresql":
        where = f" WHERE {names[0]} IS NOT NULL" if is_partial else ""
        return "" if is_of_lists else f"({', '.join(names)}){where}"
    order = "" if is_key or is_of_lists else " NULLS FIRST"
    where = f" WHERE ({names[0]} IS NOT NULL)" if is_partial else ""
    return f"{'gin' if is_of_lists else 'btree'} ({', '.join(name + order for name in names)}){where}"


def _all_names(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """In the order of the table, then what should not be there."""
    return [*wanted, *(name for name in found if name not in wanted)]


COLUMNS_OF_POSTGRESQL = r"""
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), l.collname, NOT a.attnotnull,
       (SELECT max(attnum) FROM pg_attribute WHERE attrelid = c.oid)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname LIKE 'dh\_%'
ORDER BY c.relname, a.attnum
"""
INDEXES_OF_POSTGRESQL = r"""
SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisunique, x.indisvalid AND x.indisready, x.indisprimary
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname LIKE 'dh\_%'
ORDER BY c.relname, i.relname
"""


def _tables_of_postgresql() -> dict[str, PhysicalTable]:
    found: dict[str, PhysicalTable] = {}
    for table, column, type, collation, is_nullable, used in _ask(COLUMNS_OF_POSTGRESQL):
        physical = found.setdefault(table, PhysicalTable(attributes_used=used))
        usual = not collation or collation == "default"
        physical.columns[column] = PhysicalColumn(type, "" if usual else collation, is_nullable)
    for table, name, statement, is_unique, is_valid, is_primary in _ask(INDEXES_OF_POSTGRESQL):
        _method, _using, definition = statement.partition(" USING ")
        index = PhysicalIndex(definition, is_unique, is_valid)
        found[table].indexes[PRIMARY_KEY if is_primary else name] = index
    return found


def _tables_of_sqlite() -> dict[str, PhysicalTable]:
    """With types in lower case: SQLite tells some of them as it likes, whatever they were created as."""
    found = {}
    statement = r"SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name LIKE 'dh\_%' ESCAPE '\'"
    for table, sql in _ask(statement):
        columns = {
            name: PhysicalColumn(type.lower(), _collation_of_sqlite(sql, name), not is_not_null)
            for _number, name, type, is_not_null, _default, _key in _ask(f"PRAGMA table_info({_quoted(table)})")
        }
        indexes = {
            PRIMARY_KEY if origin == "pk" else name: PhysicalIndex(_definition_of_sqlite(name), bool(is_unique))
            for _number, name, is_unique, origin, _partial in _ask(f"PRAGMA index_list({_quoted(table)})")
        }
        found[table] = PhysicalTable(columns, indexes)
    return found


def _collation_of_sqlite(sql: str, column: str) -> str:
    """The catalogue of SQLite tells it in the statement alone."""
    named = re.search(rf'"{re.escape(column)}" [^,]*?COLLATE "?(\w+)', sql, re.IGNORECASE)
    return named[1] if named and named[1].upper() != "BINARY" else ""


def _definition_of_sqlite(index: str) -> str:
    parts = []
    for _number, _place, name, descends, collation, is_key in _ask(f"PRAGMA index_xinfo({_quoted(index)})"):
        if is_key:
            own = f" COLLATE {collation}" if collation != "BINARY" else ""
            parts.append(f"{name}{own}{' DESC' if descends else ''}")
    [statement] = _ask("SELECT coalesce(sql, '') FROM sqlite_master WHERE type = 'index' AND name = %s", [index])
    _all, where, condition = statement[0].partition(" WHERE ")
    return f"({', '.join(parts)}){where}{condition}".replace('"', "")


def _ask(sql: str, params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params) or None)
        return list(cursor.fetchall())


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
