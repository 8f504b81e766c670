"""How rows are called where others refer to them: by the first text they have."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.column_types import Relation
from datahub.column_types.documents import Json
from datahub.column_types.texts import LongText
from datahub.console.cells import text_of
from datahub.dynamic import Definition, Member, definition_of, is_outdated
from datahub.errors import NoSuchTable
from datahub.filters import ALWAYS, Comparison, Condition, Either
from datahub.models import Table
from datahub.row_queries import Ordering
from datahub.statements import select

LABEL_MAX = 60  # characters
IDS_MAX = 1000  # of one relation on a page that are called by name
FOUND_MAX = 20  # that typing finds


def label_member(definition: Definition) -> Member | None:
    """The member that rows are called by: the first short text, else the first that is no document."""
    fit = [member for member in definition.own.values() if not isinstance(member.type, LongText | Json | Relation)]
    return next((member for member in fit if member.type.is_searched), fit[0] if fit else None)


def labels_of(relations: Iterable[Member], rows: Sequence[dict[str, Any]]) -> dict[UUID, str]:
    """The labels of all rows that these name, given by key: a query for the tables, and one for each relation."""
    named: dict[int, set[UUID]] = {}
    for member in relations:
        if isinstance(member.type, Relation) and member.column and member.column.target_id:
            values = [row[member.key] for row in rows if row[member.key] is not None]
            named.setdefault(member.column.target_id, set()).update(chain.from_iterable(map(member.type.ids, values)))
    named = {target: ids for target, ids in named.items() if ids}
    labels: dict[UUID, str] = {}
    for table in Table.objects.filter(pk__in=named) if named else ():
        labels |= _labels(table, named[table.pk])
    return labels


def found_by(table: Table, typed: str) -> list[tuple[UUID, str]]:
    """The first rows whose label holds what was typed, with their ids; all are meant where nothing was."""
    definition = definition_of(table)
    member, id = label_member(definition), definition.members["id"]
    condition: Condition = ALWAYS
    if typed and member is not None:
        condition = _matches(member, id, typed)
    order = [Ordering(member, False)] if member is not None and member.type.is_sortable else []
    members = [id] if member is None else [id, member]
    found = select(definition, members, condition, order, FOUND_MAX)
    return [_labelled(member, found.values(index)) for index in range(len(found))]


def _labels(table: Table, ids: Collection[UUID]) -> dict[UUID, str]:
    """None where the table is just being changed: what a row is called is no reason to do anything again."""
    try:
        return _read_labels(definition_of(table), ids)
    except Exception as error:
        if not isinstance(error, NoSuchTable) and not is_outdated(error):
            raise
        return {}


def _read_labels(definition: Definition, ids: Collection[UUID]) -> dict[UUID, str]:
    member, id = label_member(definition), definition.members["id"]
    if member is None:
        return {}
    wanted = Comparison(id, "in", tuple(sorted(ids)[:IDS_MAX]))
    found = select(definition, [id, member], wanted, (), IDS_MAX)
    return dict(_labelled(member, found.values(index)) for index in range(len(found)))


def _labelled(member: Member | None, values: Sequence[Any]) -> tuple[UUID, str]:
    text = text_of(member.type, values[1]) if member is not None else ""
    text = " ".join(text[: 4 * LABEL_MAX].split())
    if not text:
        return values[0], _("row %(id)s…") % {"id": str(values[0])[:8]}
    return values[0], text if len(text) <= LABEL_MAX else text[: LABEL_MAX - 1] + "…"


def _matches(member: Member, id: Member, typed: str) -> Condition:
    """By a part of the label, or by the whole id."""
    tests: list[Condition] = []
    if member.type.is_searched:
        tests.append(Comparison(member, "icontains", typed))
    with suppress(ValueError):
        tests.append(Comparison(id, "eq", id.type.parse(typed)))
    return Either(tuple(tests))
