"""Relations: what rows name rows of other tables, and what becomes of that when those are deleted."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.db import connection, models
from django.utils.translation import gettext as _

from datahub import signals
from datahub.column_types import Relation
from datahub.dynamic import Definition, Member, definition_of
from datahub.errors import RowInUse
from datahub.models import Column, Table
from datahub.services.row_writing import write_member
from fastgen_backend.errors import FieldError
from fastgen_backend.origin import Origin

BATCH = 1000


def missing(target: Table, ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that no row of `target` has; the others can't be deleted until the transaction ends."""
    found: set[UUID] = set()
    every = list(ids)
    for start in range(0, len(every), BATCH):
        found.update(_kept(target, every[start : start + BATCH]))
    return set(ids) - found


def referring_to(table: Table) -> list[Column]:
    """The columns whose values are rows of `table`, with the tables they belong to."""
    return list(Column.objects.filter(target=table, hidden_at=None).select_related("table").order_by("id"))


def let_go(
    definition: Definition,
    ids: Sequence[UUID],
    referring: Iterable[Column],
    origin: Origin,
    going_too: Mapping[int, models.Q] | None = None,
) -> None:
    """Before rows are deleted: clear what refers to them, or raise `RowInUse` where it must not be without.

    The caller holds a writer's share of the tables that `referring` belong to. Rows that are about to go as well are
    left as they are: these themselves, and by the number of their table those that `going_too` describes.
    """
    going = set(ids)
    for column in referring:
        other = definition_of(Table.objects.get(pk=column.table_id))
        member = _member_of(other, column)
        if member is not None and member.column is not None and member.column.target_id == definition.table.pk:
            rows = other.rows()
            if other.table.pk == definition.table.pk:
                rows = rows.exclude(pk__in=going)
            if going_too and other.table.pk in going_too:
                rows = rows.exclude(going_too[other.table.pk])
            _let_go(other, member, rows, going, origin)


def needed(definition: Definition, ids: Collection[UUID], referring: Iterable[Column]) -> set[UUID]:
    """Those of the ids whose rows others must not be without: rows that stay, or that stay for this very reason."""
    going, found = set(ids), set[UUID]()
    needs: dict[UUID, set[UUID]] = {}  # of the rows that would go, while they stay
    for column in referring:
        other = definition_of(Table.objects.get(pk=column.table_id))
        member = _member_of(other, column)
        if member is None or member.column is None or member.column.target_id != definition.table.pk:
            continue
        if not _is_strict(member):
            continue
        type = relation_of(member)
        rows = other.rows()
        if other.table.pk == definition.table.pk:
            within = rows.filter(pk__in=going).exclude(**{member.attribute: None})
            for id, value in within.values_list("pk", member.attribute):
                needs.setdefault(id, set()).update(going.intersection(type.ids(value)))
            rows = rows.exclude(pk__in=going)
        found |= _named(rows, member, going)
    waiting = list(found)
    while waiting:
        more = needs.get(waiting.pop(), set()) - found
        found |= more
        waiting += more
    return found


def let_go_of_all(definition: Definition, origin: Origin) -> None:
    """The same, before all rows of a table are deleted."""
    for column in referring_to(definition.table):
        if column.table_id == definition.table.pk:
            continue
        other = definition_of(Table.objects.get(pk=column.table_id))
        member = other.own[column.key]
        rows = other.rows().filter(**{f"{member.attribute}__isnull": False})
        if relation_of(member).many:
            rows = rows.exclude(**{f"{member.attribute}__is_empty": True})
        _treat(other, member, rows, None, origin)


def forget_deleted(definition: Definition, member: Member) -> None:
    """Take out of a relation what it names no more: rows that were deleted while the column was."""
    type, column = member.type, member.column
    if not isinstance(type, Relation) or column is None or column.target is None:
        return
    rows = definition.rows().filter(**{f"{member.attribute}__isnull": False})
    for batch in _batches(rows, member):
        gone = missing(column.target, {id for _row, value in batch for id in type.ids(value)})
        write_member(
            definition,
            member,
            [(row, _without(type, value, gone)) for row, value in batch if not gone.isdisjoint(type.ids(value))],
        )


def _member_of(definition: Definition, column: Column) -> Member | None:
    """The member that the column is by now, whatever its key."""
    return next((each for each in definition.own.values() if each.column and each.column.pk == column.pk), None)


def _kept(target: Table, ids: Sequence[UUID]) -> list[UUID]:
    """Those that are there, kept from being deleted meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT id FROM "{target.db_table}" WHERE id = ANY(%s) FOR KEY SHARE', [list(ids)])  # noqa: S608
            return [id for (id,) in cursor.fetchall()]
    rows = definition_of(target).rows().filter(pk__in=ids)
    return list(rows.values_list("pk", flat=True))


def _let_go(other: Definition, member: Member, rows: "models.QuerySet[Any]", going: set[UUID], origin: Origin) -> None:
    every = list(going)
    for start in range(0, len(every), BATCH):
        batch = every[start : start + BATCH]
        _treat(other, member, rows.filter(_names(member, batch)), going, origin)


def _named(rows: "models.QuerySet[Any]", member: Member, ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that rows name."""
    type, found, every = relation_of(member), set[UUID](), list(ids)
    for start in range(0, len(every), BATCH):
        values = rows.filter(_names(member, every[start : start + BATCH])).values_list(member.attribute, flat=True)
        for value in (values if type.many else values.distinct()).iterator():
            found.update(type.ids(value))
    return found.intersection(ids)


def _names(member: Member, ids: Sequence[UUID]) -> models.Q:
    if relation_of(member).many:
        return models.Q(**{f"{member.attribute}__has_any": [str(id) for id in ids]})
    return models.Q(**{f"{member.attribute}__in": ids})


def _treat(
    other: Definition, member: Member, rows: "models.QuerySet[Any]", going: set[UUID] | None, origin: Origin
) -> None:
    """What the relation's `onDelete` says, with `rows`, which name some of those that go; None is all."""
    type = relation_of(member)
    if _is_strict(member):
        first = list(rows.order_by("pk").values_list("pk", flat=True)[:100])
        if first:
            count = rows.count()
            place = f"{other.table.key}.{member.key}"
            detail = _("Rows that refer to it in %(place)s: %(count)d; change or delete those first.")
            errors = [FieldError(f"/rows/{id}/{member.key}", RowInUse.code, place) for id in first]
            raise RowInUse(detail % {"count": count, "place": place}, errors, count)
        return
    for batch in _batches(rows.select_for_update(no_key=True), member):
        left = [(id, _without(type, value, going)) for id, value in batch]
        write_member(other, member, left)
        for id, value in left if other.table.row_events else ():
            shown = {member.key: None if value is None else type.show(value)}
            signals.row_updated.send(sender=Table, table_id=other.table.uid, row_id=id, values=shown, origin=origin)


def _is_strict(member: Member) -> bool:
    """Whether rows must not be without what it names."""
    is_required = member.column is not None and member.column.required
    return is_required or relation_of(member).options["onDelete"] == "restrict"


def relation_of(member: Member) -> Relation:
    """The type of a member that is a relation."""
    return cast("Relation", member.type)


def _without(type: Relation, value: Any, gone: set[UUID] | None) -> Any:
    if not type.many:
        return None
    return [] if gone is None else [each for each in value if UUID(each) not in gone]


def _batches(rows: "models.QuerySet[Any]", member: Member) -> Iterator[list[tuple[UUID, Any]]]:
    """The ids of rows with their values, some at a time and in the order of the ids; rows may change meanwhile."""
    values = rows.order_by("pk").values_list("pk", member.attribute)
    batch = list(values[:BATCH])
    while batch:
        yield batch
        batch = list(values.filter(pk__gt=batch[-1][0])[:BATCH])
