"""Pages of rows: filtered, sorted, and found again by their keys, so that a deep page costs what the first one does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models

from datahub.access import Caller, both, permitted
from datahub.cursors import make_cursor, open_cursor
from datahub.dynamic import Definition, Member
from datahub.errors import NoSuchRow
from datahub.filters import ALWAYS, Comparison, Condition, as_q
from datahub.models import Verb
from datahub.row_queries import Ordering, RowQuery
from datahub.row_sizes import BYTES_MAX, count_that_fits, may_be_large
from datahub.statements import Found, refuse_outdated, select, sizes

EXACT_BELOW = 10_000  # an estimate of fewer rows is counted


@dataclass(frozen=True, slots=True)
class Page:
    """Rows that have the members of the query at least; `next_cursor` is empty on the last page.

    `count` is None unless asked for.
    """

    rows: Sequence[Found]
    next_cursor: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are; of many, what the database expects."""

    number: int
    is_estimate: bool


def count_rows(definition: Definition, query: RowQuery, caller: Caller) -> Count:
    """How many rows `list_rows` would give on all its pages. Raises what that raises."""
    allowed = permitted(definition, Verb.LIST, caller)
    condition = both(allowed, query.condition, query.search)
    return _count(definition, condition, "estimated" if allowed == ALWAYS else "exact")


def list_rows(definition: Definition, query: RowQuery, caller: Caller) -> Page:
    """One page of the rows that `caller` may list. Raises `AccessDenied`, `CallerMissing`, or for a foreign cursor.

    Raises `OutdatedDefinition` where the table has another definition by now.
    """
    allowed = permitted(definition, Verb.LIST, caller)
    condition = both(allowed, query.condition, query.search)
    order = full_order(definition, query.order)
    members = tuple(dict.fromkeys([*query.fields, *query.expand, *(each.member for each in order)]))
    after = open_cursor(definition, order, query.cursor) if query.cursor else None
    found, is_cut = read_after(definition, condition, order, after, members, query.limit + 1)
    refuse_outdated(definition, found)
    cursor = ""
    if sum(map(len, found)) > query.limit:
        is_cut = True
        found[-1].drop_last()
        found = [each for each in found if len(each)]
    if is_cut:
        last = dict(zip(members, found[-1].values(-1), strict=True))
        cursor = make_cursor(definition, order, [last[each.member] for each in order])
    how = "exact" if query.count == "estimated" and allowed != ALWAYS else query.count  # an estimate tells of all rows
    return Page(found, cursor, None if how == "none" else _count(definition, condition, how).number)


def read_row(definition: Definition, id: UUID, members: Sequence[Member], caller: Caller) -> Found:
    """One row. Raises `NoSuchRow`, also where it is hidden from the caller, or as `permitted` and `list_rows` do."""
    wanted = Comparison(definition.members["id"], "eq", id)
    condition = both(wanted, permitted(definition, Verb.READ, caller))
    found = select(definition, members, condition, (), 1)
    refuse_outdated(definition, [found])
    if not len(found):
        raise NoSuchRow
    return found


def walk(definition: Definition, query: RowQuery, caller: Caller, size: int) -> Iterator[Found]:
    """All rows that the query asks for, in pieces of `size`; each is a query of its own, so nothing is held open."""
    condition = both(permitted(definition, Verb.LIST, caller), query.condition, query.search)
    order = full_order(definition, query.order)
    members = tuple(dict.fromkeys([*query.fields, *(each.member for each in order)]))
    after: Sequence[Any] | None = None
    while pieces := read_after(definition, condition, order, after, members, size)[0]:
        yield from pieces
        last = dict(zip(members, pieces[-1].values(-1), strict=True))
        after = [last[each.member] for each in order]


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
) -> tuple[list[Found], bool]:
    """The next `limit` rows after the one that has the values `after` in the members of `order`; none is empty.

    Also whether there are fewer because more would be too large. One there always is.
    """
    found: list[Found] = []
    room = BYTES_MAX
    for segment in [ALWAYS] if after is None else segments(order, after):
        where, most, asked = both(condition, segment), limit, limit
        if may_be_large(members, limit):
            held = sizes(definition, members, where, order, limit)
            most = count_that_fits(held, room) or int(not found)
            room -= sum(held[:most])
            asked = most if most < len(held) else min(most + 1, limit)  # one may have come that was not measured
        piece = select(definition, members, where, order, asked)
        if len(piece) > most:
            piece.drop_last()
            asked = most
        if len(piece):
            found.append(piece)
        if asked == most < limit:
            return found, bool(found)
        limit -= len(piece)
        if limit <= 0:
            break
    return found, False


def segments(order: Sequence[Ordering], after: Sequence[Any]) -> Iterator[Condition]:
    """What comes after, in parts that follow each other; an index can go straight to the beginning of each.

    First the rows that share all values but the last with that one, then those that share one less, and so on.
    """
    for depth in reversed(range(len(order))):
        pairs = zip(order[:depth], after[:depth], strict=True)
        shared = [_equals(each.member, value) for each, value in pairs]
        member, value = order[depth].member, after[depth]
        if order[depth].descending:
            if value is not None:
                yield both(*shared, Comparison(member, "lt", value))
                if member.is_nullable:
                    yield both(*shared, Comparison(member, "isnull", True))
        elif value is None:
            yield both(*shared, Comparison(member, "isnull", False))
        else:
            yield both(*shared, Comparison(member, "gt", value))


def _equals(member: Member, value: Any) -> Condition:
    return Comparison(member, "isnull", True) if value is None else Comparison(member, "eq", value)


def _count(definition: Definition, condition: Condition, how: str) -> Count:
    rows: models.QuerySet[Any] = definition.rows().filter(as_q(condition))
    if how == "estimated" and connection.vendor == "postgresql":
        estimate = _estimate(rows)
        if estimate >= EXACT_BELOW:
            return Count(estimate, is_estimate=True)
    return Count(rows.count(), is_estimate=False)


def _estimate(rows: "models.QuerySet[Any]") -> int:
    """How many rows PostgreSQL expects."""
    found = re.search(r"rows=(\d+)", rows.explain())
    return int(found[1]) if found else 0
