"""Tables as Python sees them: a model built at run time for each version of a table, kept as long as it is in use.

A model lives in a registry of its own, because Django's keeps every model for ever, and has no foreign keys. The
version is read with every request, so that several processes never disagree and nothing has to be invalidated.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps.registry import Apps
from django.db import OperationalError, connection, models

from datahub.column_types import ColumnType, Relation, column_type
from datahub.column_types.identities import Identifier
from datahub.column_types.moments import DateTime
from datahub.column_types.numbers import Integer
from datahub.errors import NoSuchTable
from datahub.models import Column, Table
from datahub.models.tables import folded_key_of, uid_of
from fastgen_backend.prepared import Parameter, Prepared

IDENTITY = "CAST(uid AS text) || ' ' || version || ' ' || generation"  # of a definition, as SQL
KEPT_MAX = 500  # definitions in each process


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One member of a row: its key in JSON, the model's attribute, its type; and its column, if users made it.

    Each is itself alone: statements are looked up by them, and a comparison of what they hold would take longer.
    """

    key: str
    attribute: str
    type: ColumnType
    column: Column | None = None

    @property
    def is_nullable(self) -> bool:
        """Whether a row can be without it."""
        return self.column is not None or self.key == "owner"


SYSTEM_MEMBERS = (
    Member("id", "id", Identifier({})),
    Member("createdAt", "created_at", DateTime({})),
    Member("updatedAt", "updated_at", DateTime({})),
    Member("revision", "revision", Integer({})),
    Member("owner", "owner", Identifier({})),
)


class OutdatedDefinition(Exception):
    """What was to be done by a definition can't be: the table has another by now, or the name is another table's."""


class Definition:
    """One version of a table: the table, its visible columns in order, and the model of its rows."""

    def __init__(self, table: Table, columns: Sequence[Column]) -> None:
        self.table = table
        self.columns = columns
        own = [Member(each.key, each.db_column, column_type(each.type, each.options), each) for each in columns]
        self.own: Mapping[str, Member] = {member.key: member for member in own}
        self.members: Mapping[str, Member] = {member.key: member for member in (*SYSTEM_MEMBERS, *own)}
        self.identity = _identity(table)
        self.statements: dict[Any, Any] = {}  # of services: what they compiled for this version

    @cached_property
    def model(self) -> type[models.Model]:
        """The model of the rows."""
        return _model(self.table, list(self.own.values()))

    @cached_property
    def relations(self) -> Sequence[Member]:
        """The members that name rows of other tables."""
        return [member for member in self.own.values() if isinstance(member.type, Relation)]

    @cached_property
    def target_ids(self) -> frozenset[int]:
        """The tables that these name."""
        return frozenset(m.column.target_id for m in self.relations if m.column and m.column.target_id)

    @cached_property
    def uniques(self) -> Sequence[Member]:
        """The members of which no two rows have the same value."""
        return [member for member in self.own.values() if member.column and member.column.unique]

    @cached_property
    def required(self) -> frozenset[str]:
        """The keys of the members that a row can't be without."""
        return frozenset(member.key for member in self.own.values() if member.column and member.column.required)

    def rows(self) -> "models.QuerySet[Any]":
        """Every row."""
        return self.model._default_manager.all()


def find_table(id_or_key: str) -> Table:
    """The table with this id or key, as it is now. Raises `NoSuchTable`."""
    uid = uid_of(id_or_key)
    found = _by_uid.first(uid=uid) if uid else _by_key.first(key=folded_key_of(id_or_key))
    if found is None:
        raise NoSuchTable
    return found


def table_by_number(number: int) -> Table:
    """The table whose `id` this is, as it is now. Raises `NoSuchTable`."""
    found = _by_id.first(id=number)
    if found is None:
        raise NoSuchTable
    return found


_by_uid = Prepared(lambda: Table.objects.filter(uid=Parameter("uid", models.UUIDField())))
_by_key = Prepared(lambda: Table.objects.filter(folded_key=Parameter("key", models.CharField())))
_by_id = Prepared(lambda: Table.objects.filter(pk=Parameter("id", models.BigIntegerField())))


def definition_of(table: Table) -> Definition:
    """The definition of `table` in its version; raises `NoSuchTable` where it was deleted meanwhile.

    A definition that is not yet known has its columns read; where the version moved on between the two, anew.
    """
    while (found := _cache.get(table.pk, _identity(table))) is None:
        columns = list(Column.objects.filter(table_id=table.pk).visible())
        now = table_by_number(table.pk)
        if _identity(now) == _identity(table):
            _cache.put(Definition(table, columns))
        table = now
    return found


def recall(id_or_key: str) -> Definition | None:
    """The definition that this id or key had when it was last asked for; the database is not asked whether it has yet.

    Who goes by it must find out, as `identity_sql` helps to.
    """
    return _cache.recall(id_or_key)


def forget_definitions() -> None:
    """Remember none, as a new process does."""
    _cache.clear()


def find_definition(id_or_key: str) -> Definition:
    """The definition of the table with this id or key, as it is now, in one small query. Raises `NoSuchTable`."""
    uid = uid_of(id_or_key)
    if uid is None:
        return _known("folded_key", folded_key_of(id_or_key))
    return _known("uid", uid.hex if connection.vendor == "sqlite" else uid)


def definition_now(number: int) -> Definition:
    """The definition of the table with this `id`, as it is now. Raises `NoSuchTable`."""
    return _known("id", number)


def is_now(definition: Definition) -> bool:
    """Whether the definition still is the table's."""
    with connection.cursor() as cursor:
        cursor.execute(identity_sql(definition.table.pk))
        found = cursor.fetchone()
    return found is not None and found[0] == definition.identity


def identity_sql(number: int) -> str:
    """A query for the `identity` that the definition of the table with this `id` has."""
    return f"SELECT {IDENTITY} FROM {Table._meta.db_table} WHERE id = {number:d}"  # noqa: S608  names of ours


def _identity(table: Table) -> str:
    uid = table.uid.hex if connection.vendor == "sqlite" else table.uid
    return f"{uid} {table.version} {table.generation}"


def _known(column: str, value: Any) -> Definition:
    """Its definition, of which nothing is read but what tells whether it is the one we know."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {IDENTITY} FROM {Table._meta.db_table} WHERE {column} = %s",  # noqa: S608  names of ours
            [value],
        )
        found = cursor.fetchone()
    if found is None:
        raise NoSuchTable
    number, identity = found
    return _cache.get(number, identity) or definition_of(table_by_number(number))


def is_outdated(error: Exception) -> bool:
    """Whether a reader's definition is none any more; the database may miss a table or column that was dropped."""
    if isinstance(error, OutdatedDefinition):
        return True
    cause = error.__cause__
    if getattr(cause, "sqlstate", "") in {"42P01", "42703"}:  # undefined_table, undefined_column
        return True
    return isinstance(error, OperationalError) and str(error).startswith(("no such table: dh_", "no such column: dh_"))


def definition_to_change(number: int) -> Definition:
    """The definition of the table with this `id`, read anew: who is alone with a table may change what it holds."""
    table = table_by_number(number)
    return Definition(table, list(Column.objects.filter(table_id=number).visible()))


class _Cache:
    """The definitions that were used last, by table and version; a newer one takes the place of an older."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Definition] = OrderedDict()
        self._numbers: dict[str, int] = {}  # by id and key

    def get(self, number: int, identity: str) -> Definition | None:
        with self._lock:
            found = self._kept.get(number)
            if found is None or found.identity != identity:
                return None
            self._kept.move_to_end(number)
            return found

    def recall(self, id_or_key: str) -> Definition | None:
        with self._lock:
            number = self._numbers.get(id_or_key)
            if number is None:
                return None
            self._kept.move_to_end(number)
            return self._kept[number]

    def put(self, definition: Definition) -> None:
        number = definition.table.pk
        with self._lock:
            self._drop(number)
            self._kept[number] = definition
            for name in _names(definition.table):
                self._numbers[name] = number
            while len(self._kept) > KEPT_MAX:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._numbers.clear()

    def _drop(self, number: int) -> None:
        """Forget a definition, and the names under which it is the one to be recalled."""
        gone = self._kept.pop(number, None)
        for name in _names(gone.table) if gone else ():
            if self._numbers.get(name) == number:
                del self._numbers[name]


def _names(table: Table) -> tuple[str, str]:
    return str(table.uid), table.key


_cache = _Cache()


def system_fields() -> "dict[str, models.Field[Any, Any]]":
    """What every row has."""
    return {
        "id": models.UUIDField(primary_key=True),
        "created_at": models.DateTimeField(),
        "updated_at": models.DateTimeField(),
        "revision": models.BigIntegerField(default=1),
        "owner": models.UUIDField(null=True),
    }


def named_system_fields() -> "list[models.Field[Any, Any]]":
    """The same, each with its physical name."""
    fields = system_fields()
    for name, field in fields.items():
        field.set_attributes_from_name(name)
    return list(fields.values())


def field_of(column: Column) -> "models.Field[Any, Any]":
    """The field that stores a column, with its physical name."""
    field = column_type(column.type, column.options).field()
    field.set_attributes_from_name(column.db_column)
    return field


def _model(table: Table, own: Sequence[Member]) -> type[models.Model]:
    meta = type("Meta", (), {"apps": Apps(), "app_label": "datahub", "db_table": table.db_table})
    fields = {**system_fields(), **{member.attribute: member.type.field() for member in own}}
    return type("Row", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
