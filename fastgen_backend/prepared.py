"""Queries that nearly every request asks: compiled once per thread, then run again and again with new values.

To build and compile a query with a join and a subquery costs Django about a millisecond, twenty times what a database
needs to answer it. The rule stays where it is, in a QuerySet; only its compilation is kept.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=models.Model)


class Parameter(models.Expression):
    """The place of a value, of the type of `field`, that is given each time the query runs."""

    def __init__(self, name: str, field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]

    def value(self, given: dict[str, Any]) -> Any:
        """What the database is told."""
        return self.output_field.get_db_prep_value(given[self.name], connection)


Moment = datetime | Parameter


class Prepared(Generic[Row]):
    """A query for one row at most; `build` makes it, with a `Parameter` wherever a value comes later."""

    def __init__(self, build: "Callable[[], models.QuerySet[Row]]") -> None:
        self._build = build
        self._compiled = threading.local()  # a compiler belongs to a connection, and that to a thread

    def first(self, **values: Any) -> Row | None:
        """The row, with its annotations and what was `select_related`, for these values of the parameters."""
        compiled = getattr(self._compiled, "it", None)
        if compiled is None:
            compiled = self._compiled.it = _Compiled(self._build())
        return compiled.first(values)


class _Compiled(Generic[Row]):
    """The statement, and how its row becomes a model: as `django.db.models.query.ModelIterable` does it."""

    def __init__(self, queryset: "models.QuerySet[Row]") -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        self._sql, self._params = compiler.as_sql()
        shape: dict[str, Any] = compiler.klass_info or {}
        columns = [expression for expression, _sql, _alias in compiler.select or ()]
        start, end = shape["select_fields"][0], shape["select_fields"][-1] + 1
        self._model: type[Row] = shape["model"]
        self._own = slice(start, end)
        self._names = [column.target.attname for column in columns[start:end]]
        self._related = get_related_populators(shape, compiler.select, connection.alias)  # type: ignore[call-arg]  # of Django 6
        self._annotations = dict(compiler.annotation_col_map or {})
        self._converters = list(compiler.get_converters(columns).items())

    def first(self, values: dict[str, Any]) -> Row | None:
        params = [each.value(values) if isinstance(each, Parameter) else each for each in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            found = cursor.fetchone()
        return self._as_model(list(found)) if found else None

    def _as_model(self, row: list[Any]) -> Row:
        for place, (converters, expression) in self._converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        instance = self._model.from_db(connection.alias, self._names, row[self._own])
        for populator in self._related:
            populator.populate(row, instance)
        for name, place in self._annotations.items():
            setattr(instance, name, row[place])
        return instance
