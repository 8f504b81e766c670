"""The statements that write rows, past Django's ORM: made once for each version of a table."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from datahub.dynamic import Definition, Member
from datahub.row_shapes import Row

Prepare = Callable[[Any], Any]


def insert_rows(definition: Definition, rows: Sequence[Row]) -> None:
    """Insert whole rows. Raises `django.db.IntegrityError`."""
    sql, prepares = _insert_statement(definition)
    values = [[prepare(row[key]) for key, prepare in prepares] for row in rows]
    with connection.cursor() as cursor:
        if len(values) == 1:
            cursor.execute(sql, values[0])
        else:
            cursor.executemany(sql, values)


def update_row(definition: Definition, row: Row, changed: Iterable[str]) -> None:
    """Write the members `changed` of `row`, which gets a new revision and moment of change."""
    row["revision"] += 1
    row["updatedAt"] = timezone.now()
    keys = [*changed, "revision", "updatedAt"]
    members = [definition.members[key] for key in keys]
    parts = [f"{_quoted(member.attribute)} = %s" for member in members]
    parts += [f"{_quoted(copy)} = NULL" for copy in _copies(members)]  # the job that converts makes it anew
    places = ", ".join(parts)
    table = _quoted(definition.table.db_table)
    values = [_prepare(definition, member)(row[member.key]) for member in members]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {places} WHERE id = %s",  # noqa: S608  names of ours
            [*values, _prepare(definition, definition.members["id"])(row["id"])],
        )


def write_member(definition: Definition, member: Member, values: Sequence[tuple[UUID, Any]]) -> None:
    """Give each of these rows another value of one member, and with that a new revision and moment of change."""
    if not values:
        return
    parts = [f"{_quoted(member.attribute)} = %s", "revision = revision + 1", "updated_at = %s"]
    parts += [f"{_quoted(copy)} = NULL" for copy in _copies([member])]
    sql = f"UPDATE {_quoted(definition.table.db_table)} SET {', '.join(parts)} WHERE id"  # noqa: S608  names of ours
    now = _prepare(definition, definition.members["updatedAt"])(timezone.now())
    prepare, prepare_id = _prepare(definition, member), _prepare(definition, definition.members["id"])
    ids = [prepare_id(id) for id, _value in values]
    first = values[0][1]
    with connection.cursor() as cursor:
        if all(value == first for _id, value in values):
            places = ", ".join(["%s"] * len(ids))
            cursor.execute(f"{sql} IN ({places})", [prepare(first), now, *ids])
        else:
            cursor.executemany(
                f"{sql} = %s",
                [(prepare(value), now, id) for id, (_id, value) in zip(ids, values, strict=True)],
            )


def delete_ids(definition: Definition, ids: Sequence[UUID]) -> None:
    """Delete these rows."""
    prepare = _prepare(definition, definition.members["id"])
    sql = f"DELETE FROM {_quoted(definition.table.db_table)} WHERE id = %s"  # noqa: S608  a name of ours
    with connection.cursor() as cursor:
        cursor.executemany(sql, [[prepare(id)] for id in ids])


def _copies(members: Iterable[Member]) -> list[str]:
    """The physical columns into which those of these members are being converted."""
    return [member.column.copied_to for member in members if member.column is not None and member.column.copied_to]


def _insert_statement(definition: Definition) -> tuple[str, list[tuple[str, Prepare]]]:
    statement: tuple[str, list[tuple[str, Prepare]]] | None = definition.statements.get("insert")
    if statement is None:
        members = list(definition.members.values())
        columns = ", ".join(_quoted(member.attribute) for member in members)
        places = ", ".join(["%s"] * len(members))
        table = _quoted(definition.table.db_table)
        sql = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608  names of ours
        prepares = [(member.key, _prepare(definition, member)) for member in members]
        statement = definition.statements["insert"] = (sql, prepares)
    return statement


def _prepare(definition: Definition, member: Member) -> Prepare:
    """How a value of the member is told to the database: as its field does it, without detours for the plain ones."""
    field: Any = definition.model._meta.get_field(member.attribute)
    if isinstance(field, models.TextField | models.BooleanField):
        return _as_it_is
    if isinstance(field, models.BigIntegerField):
        adapt, kind = connection.ops.adapt_integerfield_value, field.get_internal_type()
        return lambda value: None if value is None else adapt(value, kind)
    return lambda value: None if value is None else field.get_db_prep_save(value, connection)


def _as_it_is(value: Any) -> Any:
    return value


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
