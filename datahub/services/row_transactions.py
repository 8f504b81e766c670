"""The transactions in which rows are written: the locks they need, and what the database refuses in plain words."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from django.db import DataError, IntegrityError, OperationalError
from django.utils.translation import gettext as _

from datahub import locks
from datahub.access import Caller
from datahub.dynamic import Definition, OutdatedDefinition, definition_now, definition_of
from datahub.errors import NoSuchTable, RowInUse, RowTooLarge
from datahub.filters import ALWAYS, Condition
from datahub.models import Column, Table
from datahub.row_shapes import Row
from datahub.services import references
from datahub.services.unique_values import refuse_beyond_rule, refuse_repeated, refuse_taken


@dataclass
class Attempt:
    """What a transaction was about to write, and within which rule, to tell what the database refused of it."""

    definition: Definition | None = None
    rows: Sequence[Row] = ()
    places: Sequence[str] = ()
    condition: Condition = ALWAYS
    written: Sequence[Row] = ()  # before: rows that gave up what the others may want

    def on(self, definition: Definition, rows: Sequence[Row], places: Sequence[str], condition: Condition) -> None:
        self.written = [*self.written, *self.rows]
        self.definition, self.rows, self.places, self.condition = definition, rows, places, condition

    def refuse(self, error: IntegrityError) -> NoReturn:
        """Tell what is taken, if the rule lets rows be written with it. Raises `UniqueConflict` or `AccessDenied`."""
        if self.definition is None:
            raise error
        if self.condition != ALWAYS:
            refuse_repeated(self.definition, self.rows, self.places)
            with open_for_writing(self.definition.table, by_name=True) as definition:
                if definition.identity != self.definition.identity:
                    raise OutdatedDefinition
                refuse_beyond_rule(definition, self.rows, self.condition)
        refuse_taken(self.definition, self.rows, self.places, error, self.written)


@contextmanager
def clear_refusals() -> Iterator[Attempt]:
    """Around a transaction: what the database refuses, in the terms of the request."""
    attempt = Attempt()
    try:
        try:
            yield attempt
        except IntegrityError as error:
            attempt.refuse(error)
    except (OperationalError, DataError) as error:
        if RowTooLarge.is_meant_by(error):
            raise RowTooLarge from error
        raise


@contextmanager
def open_for_writing(table: Table, beside: Iterable[Column] = (), *, by_name: bool = False) -> Iterator[Definition]:
    """A transaction among other writers of `table`, what it refers to and what refers to it; its definition as it is.

    Raises `TableBusy`, or `NoSuchTable`; `OutdatedDefinition` in its place where the table was found `by_name`, and
    also where that is none of its names any more.
    """
    try:
        known = {table.pk, *(column.table_id for column in beside), *definition_of(table).target_ids}
    except NoSuchTable:
        if by_name:
            raise OutdatedDefinition from None
        raise
    with locks.writing(known):
        definition = _definition_by_name(table) if by_name else definition_now(table.pk)
        if unknown := definition.target_ids - known:
            locks.share(unknown)
        yield definition


@contextmanager
def open_for_deletion(
    table: Table, caller: Caller, *, by_name: bool = False
) -> Iterator[tuple[Definition, list[Column]]]:
    """The same, with the columns that refer to the table: those there were before may have got company meanwhile."""
    with open_for_writing(table, references.referring_to(table), by_name=by_name) as definition:
        referring = references.referring_to(definition.table)
        locks.share({column.table_id for column in referring})
        try:
            yield definition, referring
        except RowInUse:
            if caller.reads_all:
                raise
            raise RowInUse(_("Other rows refer to it.")) from None  # which, where and how many is not for everyone


def _definition_by_name(table: Table) -> Definition:
    """The definition of the table as it is, as long as it still is the one that was called so."""
    try:
        definition = definition_now(table.pk)
    except NoSuchTable:
        raise OutdatedDefinition from None
    if (definition.table.uid, definition.table.key) != (table.uid, table.key):
        raise OutdatedDefinition
    return definition
