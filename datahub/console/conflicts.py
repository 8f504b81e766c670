"""Rows that stand in the way of a change, as the console shows them: which they are, their values, and why."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.access import EVERYTHING
from datahub.column_types.column_type import SEARCHING
from datahub.dynamic import Definition, Member, OutdatedDefinition
from datahub.errors import SHOWN_MAX, Duplicates
from datahub.filters import Comparison
from datahub.listing import list_rows
from datahub.row_queries import RowQuery
from fastgen_backend.errors import FieldError


@dataclass(frozen=True, slots=True)
class RowInTheWay:
    """`title` is what people know the row by: its first text."""

    id: str
    title: str
    value: str
    reason: str


def rows_in_the_way(definition: Definition, key: str, errors: Sequence[FieldError]) -> list[RowInTheWay]:
    """The rows that `errors` name by `/rows/<id>/…`, with their values in the column `key`, which may be none yet."""
    member = definition.own.get(key)
    title = next((each for each in definition.own.values() if _is_title(each) and each is not member), None)
    named = {UUID(error.pointer.split("/")[2]): error for error in errors[:SHOWN_MAX]}
    values = _values(definition, list(named), [each for each in (member, title) if each])
    return [
        RowInTheWay(
            id=str(id),
            title=_written(title, values.get(id, {})),
            value=(value := _written(member, values.get(id, {}))),
            reason=_reason(error, value),
        )
        for id, error in named.items()
    ]


def _is_title(member: Member) -> bool:
    return member.type.operators == SEARCHING and member.type.is_sortable


def _values(definition: Definition, ids: list[UUID], members: Sequence[Member]) -> dict[UUID, dict[str, Any]]:
    """By the ids of rows; of a table that is being changed none."""
    id = definition.members["id"]
    query = RowQuery(condition=Comparison(id, "in", ids), fields=(id, *members), limit=SHOWN_MAX)
    with suppress(OutdatedDefinition):
        pieces = list_rows(definition, query, EVERYTHING).rows
        rows = [found.by_key(index, query.fields) for found in pieces for index in range(len(found))]
        return {row["id"]: row for row in rows}
    return {}


def _written(member: Member | None, row: dict[str, Any]) -> str:
    value = row.get(member.key) if member else None
    return "" if member is None or value is None else member.type.write(value)[:200]


def _reason(error: FieldError, value: str) -> str:
    """Why, without the value that such sentences begin with."""
    if error.code == Duplicates.code:
        return _("Another row has it as well.")
    return error.detail.removeprefix(_("‘%(value)s’: %(reason)s") % {"value": value, "reason": ""})
