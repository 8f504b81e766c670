"""Pages of rows: filtered, sorted, and found again by their keys, so that a deep page costs what the first one does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import F, Q

from datahub.access import Caller, both, permitted
from datahub.cursors import make_cursor, open_cursor
from datahub.dynamic import Definition, Member
from datahub.errors import NoSuchRow
from datahub.filters import Condition, as_q
from datahub.models import Verb
from datahub.row_queries import Ordering, RowQuery

EXACT_BELOW = 10_000  # an estimate of fewer rows is counted
Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as values of `members`; `next_cursor` is empty on the last page; `count` is None unless asked for."""

    definition: Definition
    members: Sequence[Member]
    rows: Sequence[Values]
    next_cursor: str
    count: int | None


def list_rows(definition: Definition, query: RowQuery, caller: Caller) -> Page:
    """One page of the rows that `caller` may list. Raises `AccessDenied`, `CallerMissing`, or for a foreign cursor."""
    condition = both(permitted(definition, Verb.LIST, caller), query.condition, query.search)
    order = full_order(definition, query.order)
    members = tuple(dict.fromkeys([*query.fields, *query.expand, *(each.member for each in order)]))
    after = open_cursor(definition, order, query.cursor) if query.cursor else None
    found = read_after(definition, condition, order, after, members, query.limit + 1)
    rows = found[: query.limit]
    cursor = ""
    if len(found) > query.limit:
        cursor = make_cursor(definition, order, _key(members, order, rows[-1]))
    return Page(definition, members, rows, cursor, _count(definition, condition, query.count))


def read_row(definition: Definition, id: UUID, members: Sequence[Member], caller: Caller) -> Values:
    """The values of one row. Raises `NoSuchRow`, also where it is hidden from the caller, or as `permitted` does."""
    condition = permitted(definition, Verb.READ, caller)
    rows = definition.rows().filter(as_q(condition), pk=id)
    found = rows.values_list(*(member.attribute for member in members)).first()
    if found is None:
        raise NoSuchRow
    return tuple(found)


def walk(definition: Definition, query: RowQuery, caller: Caller, size: int) -> Iterator[Sequence[Values]]:
    """All rows that the query asks for, in pieces of `size`; each is a query of its own, so nothing is held open."""
    condition = both(permitted(definition, Verb.LIST, caller), query.condition, query.search)
    order = full_order(definition, query.order)
    members = (*query.fields, *(each.member for each in order))
    width = len(query.fields)
    after: Sequence[Any] | None = None
    while rows := read_after(definition, condition, order, after, members, size):
        yield [row[:width] for row in rows]
        after = rows[-1][width:]


def full_order(definition: Definition, order: Sequence[Ordering]) -> list[Ordering]:
    """The order to its end: the id, in the direction of the last, so that no two rows are equal."""
    full: list[Ordering] = []
    for each in order:
        full.append(each)
        if each.member.key == "id":
            return full
    return [*full, Ordering(definition.members["id"], full[-1].descending if full else False)]


def read_after(
    definition: Definition,
    condition: Condition,
    order: Sequence[Ordering],
    after: Sequence[Any] | None,
    members: Sequence[Member],
    limit: int,
) -> list[Values]:
    """The next `limit` rows after the one that has the values `after` in the members of `order`."""
    attributes = [member.attribute for member in members]
    rows = definition.rows().filter(as_q(condition)).order_by(*(sorting(each) for each in order))
    values = rows.values_list(*attributes)
    if after is None:
        return list(values[:limit])
    found: list[Values] = []
    for segment in segments(order, after):
        found += values.filter(segment)[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def segments(order: Sequence[Ordering], after: Sequence[Any]) -> Iterator[Q]:
    """What comes after, in parts that follow each other; an index can go straight to the beginning of each.

    First the rows that share all values but the last with that one, then those that share one less, and so on.
    """
    for depth in reversed(range(len(order))):
        shared = Q()
        for each, value in zip(order[:depth], after[:depth], strict=True):
            shared &= _equals(each.member, value)
        name, value = order[depth].member.attribute, after[depth]
        if order[depth].descending:
            if value is not None:
                yield shared & Q(**{f"{name}__lt": value})
                if order[depth].member.is_nullable:
                    yield shared & Q(**{f"{name}__isnull": True})
        else:
            yield shared & (Q(**{f"{name}__isnull": False}) if value is None else Q(**{f"{name}__gt": value}))


def _equals(member: Member, value: Any) -> Q:
    return Q(**{f"{member.attribute}__isnull": True}) if value is None else Q(**{member.attribute: value})


def sorting(each: Ordering) -> Any:
    """Absent values are smaller than all others, on every database."""
    name = F(each.member.attribute)
    if not each.member.is_nullable:
        return name.desc() if each.descending else name.asc()
    return name.desc(nulls_last=True) if each.descending else name.asc(nulls_first=True)


def _key(members: Sequence[Member], order: Sequence[Ordering], row: Values) -> list[Any]:
    places = {member.key: index for index, member in enumerate(members)}
    return [row[places[each.member.key]] for each in order]


def _count(definition: Definition, condition: Condition, how: str) -> int | None:
    if how == "none":
        return None
    rows: models.QuerySet[Any] = definition.rows().filter(as_q(condition))
    if how == "estimated" and connection.vendor == "postgresql":
        estimate = _estimate(rows)
        if estimate >= EXACT_BELOW:
            return estimate
    return rows.count()


def _estimate(rows: "models.QuerySet[Any]") -> int:
    """How many rows PostgreSQL expects."""
    found = re.search(r"rows=(\d+)", rows.explain())
    return int(found[1]) if found else 0
