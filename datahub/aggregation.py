"""Figures over rows: how many, and sums, averages and extremes, in groups or of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson
from django.db import DataError, connection, models
from django.utils.translation import gettext as _

from datahub.access import Caller, both, permitted
from datahub.column_types.numbers import Fixed, Float, Integer
from datahub.cursors import make_cursor, open_cursor
from datahub.dynamic import Definition, Member
from datahub.filters import ALWAYS, as_q
from datahub.listing import segments
from datahub.models import Verb
from datahub.names import no_such_column
from datahub.row_queries import Ordering, RowQuery
from datahub.row_sizes import rows_at_once
from datahub.statements import sorting
from fastgen_backend.errors import FieldError, InvalidInput

FUNCTIONS = ("sum", "avg", "min", "max")
GROUPS_MAX = 3
FIGURES_MAX = 20


class ExactSum(models.Aggregate):
    """A sum without rounding, whatever the database."""

    function = "SUM"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, function="fastgen_sum", **extra)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that is asked for: a function of a member."""

    function: str
    member: Member

    @property
    def name(self) -> str:
        return f"{self.function}_{self.member.attribute}"

    def expression(self) -> Any:
        """What the database is asked."""
        name = self.member.attribute
        if self.function == "sum" and not isinstance(self.member.type, Float):
            return ExactSum(name, output_field=models.TextField() if connection.vendor == "sqlite" else None)
        return {"sum": models.Sum, "avg": models.Avg, "min": models.Min, "max": models.Max}[self.function](name)

    def show(self, value: Any) -> Any:
        """The figure as JSON: an average as a number, all else as the column shows its values."""
        if value is None:
            return None
        if isinstance(value, float) and not isfinite(value):
            raise too_large(self.function)
        if self.function == "avg":
            return float(value)
        if self.function == "sum" and isinstance(self.member.type, Integer):
            return orjson.Fragment(str(int(Decimal(value))))  # 64 bits may be too few
        if isinstance(self.member.type, Fixed):
            return self.member.type.show(Decimal(value))
        return self.member.type.show(value)


def too_large(function: str) -> InvalidInput:
    """The refusal of a figure that is beyond double precision."""
    return InvalidInput([FieldError(f"/{function}", "out-of-range", _("A figure is too large."))])


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What is asked for: members to group by, and figures of each group."""

    groups: tuple[Member, ...]
    figures: tuple[Figure, ...]


def aggregation_from_parameters(parameters: Mapping[str, str], definition: Definition) -> Aggregation:
    """From `group=city&sum=amount&max=age,size`. Raises `InvalidInput`."""
    errors: list[FieldError] = []
    groups = _members(definition, "group", parameters.get("group", ""), errors)
    figures = [
        Figure(function, member)
        for function in FUNCTIONS
        for member in _members(definition, function, parameters.get(function, ""), errors)
    ]
    if len(groups) > GROUPS_MAX or len(figures) > FIGURES_MAX:
        detail = _("Group by %(groups)d columns and ask for %(figures)d figures at most.")
        errors.append(FieldError("/group", "too-many", detail % {"groups": GROUPS_MAX, "figures": FIGURES_MAX}))
    if errors:
        raise InvalidInput(errors)
    return Aggregation(tuple(groups), tuple(figures))


def aggregate_rows(definition: Definition, query: RowQuery, aggregation: Aggregation, caller: Caller) -> dict[str, Any]:
    """`{"items": [{"group", "count", "sum", …}], "nextCursor"}`, in the order of the groups' values, for orjson.

    Raises `InvalidInput` for a figure that is beyond double precision.
    """
    try:
        return _aggregate(definition, query, aggregation, caller)
    except DataError:  # PostgreSQL itself refuses what for SQLite is infinite
        raise too_large("sum") from None


def _aggregate(definition: Definition, query: RowQuery, aggregation: Aggregation, caller: Caller) -> dict[str, Any]:
    condition = both(permitted(definition, Verb.LIST, caller), query.condition, query.search)
    rows = definition.rows().filter(as_q(condition))
    figures = {figure.name: figure.expression() for figure in aggregation.figures}
    if not aggregation.groups:
        found = rows.aggregate(number_of_rows=models.Count("pk"), **figures)
        return {"items": [_shown(aggregation, found)], "nextCursor": None}
    order = [Ordering(member, False) for member in aggregation.groups]
    names = [member.attribute for member in aggregation.groups]
    after = open_cursor(definition, order, query.cursor) if query.cursor else None
    limit = rows_at_once([*aggregation.groups, *(figure.member for figure in aggregation.figures)], query.limit)
    items: list[dict[str, Any]] = []
    for segment in segments(order, after) if after is not None else [ALWAYS]:
        grouped = rows.filter(as_q(segment)).values(*names).annotate(number_of_rows=models.Count("pk"), **figures)
        items += grouped.order_by(*(sorting(each) for each in order))[: limit + 1 - len(items)]
        if len(items) > limit:
            break
    shown = items[:limit]
    more = len(items) > limit
    cursor = make_cursor(definition, order, [shown[-1][name] for name in names]) if more else None
    return {"items": [_shown(aggregation, item) for item in shown], "nextCursor": cursor}


def _shown(aggregation: Aggregation, found: Mapping[str, Any]) -> dict[str, Any]:
    groups = {member.key: member for member in aggregation.groups}
    item: dict[str, Any] = {}
    if groups:
        values = {key: found[member.attribute] for key, member in groups.items()}
        item["group"] = {k: None if v is None else groups[k].type.show(v) for k, v in values.items()}
    item["count"] = found["number_of_rows"]
    for figure in aggregation.figures:
        item.setdefault(figure.function, {})[figure.member.key] = figure.show(found[figure.name])
    return item


def _members(definition: Definition, option: str, names: str, errors: list[FieldError]) -> Sequence[Member]:
    found = []
    for name in filter(None, names.split(",")):
        member = definition.members.get(name)
        if member is None:
            errors.append(FieldError(f"/{option}", "unknown-member", no_such_column(name, definition.members)))
        elif not _suits(option, member):
            detail = _("‘%(key)s’ has the type %(type)s; that can’t be asked of it.")
            errors.append(FieldError(f"/{option}", "unsuitable", detail % {"key": name, "type": member.type.name}))
        else:
            found.append(member)
    return list(dict.fromkeys(found))


def _suits(option: str, member: Member) -> bool:
    if option in {"sum", "avg"}:
        return isinstance(member.type, Integer | Float | Fixed)
    if option in {"min", "max"}:
        return "gt" in member.type.operators and member.type.is_sortable
    return member.type.is_sortable
