"""Columns: adding, changing, hiding and restoring them."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.translation import gettext as _

from datahub import ddl
from datahub.column_types import Relation, column_type
from datahub.dynamic import Definition, definition_now, field_of
from datahub.errors import KeyTaken, TargetGone
from datahub.models import Column, Table
from datahub.names import flaws, free_key, key_flaw, name_flaw
from datahub.services import background_conversion, conversion, obstacles, references
from datahub.services.changes import alone_with, raise_version
from datahub.services.column_checks import (
    CheckedColumn,
    NewColumn,
    check_index,
    check_new_columns,
    check_type,
    refuse_too_many,
)
from datahub.services.column_lookups import changeable_column, hidden_column, refuse_converting, visible_column
from datahub.services.column_rules import check_rules, refuse_if_in_rules
from datahub.services.indexes import create_indexes, drop_indexes
from datahub.services.rebuilding import refuse_exhausted
from fastgen_backend.errors import InvalidInput
from fastgen_backend.origin import Origin


@dataclass(frozen=True, slots=True)
class MadeColumn:
    """A column that has its row but not yet its place in the physical table."""

    table: Table
    column: Column

    @property
    def field(self) -> "models.Field[Any, Any]":
        return field_of(self.column)

    def create_indexes(self) -> None:
        create_indexes(self.table, self.column)


def add_column(*, table: Table, new: NewColumn, origin: Origin) -> Column:
    """A new column at the end. A required one needs an empty table: no row that is there has a value for it.

    Raises `InvalidInput`, `KeyTaken`, `TooManyColumns`, `MissingValues` or `NoSuchTable`.
    """
    _type, target = check_type(new.type, new.options)
    with alone_with(table, beside=[target] if target else []) as definition:
        if new.key:
            _refuse_taken(new.key, definition.columns)
        [checked] = check_new_columns([new], taken=[each.key for each in definition.columns], pointer="")
        if new.required:
            obstacles.refuse_rows(definition, new.key or checked.key)
        refuse_exhausted(definition.table)
        [made] = insert_columns(definition.table, [checked])
        ddl.add_column(definition.table.db_table, made.field)
        made.create_indexes()
        definition.table.attributes_used += 1
        raise_version(definition.table, origin)
    return made.column


def insert_columns(table: Table, columns: Sequence[CheckedColumn]) -> list[MadeColumn]:
    """The rows of new columns, after those there are; the physical columns are made by the caller."""
    made = []
    last = table.columns.aggregate(last=models.Max("position"))["last"] or 0
    for place, checked in enumerate(columns, start=last + 1):
        table.columns_made += 1
        asked = checked.asked
        column = Column.objects.create(
            table=table,
            number=table.columns_made,
            key=checked.key,
            name=asked.name,
            type=asked.type,
            options=checked.type.options,
            target=checked.target,
            required=asked.required,
            unique=asked.unique,
            indexed=asked.indexed,
            position=place,
        )
        made.append(MadeColumn(table, column))
    return made


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """What a column is to become: `changes` of name, key, required, unique, indexed, position, type, options."""

    changes: Mapping[str, Any]
    nulls_unconvertible: bool = False
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ChangedColumn:
    """What a column has become, and what a change of type left out of it, where that may be; a job tells none."""

    column: Column
    lost: conversion.Failures | None


def change_column(*, table: Table, id_or_key: str, change: ColumnChange, origin: Origin) -> ChangedColumn:
    """Change a column, all of it or nothing; a dry run tells what would be, and changes nothing.

    Raises `InvalidInput`, `NoSuchColumn`, `KeyTaken`, `ColumnInUse`, or one of the refusals that name the rows in the
    way: `Unconvertible`, `Duplicates`, `MissingValues`.
    """
    changes = change.changes
    if errors := flaws(name=(name_flaw, changes.get("name")), key=(key_flaw, changes.get("key"))):
        raise InvalidInput(errors)
    if change.is_dry_run and (tried := _tried_out(table, id_or_key, change)):
        return tried
    target = conversion.target_of_change(changes)
    with alone_with(table, beside=[target] if target else []) as definition:
        column = changeable_column(definition, id_or_key)
        before = model_to_dict(column)
        _rename(definition, column, changes)
        lost = _convert(definition, column, change, origin)
        has_begun = bool(column.copied_to)
        if not has_begun:
            _constrain(definition, column, changes, was_converted=column.number != before["number"])
        was_moved = _move(definition, column, changes.get("position"))
        if change.is_dry_run:
            transaction.set_rollback(True)
        elif has_begun or was_moved or model_to_dict(column) != before:
            column.save()
            check_rules(Definition(definition.table, list(Column.objects.filter(table=table).visible())), column.key)
            raise_version(definition.table, origin)
    return ChangedColumn(column, lost if change.nulls_unconvertible else None)


def hide_column(*, table: Table, id_or_key: str, origin: Origin) -> None:
    """Delete a column: hidden at once with its values, which `restore_column` brings back until they are purged.

    Raises `NoSuchColumn`, or `ColumnInUse` where an access rule speaks of it.
    """
    with alone_with(table) as definition:
        column = changeable_column(definition, id_or_key)
        refuse_if_in_rules(definition, column.key)
        drop_indexes(definition.table, column)
        column.hidden_at = timezone.now()
        column.save()
        raise_version(definition.table, origin)


def restore_column(*, table: Table, id_or_key: str, origin: Origin) -> Column:
    """Bring a deleted column back, or the original of a changed type as a column of its own.

    Where its key is taken by now it gets another. It is required no more where rows have no value, and refers to no
    row that was deleted meanwhile. Raises `NoSuchColumn`, `NotHidden`, `SeveralColumns`, `TargetGone` or
    `TooManyColumns`.
    """
    found = Column.objects.filter(table=table).named(id_or_key).hidden().select_related("target")
    with alone_with(table, beside=[each.target for each in found if each.target]) as definition:
        column = hidden_column(definition, id_or_key)
        if column.type == Relation.name and column.target_id is None:
            raise TargetGone(_("Purge this column, or leave it deleted."))
        refuse_too_many(len(definition.columns) + 1)
        column.key = free_key(column.key, [each.key for each in definition.columns])
        column.hidden_at, column.original_of = None, None
        column.position = 1 + max((each.position for each in definition.columns), default=0)
        restored = Definition(definition.table, [*definition.columns, column])
        references.forget_deleted(restored, restored.own[column.key])
        column.required = column.required and not obstacles.has_missing(restored, column)
        create_indexes(definition.table, column)
        column.save()
        raise_version(definition.table, origin)
    return column


def _tried_out(table: Table, id_or_key: str, change: ColumnChange) -> ChangedColumn | None:
    """A dry run for a large table: beside its writers, and without what the new values may have in common."""
    definition = definition_now(table.pk)
    column = visible_column(definition, id_or_key)
    wanted = conversion.wanted_type(column, change.changes)
    if wanted is None or wanted.is_wider or not conversion.is_large(definition):
        return None
    refuse_converting(column)
    _rename(definition, column, change.changes)
    flags = _flags(column, change.changes)
    if errors := check_index(wanted.new, unique=flags["unique"], indexed=flags["indexed"]):
        raise InvalidInput(errors)
    _check_rules_of_wanted(definition, column, wanted)
    lost = conversion.try_out(definition, column, wanted)
    if not change.nulls_unconvertible:
        lost.refuse()
    column.type, column.options = wanted.new.name, wanted.new.options
    for name, flag in flags.items():
        setattr(column, name, flag)
    return ChangedColumn(column, lost if change.nulls_unconvertible else None)


def _flags(column: Column, changes: Mapping[str, Any]) -> dict[str, bool]:
    """What the column is to be: required, unique, indexed."""
    return {name: changes.get(name, getattr(column, name)) for name in ("required", "unique", "indexed")}


def _check_rules_of_wanted(definition: Definition, column: Column, wanted: conversion.Wanted) -> None:
    """Raise `ColumnInUse` where an access rule asks what the column could not be asked any more."""
    future = copy(column)
    future.type, future.options = wanted.new.name, wanted.new.options
    others = [each for each in definition.columns if each.pk != column.pk]
    check_rules(Definition(definition.table, [*others, future]), column.key)


def _convert(
    definition: Definition, column: Column, change: ColumnChange, origin: Origin
) -> conversion.Failures | None:
    """Change the type, where that is asked for, or begin a job that will; tells what is lost at once."""
    wanted = conversion.wanted_type(column, change.changes)
    if wanted is None:
        return None
    if wanted.is_wider or not conversion.is_large(definition):
        return conversion.convert_column(definition, column, wanted, nulls_unconvertible=change.nulls_unconvertible)
    flags = _flags(column, change.changes)
    if errors := check_index(wanted.new, unique=flags["unique"], indexed=flags["indexed"]):
        raise InvalidInput(errors)
    _check_rules_of_wanted(definition, column, wanted)
    nulls = change.nulls_unconvertible
    column.conversion = background_conversion.start(
        definition, column, wanted, flags=flags, nulls_unconvertible=nulls, origin=origin
    )
    return None


def _rename(definition: Definition, column: Column, changes: Mapping[str, Any]) -> None:
    column.name = changes.get("name", column.name)
    key = changes.get("key", column.key)
    if key == column.key:
        return
    _refuse_taken(key, [each for each in definition.columns if each.pk != column.pk])
    refuse_if_in_rules(definition, column.key)
    column.key = key


def _refuse_taken(key: str, columns: Iterable[Column]) -> None:
    if any(each.key.lower() == key.lower() for each in columns):
        raise KeyTaken(_("Another column has the key ‘%(key)s’.") % {"key": key})


def _constrain(definition: Definition, column: Column, changes: Mapping[str, Any], *, was_converted: bool) -> None:
    """Required, unique and indexed, as asked for; each checked against the rows there are."""
    before = (column.required, column.unique, column.indexed)
    column.required = changes.get("required", column.required)
    column.unique = changes.get("unique", column.unique)
    column.indexed = changes.get("indexed", column.indexed)
    type = column_type(column.type, column.options)  # of which wider options alone may be too wide for an index
    if errors := check_index(type, unique=column.unique, indexed=column.indexed):
        raise InvalidInput(errors)
    if (column.required, column.unique, column.indexed) == before and not was_converted:
        return
    others = [each for each in definition.columns if each.pk != column.pk]
    changed = Definition(definition.table, [*others, column])
    if column.required:
        obstacles.refuse_missing(changed, column)
    if column.unique:
        obstacles.refuse_duplicates(changed, column)
    drop_indexes(definition.table, column)
    create_indexes(definition.table, column)


def _move(definition: Definition, column: Column, place: int | None) -> bool:
    """To the place `place`, from 1 on, or the last; the others keep their order. Tells whether that is another."""
    before = [each.pk for each in definition.columns]
    if place is None:
        return False
    order = [pk for pk in before if pk != column.pk]
    order.insert(place - 1, column.pk)
    if order == before:
        return False
    for position, pk in enumerate(order, start=1):
        Column.objects.filter(pk=pk).update(position=position)
    column.position = order.index(column.pk) + 1
    return True
