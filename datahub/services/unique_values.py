"""Values that another row has already: which, and where in the request."""

from collections.abc import Sequence
from typing import NoReturn

from django.db import IntegrityError
from django.utils.translation import gettext as _

from datahub.dynamic import Definition, Member
from datahub.errors import UniqueConflict
from datahub.row_shapes import Row
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


def _taken(definition: Definition, member: Member, rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """The rows whose value stands in a row that is there, or in an earlier one of the request."""
    name, key = member.attribute, member.key
    values = [row[key] for row in rows if row[key] is not None]
    there = dict(definition.rows().filter(**{f"{name}__in": values}).values_list(name, "pk"))
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
