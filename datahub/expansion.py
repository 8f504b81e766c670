"""Rows that other rows name, beside them: one query for each relation, and only what the caller may read."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from datahub.access import Caller, permitted
from datahub.column_types import Relation
from datahub.dynamic import Definition, Member, definition_of, table_by_number
from datahub.errors import AccessDenied, CallerMissing, NoSuchTable
from datahub.filters import as_q
from datahub.models import Verb
from datahub.row_shapes import written

BATCH = 1000  # ids in a query: a page may name more rows than PostgreSQL takes parameters


def expanded(rows: Sequence[Mapping[str, Any]], members: Sequence[Member], caller: Caller) -> list[dict[str, Any]]:
    """For each row, given by key, its `{"<relation>": row | null}`; of a relation to many the rows it may see."""
    found: list[dict[str, Any]] = [{} for _row in rows]
    for member in members:
        named = [_ids(member, row[member.key]) for row in rows]
        there = _read(member, {id for ids in named for id in ids}, caller)
        for ids, expansion in zip(named, found, strict=True):
            visible = [there[id] for id in ids if id in there]
            is_many = isinstance(member.type, Relation) and member.type.many
            expansion[member.key] = visible if is_many else next(iter(visible), None)
    return found


def _ids(member: Member, value: Any) -> list[UUID]:
    if value is None:
        return []
    return member.type.ids(value) if isinstance(member.type, Relation) else [value]


def _read(member: Member, ids: set[UUID], caller: Caller) -> dict[UUID, dict[str, Any]]:
    if not ids:
        return {}
    if member.column is None:
        return _read_owners(ids, caller)
    if member.column.target_id is None:
        return {}
    try:
        definition = definition_of(table_by_number(member.column.target_id))
        condition = permitted(definition, Verb.READ, caller)
    except (AccessDenied, CallerMissing, NoSuchTable):
        return {}
    return _rows(definition, ids, as_q(condition))


def _rows(definition: Definition, ids: set[UUID], condition: Any) -> dict[UUID, dict[str, Any]]:
    members = list(definition.members.values())
    rows = definition.rows().filter(condition).values_list(*(member.attribute for member in members))
    every = list(ids)
    found: dict[UUID, dict[str, Any]] = {}
    for start in range(0, len(every), BATCH):
        batch = every[start : start + BATCH]
        found.update({row[0]: written(members, row) for row in rows.filter(pk__in=batch)})
    return found


def _read_owners(ids: set[UUID], caller: Caller) -> dict[UUID, dict[str, Any]]:
    """People: all of them for who may read users, for a person only themselves."""
    seen = ids if caller.reads_people else ids & {caller.user_id}
    users = get_user_model()._default_manager.filter(pk__in=seen).values_list("pk", "email", "first_name", "last_name")
    return {
        id: {"id": str(id), "email": email, "firstName": first, "lastName": last} for id, email, first, last in users
    }
