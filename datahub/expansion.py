"""Rows that other rows name, beside them: one query for each relation, and only what the caller may read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import models
from django.utils.translation import gettext as _

from datahub.access import Caller, permitted
from datahub.column_types import Relation
from datahub.dynamic import Member, definition_of, table_by_number
from datahub.errors import AccessDenied, CallerMissing, NoSuchTable
from datahub.filters import as_q
from datahub.models import Verb
from datahub.row_shapes import written
from datahub.row_sizes import BYTES_MAX, bytes_max, size_of
from fastgen_backend.errors import FieldError, InvalidInput

Rows = dict[UUID, dict[str, Any]]  # by id
BATCH = 1000  # ids in a query: a page may name more rows than PostgreSQL takes parameters


def expanded(rows: Sequence[Mapping[str, Any]], members: Sequence[Member], caller: Caller) -> list[dict[str, Any]]:
    """For each row, given by key, its `{"<relation>": row | null}`; of a relation to many the rows it may see.

    Raises `InvalidInput` where that is more than one answer may hold.
    """
    found: list[dict[str, Any]] = [{} for _row in rows]
    room = BYTES_MAX
    for member in members:
        named = [_ids(member, row[member.key]) for row in rows]
        there, size = _read(member, Counter(chain.from_iterable(named)), caller, room)
        room -= size
        for ids, expansion in zip(named, found, strict=True):
            visible = [there[id] for id in ids if id in there]
            is_many = isinstance(member.type, Relation) and member.type.many
            expansion[member.key] = visible if is_many else next(iter(visible), None)
    return found


def _ids(member: Member, value: Any) -> list[UUID]:
    if value is None:
        return []
    return member.type.ids(value) if isinstance(member.type, Relation) else [value]


def _read(member: Member, named: Counter[UUID], caller: Caller, room: int) -> tuple[Rows, int]:
    """The rows that are named so many times each, and how large they are together, at most `room`."""
    if member.column is None:
        return _read_owners(set(named), caller), 0
    if not named or member.column.target_id is None:
        return {}, 0
    try:
        definition = definition_of(table_by_number(member.column.target_id))
        condition = permitted(definition, Verb.READ, caller)
    except (AccessDenied, CallerMissing, NoSuchTable):
        return {}, 0
    rows = definition.rows().filter(as_q(condition))
    members = list(definition.members.values())
    size = bytes_max(members) * named.total()
    if size > room:
        sizes = _by_id(rows.values_list("pk", size_of(members)), named)
        size = sum(bytes * named[id] for id, bytes in sizes)
        if size > room:
            detail = _("What these rows refer to is more than one answer holds; ask for fewer of them by ‘limit’.")
            raise InvalidInput([FieldError("/expand", "too-large", detail)])
    values = _by_id(rows.values_list(*(member.attribute for member in members)), named)
    return {row[0]: written(members, row) for row in values}, size


def _by_id(rows: "models.QuerySet[Any, Any]", ids: Iterable[UUID]) -> Iterator[Any]:
    every = list(ids)
    for start in range(0, len(every), BATCH):
        yield from rows.filter(pk__in=every[start : start + BATCH])


def _read_owners(ids: set[UUID], caller: Caller) -> Rows:
    """People: all of them for who may read users, for a person only themselves."""
    seen = ids if caller.reads_people else ids & {caller.user_id}
    users = get_user_model()._default_manager.filter(pk__in=seen).values_list("pk", "email", "first_name", "last_name")
    return {
        id: {"id": str(id), "email": email, "firstName": first, "lastName": last} for id, email, first, last in users
    }
