"""Tables: creating, changing, clearing and deleting them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from datahub import ddl, locks, signals
from datahub.access import check_access
from datahub.dynamic import Definition, named_system_fields
from datahub.errors import KeyTaken, TableInUse
from datahub.models import Column, RejectedRow, Table
from datahub.names import description_flaw, flaws, key_flaw, key_from_name, name_flaw
from datahub.services import references
from datahub.services.changes import alone_with, raise_version, tell
from datahub.services.column_checks import CheckedColumn, NewColumn, check_new_columns
from datahub.services.columns import insert_columns
from datahub.services.indexes import create_owner_index
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.origin import Origin

TRIES = 5  # to find a free key while others take them


def create_table(
    *,
    name: str,
    origin: Origin,
    key: str | None = None,
    description: str = "",
    columns: Sequence[NewColumn] = (),
    access: Mapping[str, Any] | None = None,
    on_owner_delete: str = "keep",
    row_events: bool = False,
) -> Table:
    """A new table with these columns; its key is made from the name where none is given.

    Raises `InvalidInput`, `KeyTaken`, `TooManyColumns`, or `TableBusy`.
    """
    errors = flaws(name=(name_flaw, name), key=(key_flaw, key), description=(description_flaw, description))
    errors += _flaws_of_settings(on_owner_delete)
    if errors:
        raise InvalidInput(errors)
    checked = check_new_columns(columns, taken=())
    for _try in range(TRIES):
        table = Table(
            name=name,
            key=key or free_table_key(name),
            description=description,
            on_owner_delete=on_owner_delete,
            row_events=row_events,
        )
        with locks.writing(each.target.pk for each in checked if each.target):
            _refuse_gone(checked)
            if _has_free_key(table):
                return _build(table, checked, access, origin)
        if key:
            break
    raise KeyTaken(_("There already is a table with the key ‘%(key)s’.") % {"key": table.key})


def change_table(*, table: Table, changes: Mapping[str, Any], origin: Origin) -> Table:
    """Change what `changes` names: name, key, description, access, on_owner_delete, row_events.

    A key changes only where one is given. Raises `InvalidInput`, `KeyTaken` or `NoSuchTable`.
    """
    given = {name: (check, changes.get(name)) for name, check in CHECKS.items()}
    errors = flaws(**given) + _flaws_of_settings(changes.get("on_owner_delete", "keep"))
    if errors:
        raise InvalidInput(errors)
    try:
        with alone_with(table) as definition:
            return _change(definition, dict(changes), origin)
    except IntegrityError:
        if "key" not in changes:
            raise
        raise KeyTaken(_("There already is a table with the key ‘%(key)s’.") % {"key": changes["key"]}) from None


def clear_table(*, table: Table, origin: Origin) -> None:
    """Delete every row. Raises `RowInUse` where rows of other tables refer to some and may not be without."""
    referring = references.referring_to(table)
    with alone_with(table, beside=[each.table for each in referring]) as definition:
        references.let_go_of_all(definition, origin)
        empty = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
        with connection.cursor() as cursor:
            cursor.execute(f"{empty} {connection.ops.quote_name(definition.table.db_table)}")
        tell(signals.table_emptied, definition.table, origin)


def delete_table(*, table: Table, origin: Origin) -> None:
    """Delete a table with its columns and rows. Raises `TableInUse` where columns of other tables refer to it."""
    with alone_with(table) as definition:
        now = definition.table
        seen = models.Q(hidden_at=None) | models.Q(is_arriving=True)
        referring = Column.objects.filter(seen, target=now).exclude(table=now).select_related("table")
        if names := [f"{column.table.key}.{column.key}" for column in referring]:
            detail = _("These columns refer to it; delete them or change their type first: %(columns)s.")
            raise TableInUse(detail % {"columns": ", ".join(sorted(names))})
        ddl.drop_table(now.db_table)
        tell(signals.table_deleted, now, origin)
        RejectedRow.objects.filter(of__table=now).delete()  # they hold what was to become its rows
        Table.objects.filter(pk=now.pk).delete()


CHECKS = {"name": name_flaw, "key": key_flaw, "description": description_flaw}


def _refuse_gone(columns: Sequence[CheckedColumn]) -> None:
    """Raise `InvalidInput` where a table that is referred to was deleted since that was checked."""
    wanted = {each.target.pk for each in columns if each.target}
    there = set(Table.objects.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    detail = _("There is no such table; name it by its id or key.")
    errors = [
        FieldError(f"/columns/{index}/options/table", "invalid", detail)
        for index, each in enumerate(columns)
        if each.target and each.target.pk not in there
    ]
    if errors:
        raise InvalidInput(errors)


def _has_free_key(table: Table) -> bool:
    """Insert it; False where another table has its key by now."""
    try:
        with transaction.atomic():
            table.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _build(table: Table, columns: Sequence[CheckedColumn], access: Mapping[str, Any] | None, origin: Origin) -> Table:
    """The physical table, its columns and rules, and the event."""
    fields = named_system_fields()
    made = insert_columns(table, columns)
    ddl.create_table(table.db_table, [*fields, *(each.field for each in made)])
    create_owner_index(table)
    for each in made:
        each.create_indexes()
    table.attributes_used = len(fields) + len(made)
    members = Definition(table, [each.column for each in made]).members
    table.access = check_access(dict(access or {}), members)
    table.save()
    tell(signals.table_created, table, origin)
    return table


def _change(definition: Definition, changes: dict[str, Any], origin: Origin) -> Table:
    table = definition.table
    if "access" in changes:
        changes["access"] = check_access({**table.access, **changes["access"]}, definition.members)
    if all(getattr(table, name) == value for name, value in changes.items()):
        return table
    for name, value in changes.items():
        setattr(table, name, value)
    raise_version(table, origin)
    return table


def free_table_key(name: str) -> str:
    """A key for a table of this name that no table has."""
    wanted = key_from_name(name, prefix="t_", taken=())
    taken = Table.objects.filter(folded_key__startswith=wanted[:40]).values_list("key", flat=True)
    return key_from_name(name, prefix="t_", taken=taken)


def _flaws_of_settings(on_owner_delete: str) -> list[FieldError]:
    if on_owner_delete in Table.OnOwnerDelete.values:
        return []
    return [FieldError("/onOwnerDelete", "invalid", _("This must be ‘keep’, ‘clear’ or ‘delete’."))]
