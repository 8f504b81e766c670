"""Changes of type of large tables: values are copied in passes beside the writers, then the columns are switched.

A pass copies every value that has no copy yet. Whoever writes a value meanwhile takes its copy away, so that the next
pass makes it anew. Once a pass finds little, the rest is copied and the switch made alone with the table.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import ngettext

from datahub import ddl
from datahub.column_types import column_type
from datahub.dynamic import Definition, definition_now, field_of
from datahub.errors import SHOWN_MAX, NoSuchTable, TableBusy, Unconvertible
from datahub.models import Column, Conversion, Job
from datahub.services import obstacles, references
from datahub.services.bulk import write_values
from datahub.services.changes import alone_with, raise_version
from datahub.services.column_rules import check_rules
from datahub.services.conversion import Failures, Wanted, batch_of, converted, keep_original, try_out
from datahub.services.indexes import create_indexes, drop_indexes
from datahub.services.jobs import Lease, ask_for, finish, hold
from datahub.services.rebuilding import drop_physical_column, refuse_exhausted
from datahub.services.row_transactions import open_for_writing
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import Origin, origin_from

FEW = 1000  # values that are left for the time alone with the table
PASSES_MAX = 10  # then it is all left for that
SKEW = timedelta(minutes=1)  # of the clocks of those who write


@dataclass(frozen=True, slots=True)
class _Done:
    """How many values a batch copied, and the last row of it; None where the pass came to its end."""

    count: int
    last: UUID | None


def start(
    definition: Definition,
    column: Column,
    wanted: Wanted,
    *,
    flags: Mapping[str, bool],
    nulls_unconvertible: bool,
    origin: Origin,
) -> Conversion:
    """Begin to convert `column`: a hidden column beside it, and a job. Alone with the table.

    `flags` are what the column is to be beside its new type: required, unique, indexed.
    """
    table = definition.table
    refuse_exhausted(table)
    Conversion.objects.filter(column=column).delete()
    table.columns_made += 1
    table.attributes_used += 1
    into = Column.objects.create(
        table=table,
        number=table.columns_made,
        key=column.key,
        name=column.name,
        type=wanted.new.name,
        options=wanted.new.options,
        target=wanted.target,
        **flags,
        position=column.position,
        hidden_at=timezone.now(),
        is_arriving=True,
    )
    ddl.add_column(table.db_table, field_of(into))
    conversion = Conversion.objects.create(
        column=column, into=into, type=wanted.new.name, nulls_unconvertible=nulls_unconvertible, origin=asdict(origin)
    )
    ask_for(Job.Kind.CONVERSION, conversion.pk)
    return conversion


class Converting:
    """A conversion in a worker's hands: a batch of a pass in each portion, and the switch in the last."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def step(self) -> bool:
        """Do one portion; tells whether there is more to do. Raises `LeaseLost`."""
        conversion = self._find()
        if conversion is None:
            finish(self._lease)
            return False
        try:
            if conversion.last_id is None and _is_nearly_done(conversion):
                self._end(conversion)
                return False
            self._copy_batch(conversion)
        except NoSuchTable:
            return True  # and next time there is no conversion
        except TableBusy:
            raise
        except DomainError as refusal:
            self._give_up(_told_in_full(conversion, refusal))
            return False
        return True

    def fail(self, detail: str) -> None:
        """End it, and leave the column as it was."""
        self._give_up(DomainError(detail))

    def _find(self) -> Conversion | None:
        running = Conversion.objects.filter(state=Conversion.State.RUNNING)
        return running.select_related("column__table", "into__target").filter(pk=self._lease.subject).first()

    def _copy_batch(self, conversion: Conversion) -> None:
        with open_for_writing(conversion.column.table) as definition:
            hold(self._lease)
            if conversion.last_id is None:
                _begin_pass(conversion)
            _note(conversion, _copy(definition, conversion, conversion.last_id))

    def _end(self, conversion: Conversion) -> None:
        """Copy what is left, and switch; alone with the table, and with the one that the column will refer to."""
        target = conversion.into.target if conversion.into else None
        with alone_with(conversion.column.table, beside=[target] if target else []) as definition:
            hold(self._lease)
            _begin_pass(conversion)
            done = _copy(definition, conversion, None)
            while done.last is not None:
                done = _copy(definition, conversion, done.last)
            _switch(definition, conversion)
            finish(self._lease)

    def _give_up(self, refusal: DomainError) -> None:
        """Take back what was begun, and keep the reason with the column."""
        conversion = self._find()
        if conversion is None:
            return
        with alone_with(conversion.column.table) as definition:
            hold(self._lease)
            into = conversion.into
            conversion.into, conversion.state, conversion.detail = None, Conversion.State.FAILED, refusal.detail
            conversion.errors = [error._asdict() for error in refusal.errors]
            conversion.save()
            if into is not None:
                drop_physical_column(definition.table, into)
                into.delete()
            raise_version(definition.table, origin_from(conversion.origin))
            finish(self._lease)


def _is_nearly_done(conversion: Conversion) -> bool:
    return conversion.passes >= PASSES_MAX or (conversion.passes > 0 and conversion.converted_in_pass < FEW)


def _told_in_full(conversion: Conversion, refusal: DomainError) -> DomainError:
    """What was refused for a batch, for the table as a whole."""
    if not isinstance(refusal, Unconvertible) or conversion.into is None:
        return refusal
    definition = definition_now(conversion.column.table.pk)
    failures = try_out(definition, conversion.column, _wanted(conversion.column, conversion.into))
    return failures.refusal() if failures.count else refusal


def _wanted(column: Column, into: Column) -> Wanted:
    return Wanted(column_type(column.type, column.options), column_type(into.type, into.options), into.target)


def _begin_pass(conversion: Conversion) -> None:
    """A pass looks at every value without a copy; where some can't have one, only at those written since the last."""
    if conversion.passes and conversion.nulls_unconvertible:
        conversion.looks_since = conversion.pass_began_at - SKEW
    conversion.pass_began_at = timezone.now()
    conversion.converted_in_pass = 0


def _copy(definition: Definition, conversion: Conversion, after: UUID | None) -> _Done:
    """Copy the next values that have no copy, in the order of the ids; from the beginning where `after` is None.

    Raises `Unconvertible` unless such values become null.
    """
    column, into = conversion.column, conversion.into
    assert into is not None  # noqa: S101  for mypy: its conversion would be gone
    rows = _without_copy(definition, column, into)
    rows = rows.filter(updated_at__gte=conversion.looks_since) if conversion.looks_since else rows
    rows = rows.filter(pk__gt=after) if after else rows
    batch = batch_of(rows.select_for_update(no_key=True), column)
    failures = Failures(column.key)
    pairs = [pair for pair in converted(batch, _wanted(column, into), failures) if pair[1] is not None]
    if not conversion.nulls_unconvertible:
        failures.refuse()
    write_values(definition.table.db_table, field_of(into), pairs)
    return _Done(len(pairs), batch[-1][0] if batch else None)


def _without_copy(definition: Definition, column: Column, into: Column) -> "models.QuerySet[Any]":
    """The rows whose value has no copy, in the order of the ids."""
    into = copy(into)
    into.key = "__arriving"  # which no column of users can have
    both = Definition(definition.table, [column, into])
    return both.rows().filter(**{into.db_column: None}).exclude(**{column.db_column: None}).order_by("pk")


def _note(conversion: Conversion, done: _Done) -> None:
    """Remember how far the pass has come; `last_id` is None before its first batch, and after its last."""
    conversion.rows_converted += done.count
    conversion.converted_in_pass += done.count
    conversion.last_id = done.last
    if done.last is None:
        conversion.passes += 1
    conversion.save()


def _tell_end(definition: Definition, conversion: Conversion) -> None:
    """Forget the conversion, or where it left values out keep that with the column, until it is changed again."""
    lost = _left_out(definition, conversion) if conversion.nulls_unconvertible else None
    if lost is None or not lost.count:
        conversion.delete()
        return
    detail = ngettext(
        "%(count)d value could not be converted and was left out; it is kept in the original.",
        "%(count)d values could not be converted and were left out; they are kept in the original.",
        lost.count,
    )
    conversion.into, conversion.state = None, Conversion.State.DONE
    conversion.detail, conversion.errors = detail % {"count": lost.count}, [each._asdict() for each in lost.errors]
    conversion.save()


def _left_out(definition: Definition, conversion: Conversion) -> Failures:
    """The values that have no copy once all have been copied; alone with the table."""
    column, into = conversion.column, conversion.into
    assert into is not None  # noqa: S101  for mypy: its conversion would be gone
    failures, rows = Failures(column.key), _without_copy(definition, column, into)
    converted(batch_of(rows[:SHOWN_MAX], column), _wanted(column, into), failures)
    failures.count = rows.count()
    return failures


def _switch(definition: Definition, conversion: Conversion) -> None:
    """The column goes on with the values of the other; those of before are its hidden original.

    Raises what speaks against it: rules that ask what can't be asked any more, duplicates, missing values.
    """
    column, into = Column.objects.get(pk=conversion.column.pk), conversion.into
    assert into is not None  # noqa: S101  for mypy: its conversion would be gone
    before = Column.objects.get(pk=column.pk)
    number = into.number
    _tell_end(definition, conversion)
    into.delete()
    column.number, column.type, column.options, column.target = number, into.type, into.options, into.target
    column.required, column.unique, column.indexed = into.required, into.unique, into.indexed
    changed = Definition(definition.table, [*(each for each in definition.columns if each.pk != column.pk), column])
    check_rules(changed, column.key)
    references.forget_deleted(changed, changed.own[column.key])
    if column.required:
        obstacles.refuse_missing(changed, column)
    if column.unique:
        obstacles.refuse_duplicates(changed, column)
    column.save()
    keep_original(before, column)
    create_indexes(definition.table, column)
    drop_indexes(definition.table, before)  # last, for from here on readers wait, too
    raise_version(definition.table, origin_from(conversion.origin))
