"""Rows that stand in the way of a change: counted, and the first hundred named."""

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datahub.column_types import column_type
from datahub.dynamic import Definition
from datahub.errors import SHOWN_MAX, Duplicates, MissingValues
from datahub.models import Column
from fastgen_backend.errors import FieldError


def refuse_duplicates(definition: Definition, column: Column) -> None:
    """Raise `Duplicates` where two rows have the same value in `column`."""
    name = column.db_column
    values = definition.rows().exclude(**{name: None}).values(name)
    repeated = values.annotate(times=models.Count("pk")).filter(times__gt=1).values(name)
    rows = definition.rows().filter(**{f"{name}__in": repeated})
    if count := rows.count():
        type = column_type(column.type, column.options)
        first = rows.order_by(name, "pk").values_list("pk", name)[:SHOWN_MAX]
        errors = [
            FieldError(f"/rows/{id}/{column.key}", Duplicates.code, type.write(value)[:200]) for id, value in first
        ]
        detail = ngettext(
            "%(count)d row has a value that another has as well; make them differ first.",
            "%(count)d rows have a value that another has as well; make them differ first.",
            count,
        )
        raise Duplicates(detail % {"count": count}, errors, count)


def refuse_missing(definition: Definition, column: Column) -> None:
    """Raise `MissingValues` where a row has no value in `column`."""
    rows = definition.rows().filter(**{column.db_column: None})
    if count := rows.count():
        detail = ngettext(
            "%(count)d row has no value; fill it first.", "%(count)d rows have no value; fill them first.", count
        )
        _refuse_missing(rows, column.key, detail % {"count": count}, count)


def refuse_rows(definition: Definition, key: str) -> None:
    """Raise `MissingValues` where there is any row, for none would have a value in a new column."""
    if count := definition.rows().count():
        detail = ngettext(
            "%(count)d row would have no value; add the column, fill it, then make it required.",
            "%(count)d rows would have no value; add the column, fill it, then make it required.",
            count,
        )
        _refuse_missing(definition.rows(), key, detail % {"count": count}, count)


def has_missing(definition: Definition, column: Column) -> bool:
    """Whether a row has no value in `column`."""
    return bool(definition.rows().filter(**{column.db_column: None}).exists())


def _refuse_missing(rows: "models.QuerySet[models.Model]", key: str, detail: str, count: int) -> None:
    first = rows.order_by("pk").values_list("pk", flat=True)[:SHOWN_MAX]
    errors = [FieldError(f"/rows/{id}/{key}", MissingValues.code, _("There is no value.")) for id in first]
    raise MissingValues(detail, errors, count)
