"""Changes of type of large tables: values are copied in passes beside the writers, then the columns are switched.

A pass copies every value that has no copy yet. Whoever writes a value meanwhile takes its copy away, so that the next
pass makes it anew. Once a pass finds little, the rest is copied and the switch made alone with the table.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass
from uuid import UUID

from django.utils import timezone

from datahub import ddl
from datahub.column_types import column_type
from datahub.dynamic import Definition, field_of
from datahub.errors import Conflicting, NoSuchTable
from datahub.models import Column, Conversion, Job
from datahub.services import obstacles
from datahub.services.bulk import write_values
from datahub.services.changes import alone_with, raise_version
from datahub.services.conversion import BATCH, Failures, Wanted, converted, keep_original
from datahub.services.indexes import create_indexes, drop_indexes
from datahub.services.jobs import Lease, ask_for, finish, hold
from datahub.services.row_transactions import open_for_writing
from fastgen_backend.origin import Origin, Source

FEW = 1000  # values that are left for the time alone with the table
PASSES_MAX = 10  # then it is all left for that


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
            if conversion.passes >= PASSES_MAX or (conversion.passes and conversion.converted_in_pass < FEW):
                self._end(conversion)
                return False
            self._copy_batch(conversion)
        except Conflicting as refusal:
            self.fail(refusal.detail)
            return False
        except NoSuchTable:
            pass  # and next time there is no conversion
        return True

    def fail(self, detail: str) -> None:
        """End it, and leave the column as it was."""
        if conversion := self._find():
            self._give_up(conversion, detail)

    def _find(self) -> Conversion | None:
        running = Conversion.objects.filter(state=Conversion.State.RUNNING)
        return running.select_related("column__table", "into").filter(pk=self._lease.subject).first()

    def _copy_batch(self, conversion: Conversion) -> None:
        with open_for_writing(conversion.column.table) as definition:
            hold(self._lease)
            _note(conversion, _copy(definition, conversion, conversion.last_id))

    def _end(self, conversion: Conversion) -> None:
        """Copy what is left, and switch; alone with the table."""
        with alone_with(conversion.column.table) as definition:
            hold(self._lease)
            done = _copy(definition, conversion, None)
            while done.last is not None:
                done = _copy(definition, conversion, done.last)
            _switch(definition, conversion)
            finish(self._lease)

    def _give_up(self, conversion: Conversion, detail: str) -> None:
        """Take back what was begun, and keep the reason with the column."""
        with alone_with(conversion.column.table) as definition:
            hold(self._lease)
            into = conversion.into
            conversion.into, conversion.state, conversion.detail = None, Conversion.State.FAILED, detail
            conversion.save()
            if into is not None:
                ddl.drop_column(definition.table.db_table, into.db_column)
                into.delete()
            raise_version(definition.table, _origin(conversion))
            finish(self._lease)


def _copy(definition: Definition, conversion: Conversion, after: UUID | None) -> _Done:
    """Copy the next values that have no copy, in the order of the ids; from the beginning where `after` is None.

    Raises `Unconvertible` unless such values become null.
    """
    column, into = conversion.column, copy(conversion.into)
    assert into is not None  # noqa: S101  for mypy: its conversion would be gone
    into.key = "arriving"
    both = Definition(definition.table, [column, into])
    rows = both.rows().filter(**{into.db_column: None}).exclude(**{column.db_column: None}).order_by("pk")
    rows = rows.filter(pk__gt=after) if after else rows
    batch = list(rows.select_for_update(no_key=True).values_list("pk", column.db_column)[:BATCH])
    failures = Failures(column.key)
    old, new = column_type(column.type, column.options), column_type(into.type, into.options)
    pairs = [pair for pair in converted(batch, Wanted(old, new, into.target), failures) if pair[1] is not None]
    if not conversion.nulls_unconvertible:
        failures.refuse()
    write_values(definition.table.db_table, field_of(into), pairs)
    return _Done(len(pairs), batch[-1][0] if len(batch) == BATCH else None)


def _note(conversion: Conversion, done: "_Done") -> None:
    """Remember how far the pass has come; `last_id` is None before its first batch, and after its last."""
    conversion.rows_converted += done.count
    if conversion.last_id is None:
        conversion.converted_in_pass = 0
    conversion.converted_in_pass += done.count
    conversion.last_id = done.last
    if done.last is None:
        conversion.passes += 1
    conversion.save()


def _switch(definition: Definition, conversion: Conversion) -> None:
    """The column goes on with the values of the other; those of before are its hidden original."""
    column, into = Column.objects.get(pk=conversion.column.pk), conversion.into
    assert into is not None  # noqa: S101  for mypy: its conversion would be gone
    before = Column.objects.get(pk=column.pk)
    drop_indexes(definition.table, before)
    number = into.number
    conversion.delete()
    into.delete()
    column.number, column.type, column.options, column.target = number, into.type, into.options, into.target
    column.required, column.unique, column.indexed = into.required, into.unique, into.indexed
    changed = Definition(definition.table, [*(each for each in definition.columns if each.pk != column.pk), column])
    if column.required:
        obstacles.refuse_missing(changed, column)
    if column.unique:
        obstacles.refuse_duplicates(changed, column)
    column.save()
    keep_original(before, column)
    create_indexes(definition.table, column)
    raise_version(definition.table, _origin(conversion))


def _origin(conversion: Conversion) -> Origin:
    """Who asked for it, and by which door."""
    return Origin(**{**conversion.origin, "source": Source(conversion.origin["source"])})
