"""Values that another row has already: which, where in the request, and whether the caller may know."""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from datahub.dynamic import Definition, Member
from datahub.errors import UniqueConflict
from datahub.filters import ALWAYS, Condition
from datahub.row_shapes import Row
from datahub.services.row_locks import refuse_unless
from datahub.services.row_writing import insert_rows
from fastgen_backend.errors import FieldError


def refuse_taken(definition: Definition, rows: Sequence[Row], places: Sequence[str], error: IntegrityError) -> NoReturn:
    """Raise `UniqueConflict` that names every value of `rows` that another row has.

    Where that row is gone by now, none is named.
    """
    errors = [
        FieldError(f"{places[index]}/{member.key}", UniqueConflict.code, _detail(member, row))
        for member in definition.uniques
        for index, row in _taken(definition, member, rows)
    ]
    if not errors and not definition.uniques:
        raise error
    raise UniqueConflict(errors[0].detail if len(errors) == 1 else "", errors, len(errors))


def refuse_beyond_rule(definition: Definition, rows: Sequence[Row], condition: Condition) -> None:
    """Raise `AccessDenied` where the condition would not hold for one of these whole rows that could not be written.

    Otherwise every value would tell by its conflict that a row has it, also to those who may write none with it. The
    database is asked of the rows themselves, in the place of what is in their way; then that is undone.
    """
    if condition == ALWAYS:
        return
    try:
        with transaction.atomic():
            for part in _without_repeats(definition, rows):
                definition.rows().filter(_in_the_way(definition, part)).delete()
                insert_rows(definition, part)
                refuse_unless(definition, condition, part)
            transaction.set_rollback(True)
    except IntegrityError:  # another writes the same right now
        raise UniqueConflict(_("Rows with these values are being changed by others right now; try again.")) from None


def _in_the_way(definition: Definition, rows: Sequence[Row]) -> Q:
    same = Q(pk__in=[row["id"] for row in rows])
    for member in definition.uniques:
        same |= Q(**{f"{member.attribute}__in": [row[member.key] for row in rows if row[member.key] is not None]})
    return same


def _without_repeats(definition: Definition, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in parts of which none has a unique value twice."""
    rest = rows
    while rest:
        part: list[Row] = []
        later: list[Row] = []
        seen: set[tuple[str, Any]] = set()
        for row in rest:
            values = {(member.key, row[member.key]) for member in definition.uniques if row[member.key] is not None}
            (part if seen.isdisjoint(values) else later).append(row)
            seen |= values
        yield part
        rest = later


def _taken(definition: Definition, member: Member, rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """The rows whose value stands in a row that is there, or in an earlier one of the request."""
    name, key = member.attribute, member.key
    values = [row[key] for row in rows if row[key] is not None]
    own = [row["id"] for row in rows]  # whose values are to be these
    others = definition.rows().filter(**{f"{name}__in": values}).exclude(pk__in=own)
    there = dict(others.values_list(name, "pk"))
    taken = []
    for index, row in enumerate(rows):
        value = row[key]
        if value is None:
            continue
        if there.setdefault(value, row["id"]) != row["id"]:
            taken.append((index, row))
    return taken


def _detail(member: Member, row: Row) -> str:
    value = member.type.write(row[member.key])[:100]
    return _("Another row has the %(key)s ‘%(value)s’.") % {"key": member.key, "value": value}
