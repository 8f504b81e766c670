"""What nearly every request asks and writes: compiled once per thread, then run again and again with new values.

To build and compile a query with a join and a subquery costs Django about a millisecond, twenty times what a database
needs to answer it. The rule stays where it is, in a QuerySet; only its compilation is kept.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row", bound=models.Model)


class Parameter(models.Expression):
    """The place of a value, of the type of `field`, that is given each time the query runs."""

    def __init__(self, name: str, field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]

    def value(self, given: dict[str, Any], connection: Any) -> Any:
        """What the database is told."""
        return self.output_field.get_db_prep_value(given[self.name], connection)


Moment = datetime | Parameter


class Prepared(Generic[Row]):
    """A query for one row at most; `build` makes it, with a `Parameter` wherever a value comes later."""

    def __init__(self, build: "Callable[[], models.QuerySet[Row, Any]]") -> None:
        self._build = build
        self._compiled = threading.local()  # a compiler belongs to a connection, and that to a thread

    def first(self, **values: Any) -> Row | None:
        """The row, with its annotations and what was `select_related`, for these values of the parameters."""
        compiled = self._compile()
        row = compiled.row(values)
        return compiled.as_model(row) if row else None

    def row(self, **values: Any) -> list[Any] | None:
        """The bare values of the row; those of `values_list` where `build` asks for one."""
        return self._compile().row(values)

    def _compile(self) -> "_Compiled[Row]":
        compiled: _Compiled[Row] | None = getattr(self._compiled, "it", None)
        if compiled is None:
            compiled = self._compiled.it = _Compiled(self._build())
        return compiled


def insert(instance: Row) -> Row:
    """Insert a new row, as `save(force_insert=True)` does, but compiled once; Django's own signals are not sent.

    Raises `django.db.IntegrityError`. An id that the database gives is set on the instance.
    """
    model: type[models.Model] = type(instance)
    if model not in _inserts.by_model:
        _inserts.by_model[model] = _Insert(model)
    _inserts.by_model[model].run(instance)
    return instance


class _Inserts(threading.local):
    """The statements of this thread."""

    def __init__(self) -> None:
        self.by_model: dict[type[models.Model], _Insert] = {}


_inserts = _Inserts()


class _Insert:
    """The statement that inserts a row of one model: every column but an id that the database gives."""

    def __init__(self, model: type[models.Model]) -> None:
        key = model._meta.pk
        self._key = key if isinstance(key, models.AutoField) else None
        self._fields = [field for field in model._meta.concrete_fields if field is not self._key]
        columns = ", ".join(_quoted(field) for field in self._fields)
        places = ", ".join(["%s"] * len(self._fields))
        returning = f" RETURNING {_quoted(self._key)}" if self._key else ""
        table = connection.ops.quote_name(model._meta.db_table)
        self._sql = f"INSERT INTO {table} ({columns}) VALUES ({places}){returning}"  # noqa: S608  names of ours

    def run(self, instance: models.Model) -> None:
        values = [field.get_db_prep_save(field.pre_save(instance, add=True), connection) for field in self._fields]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            if self._key:
                setattr(instance, self._key.attname, cursor.fetchone()[0])
        instance._state.adding, instance._state.db = False, connection.alias


def _quoted(field: "models.Field[Any, Any]") -> str:
    return connection.ops.quote_name(str(field.column))


class _Compiled(Generic[Row]):
    """The statement, and how its row becomes a model: as `django.db.models.query.ModelIterable` does it."""

    def __init__(self, queryset: "models.QuerySet[Row, Any]") -> None:
        self._connection = connections[DEFAULT_DB_ALIAS]  # this thread's own, without a proxy before it
        self._compiler = queryset.query.get_compiler(connection=self._connection)
        self._sql, self._params = self._compiler.as_sql()
        self._locks = queryset.query.select_for_update
        columns = [expression for expression, _sql, _alias in self._compiler.select or ()]
        self._converters = list(self._compiler.get_converters(columns).items())
        if self._compiler.klass_info:
            self._learn_model(self._compiler.klass_info, columns)

    def row(self, values: dict[str, Any]) -> list[Any] | None:
        link = self._connection
        if self._locks and not link.in_atomic_block:
            raise TransactionManagementError("A row is locked until its transaction ends; there is none.")
        params = [each.value(values, link) if isinstance(each, Parameter) else each for each in self._params]
        with link.cursor() as cursor:
            cursor.execute(self._sql, params)
            found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for place, (converters, expression) in self._converters:
            for convert in converters:
                row[place] = convert(row[place], expression, link)
        return row

    def as_model(self, row: list[Any]) -> Row:
        instance = _loaded(self._model, self._names, row[self._own])
        for populator in self._related:
            _populate(populator, row, instance)
        for name, place in self._annotations.items():
            setattr(instance, name, row[place])
        return instance

    def _learn_model(self, shape: dict[str, Any], columns: list[Any]) -> None:
        start, end = shape["select_fields"][0], shape["select_fields"][-1] + 1
        self._model: type[Row] = shape["model"]
        self._own = slice(start, end)
        self._names = [column.target.attname for column in columns[start:end]]
        select: Any = self._compiler.select
        self._related = get_related_populators(shape, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # Django 6
        self._annotations = dict(self._compiler.annotation_col_map or {})


def _loaded(model: type[Row], names: Sequence[str], values: Sequence[Any]) -> Row:
    """A row that came from the database; as `Model.from_db`, without its way through `__init__` and signals."""
    instance = model.__new__(model)
    instance.__dict__.update(zip(names, values, strict=True))
    instance._state = ModelState()
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS
    return instance


def _populate(populator: Any, row: list[Any], instance: models.Model) -> None:
    """What was `select_related`, as Django's own populator does it."""
    values = (
        populator.reorder_for_init(row)
        if populator.reorder_for_init
        else row[populator.cols_start : populator.cols_end]
    )
    related = None
    if values[populator.pk_idx] is not None:
        related = _loaded(populator.model_cls, populator.init_list, values)
        for below in populator.related_populators:
            _populate(below, row, related)
        populator.remote_setter(related, instance)
    populator.local_setter(instance, related)
