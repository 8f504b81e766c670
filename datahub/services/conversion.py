"""Changes of type: a new physical column with a converted copy; the values of before are kept until they are purged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datahub import ddl
from datahub.column_types import ColumnType, Relation, Unfit, column_type
from datahub.dynamic import Definition, field_of, find_table
from datahub.errors import SHOWN_MAX, NoSuchTable, Unconvertible
from datahub.models import Column, Table
from datahub.row_sizes import number_that_fits
from datahub.services import references
from datahub.services.bulk import write_values
from datahub.services.column_checks import check_type
from datahub.services.indexes import drop_indexes
from datahub.services.rebuilding import refuse_exhausted
from fastgen_backend.errors import FieldError

BATCH = 5000
AT_ONCE_MAX = 200_000  # rows; more are converted by a job
Values = list[tuple[UUID, Any]]


@dataclass
class Failures:
    """The values that can't be converted: how many, and the first hundred."""

    key: str
    count: int = 0
    errors: list[FieldError] = field(default_factory=list)

    def add(self, id: UUID, text: str, reason: str) -> None:
        self.count += 1
        if len(self.errors) < SHOWN_MAX:
            detail = _("‘%(value)s’: %(reason)s") % {"value": text[:200], "reason": reason}
            self.errors.append(FieldError(f"/rows/{id}/{self.key}", Unconvertible.code, detail))

    def refusal(self) -> Unconvertible:
        detail = ngettext(
            '%(count)d value can’t be converted; mend it, or send "onFailure": "null" to leave it out.',
            '%(count)d values can’t be converted; mend them, or send "onFailure": "null" to leave them out.',
            self.count,
        )
        return Unconvertible(detail % {"count": self.count}, self.errors, self.count)

    def refuse(self) -> None:
        if self.count:
            raise self.refusal()


def target_of_change(changes: Mapping[str, Any]) -> Table | None:
    """The table that the column will refer to, where the change names one."""
    options = changes.get("options")
    named = options.get("table") if isinstance(options, Mapping) else None
    try:
        return find_table(named) if isinstance(named, str) else None
    except NoSuchTable:
        return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The type that a column is to have, instead of `old`; and the table that it will refer to, if it does."""

    old: ColumnType
    new: ColumnType
    target: Table | None

    @property
    def is_wider(self) -> bool:
        """Whether every value can stay where and as it is."""
        return self.is_stored_alike and self.new.takes_all_of(self.old)

    @property
    def is_stored_alike(self) -> bool:
        return self.new.name == self.old.name and _physical(self.new) == _physical(self.old)


def wanted_type(column: Column, changes: Mapping[str, Any]) -> Wanted | None:
    """What `changes` make of the type and its options; None where that is what they are. Raises `InvalidInput`."""
    name = changes.get("type", column.type)
    inherited = column.options if name == column.type else {}
    given = changes.get("options", {})
    new, target = check_type(name, {**inherited, **given} if isinstance(given, Mapping) else given)
    old = column_type(column.type, column.options)
    return None if name == column.type and new.options == old.options else Wanted(old, new, target)


def is_large(definition: Definition) -> bool:
    """Whether a table has more rows than are converted in one transaction."""
    return bool(definition.rows().order_by("pk")[AT_ONCE_MAX : AT_ONCE_MAX + 1].values_list("pk").first())


def try_out(definition: Definition, column: Column, wanted: Wanted) -> Failures:
    """The values that can't be converted; nothing is changed."""
    failures = Failures(column.key)
    for batch in [] if wanted.is_wider else _batches(definition, column):
        converted(batch, wanted, failures)
    return failures


def convert_column(definition: Definition, column: Column, wanted: Wanted, *, nulls_unconvertible: bool) -> Failures:
    """Give `column` the type that is wanted, and its values with it; the caller saves it. Tells which became null.

    Where every value stays as it is, only the options change; else the values of before stay in a hidden column.
    Raises `Unconvertible` unless those values may become null. Alone with the table.
    """
    failures, stays = Failures(column.key), wanted.is_stored_alike
    for batch in [] if wanted.is_wider else _batches(definition, column):
        for before, after in zip(batch, converted(batch, wanted, failures), strict=True):
            stays = stays and before == after
    if not nulls_unconvertible:
        failures.refuse()
    if stays and not failures.count:
        column.options, column.target = wanted.new.options, wanted.target
    else:
        _copy(definition, column, wanted)
    return failures


def _copy(definition: Definition, column: Column, wanted: Wanted) -> None:
    """A new physical column with the converted values; the one of before becomes the hidden original."""
    table, new = definition.table, wanted.new
    before = Column.objects.get(pk=column.pk)
    refuse_exhausted(table)
    drop_indexes(table, before)
    table.columns_made += 1
    table.attributes_used += 1
    column.number, column.type, column.options, column.target = table.columns_made, new.name, new.options, wanted.target
    ddl.add_column(table.db_table, field_of(column))
    ignored = Failures(column.key)
    for batch in _batches(definition, before):
        values = [pair for pair in converted(batch, wanted, ignored) if pair[1] is not None]
        write_values(table.db_table, field_of(column), values)
    column.save()
    keep_original(before, column)


def keep_original(before: Column, column: Column) -> None:
    """Keep the column of before the change, with its values, hidden beside the one that goes on."""
    before.pk, before.uid, before._state.adding = None, Column._meta.get_field("uid").get_default(), True
    before.hidden_at, before.original_of, before.unique, before.indexed = timezone.now(), column, False, False
    before.save(force_insert=True)


def _batches(definition: Definition, column: Column) -> Iterator[Values]:
    """Ids and values of all rows that have one, in the order of the ids."""
    name, last = column.db_column, None
    rows = definition.rows().exclude(**{name: None}).order_by("pk")
    while batch := batch_of(rows.filter(pk__gt=last) if last else rows, column):
        yield batch
        last = batch[-1][0]


def batch_of(rows: "models.QuerySet[Any]", column: Column) -> Values:
    """The first of these rows, as many as are converted at once: their ids and values."""
    [member] = Definition(column.table, [column]).own.values()
    return list(rows.values_list("pk", member.attribute)[: number_that_fits(rows, [member], BATCH)])


def converted(batch: Values, wanted: Wanted, failures: Failures) -> Values:
    """The same rows with their new values; None, and counted, where a value can't be converted."""
    old, new, target = wanted.old, wanted.new, wanted.target
    values: Values = []
    for id, value in batch:
        try:
            values.append((id, new.convert(value, old)))
        except Unfit as unfit:
            failures.add(id, old.write(value), unfit.reason)
            values.append((id, None))
    if isinstance(new, Relation) and target is not None:
        return _only_existing(batch, values, old, new, target, failures)
    return values


def _only_existing(
    batch: Values, values: Values, old: ColumnType, new: Relation, target: Table, failures: Failures
) -> Values:
    """Without the values that name rows that are not there."""
    named = {each for _id, value in values if value is not None for each in new.ids(value)}
    missing = references.missing(target, named)
    kept: Values = []
    for (id, value), (_same, before) in zip(values, batch, strict=True):
        if value is not None and missing.intersection(new.ids(value)):
            failures.add(id, old.write(before), _("There is no such row."))
            value = None
        kept.append((id, value))
    return kept


def _physical(type: ColumnType) -> Sequence[Any]:
    kept_as = type.field().db_parameters(connection)["type"]
    return [kept_as, *(type.options.get(option) for option in ("scale", "table", "many"))]
