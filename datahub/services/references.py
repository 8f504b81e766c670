"""Relations: what rows name rows of other tables, and what becomes of that when those are deleted."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from django.db import connection, models
from django.utils.translation import gettext as _

from datahub import signals
from datahub.column_types import Relation
from datahub.dynamic import Definition, Member, definition_of
from datahub.errors import RowInUse
from datahub.models import Column, Table
from datahub.services.row_writing import update_row
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


def let_go(definition: Definition, ids: Sequence[UUID], referring: Iterable[Column], origin: Origin) -> None:
    """Before rows are deleted: clear what refers to them, or raise `RowInUse` where it must not be without.

    The caller holds a writer's share of the tables that `referring` belong to.
    """
    going = set(ids)
    for column in referring:
        other = definition_of(Table.objects.get(pk=column.table_id))
        member = other.own.get(column.key)
        if member is not None and member.column is not None and member.column.target_id == definition.table.pk:
            is_own = other.table.pk == definition.table.pk
            _let_go(other, member, going, origin, spared=going if is_own else set())


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
    rows = definition.rows().filter(**{f"{member.attribute}__isnull": False}).values_list("pk", member.attribute)
    for id, value in list(rows):
        gone = missing(column.target, type.ids(value))
        if gone:
            _write(definition, id, member, _without(type, value, gone))


def _kept(target: Table, ids: Sequence[UUID]) -> list[UUID]:
    """Those that are there, kept from being deleted meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT id FROM "{target.db_table}" WHERE id = ANY(%s) FOR KEY SHARE', [list(ids)])  # noqa: S608
            return [id for (id,) in cursor.fetchall()]
    rows = definition_of(target).rows().filter(pk__in=ids)
    return list(rows.values_list("pk", flat=True))


def _let_go(other: Definition, member: Member, going: set[UUID], origin: Origin, spared: set[UUID]) -> None:
    every = list(going)
    for start in range(0, len(every), BATCH):
        batch = every[start : start + BATCH]
        if isinstance(member.type, Relation) and member.type.many:
            named = models.Q(**{f"{member.attribute}__has_any": [str(id) for id in batch]})
        else:
            named = models.Q(**{f"{member.attribute}__in": batch})
        rows = other.rows().filter(named)
        _treat(other, member, rows.exclude(pk__in=spared) if spared else rows, going, origin)


def _treat(
    other: Definition, member: Member, rows: "models.QuerySet[Any]", going: set[UUID] | None, origin: Origin
) -> None:
    """What the relation's `onDelete` says, with `rows`, which name some of those that go; None is all."""
    type = relation_of(member)
    if type.options["onDelete"] == "restrict" or (member.column and member.column.required):
        first = list(rows.order_by("pk").values_list("pk", flat=True)[:100])
        if first:
            count = rows.count()
            place = f"{other.table.key}.{member.key}"
            detail = _("%(count)d rows refer to it in %(place)s; change or delete those first.")
            errors = [FieldError(f"/rows/{id}/{member.key}", RowInUse.code, place) for id in first]
            raise RowInUse(detail % {"count": count, "place": place}, errors, count)
        return
    for id, value in list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", member.attribute)):
        left = None if going is None else _without(type, value, going)
        _write(other, id, member, left)
        if other.table.row_events:
            shown = {member.key: None if left is None else type.show(left)}
            signals.row_updated.send(sender=Table, table_id=other.table.uid, row_id=id, values=shown, origin=origin)


def relation_of(member: Member) -> Relation:
    """The type of a member that is a relation."""
    return cast("Relation", member.type)


def _without(type: Relation, value: Any, gone: set[UUID]) -> Any:
    if not type.many:
        return None
    return [each for each in value if UUID(each) not in gone]


def _write(definition: Definition, id: UUID, member: Member, value: Any) -> None:
    [revision] = definition.rows().filter(pk=id).values_list("revision", flat=True)
    update_row(definition, {"id": id, member.key: value, "revision": revision}, [member.key])
