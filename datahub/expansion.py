"""Rows that other rows name, beside them: one query for each relation, and only what the caller may read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from datahub.access import Caller, both, permitted
from datahub.column_types import Relation
from datahub.dynamic import Member, definition_of, table_by_number
from datahub.errors import AccessDenied, CallerMissing, NoSuchTable
from datahub.filters import Comparison, as_q
from datahub.models import Verb
from datahub.row_sizes import BYTES_MAX, bytes_max, size_of
from datahub.statements import select
from fastgen_backend.errors import FieldError, InvalidInput

Rows = dict[UUID, dict[str, Any]]  # by id
BATCH = 1000  # ids in a query: a page may name more rows than PostgreSQL takes parameters


@dataclass(slots=True)
class _Room:
    """How many bytes the answer may still hold; of each relation those that are not worth measuring."""

    left: int
    unmeasured: int

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            detail = _("What these rows refer to is more than one answer holds; ask for fewer of them by ‘limit’.")
            raise InvalidInput([FieldError("/expand", "too-large", detail)])


def expanded(rows: Sequence[Mapping[str, Any]], members: Sequence[Member], caller: Caller) -> list[dict[str, Any]]:
    """For each row, given by key, its `{"<relation>": row | null}`; of a relation to many the rows it may see.

    Raises `InvalidInput` where that is more than one answer may hold.
    """
    found: list[dict[str, Any]] = [{} for _row in rows]
    room = _Room(BYTES_MAX, BYTES_MAX // max(len(members), 1))
    for member in members:
        named = [_ids(member, row[member.key]) for row in rows]
        there = _read(member, Counter(chain.from_iterable(named)), caller, room)
        for ids, expansion in zip(named, found, strict=True):
            visible = [there[id] for id in ids if id in there]
            is_many = isinstance(member.type, Relation) and member.type.many
            expansion[member.key] = visible if is_many else next(iter(visible), None)
    return found


def _ids(member: Member, value: Any) -> list[UUID]:
    if value is None:
        return []
    return member.type.ids(value) if isinstance(member.type, Relation) else [value]


def _read(member: Member, named: Counter[UUID], caller: Caller, room: "_Room") -> Rows:
    """The rows that are named, each so many times."""
    if member.column is None:
        return _read_owners(set(named), caller)
    if not named or member.column.target_id is None:
        return {}
    try:
        definition = definition_of(table_by_number(member.column.target_id))
        condition = permitted(definition, Verb.READ, caller)
    except (AccessDenied, CallerMissing, NoSuchTable):
        return {}
    members = list(definition.members.values())
    ids = list(named)
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    if bytes_max(members) * named.total() > room.unmeasured:
        rows = definition.rows().filter(as_q(condition)).values_list("pk", size_of(members))
        for batch in batches:
            room.take(sum(size * named[id] for id, size in rows.filter(pk__in=batch)))
    found: Rows = {}
    for batch in batches:
        wanted = both(condition, Comparison(definition.members["id"], "in", tuple(batch)))
        rows_there = select(definition, members, wanted, (), len(batch)).shown(members)
        found |= {UUID(str(row["id"])): row for row in rows_there}
    return found


def _read_owners(ids: set[UUID], caller: Caller) -> Rows:
    """People: all of them for who may read users, for a person only themselves."""
    seen = ids if caller.reads_people else ids & {caller.user_id}
    users = get_user_model()._default_manager.filter(pk__in=seen).values_list("pk", "email", "first_name", "last_name")
    return {
        id: {"id": str(id), "email": email, "firstName": first, "lastName": last} for id, email, first, last in users
    }
