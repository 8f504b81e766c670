"""Values that another row has already: which, where in the request, and whether the caller may know."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from datahub.dynamic import Definition, Member
from datahub.errors import UniqueConflict
from datahub.filters import ALWAYS, Condition
from datahub.row_shapes import Row
from datahub.services.row_locks import refuse_unless
from datahub.services.row_writing import insert_rows
from fastgen_backend.errors import FieldError


def refuse_taken(
    definition: Definition,
    rows: Sequence[Row],
    places: Sequence[str],
    error: IntegrityError,
    changed_before: Sequence[Row] = (),
) -> NoReturn:
    """Raise `UniqueConflict` that names every value of `rows` that another row has.

    Where that row is gone by now, none is named. `changed_before` are rows of the request that are already written.
    """
    errors = _errors(definition, rows, places, lambda member: _there(definition, member, rows, changed_before))
    if not errors and not definition.uniques:
        raise error
    raise _conflict(errors)


def refuse_repeated(definition: Definition, rows: Sequence[Row], places: Sequence[str]) -> None:
    """Raise `UniqueConflict` that names every value that an earlier one of `rows` has; of others it tells nothing."""
    if errors := _errors(definition, rows, places, lambda _member: {}):
        raise _conflict(errors)


def refuse_beyond_rule(definition: Definition, rows: Sequence[Row], condition: Condition) -> None:
    """Raise `AccessDenied` where the condition would not hold for one of these whole rows that could not be written.

    Otherwise every value would tell by its conflict that a row has it, also to those who may write none with it. The
    database is asked of the rows themselves, in the place of what is in their way; then that is undone. No two of
    them have the same unique value.
    """
    if condition == ALWAYS:
        return
    try:
        with transaction.atomic():
            _clear_the_way(definition, rows)
            insert_rows(definition, rows)
            refuse_unless(definition, condition, rows)
            transaction.set_rollback(True)
    except IntegrityError:  # another writes the same right now
        raise UniqueConflict(_("Rows with these values are being changed by others right now; try again.")) from None


def _clear_the_way(definition: Definition, rows: Sequence[Row]) -> None:
    """Delete these rows, and those that have one of their values; by one query for each column."""
    for attribute, key in [("pk", "id"), *((member.attribute, member.key) for member in definition.uniques)]:
        values = [row[key] for row in rows if row[key] is not None]
        definition.rows().filter(**{f"{attribute}__in": values}).delete()


Holders = dict[Any, UUID]  # which row has a value


def _errors(
    definition: Definition, rows: Sequence[Row], places: Sequence[str], there: Callable[[Member], Holders]
) -> list[FieldError]:
    return [
        FieldError(f"{places[index]}/{member.key}", UniqueConflict.code, _detail(member, row))
        for member in definition.uniques
        for index, row in _taken(member, rows, there(member))
    ]


def _conflict(errors: Sequence[FieldError]) -> UniqueConflict:
    return UniqueConflict(errors[0].detail if len(errors) == 1 else "", errors, len(errors))


def _there(definition: Definition, member: Member, rows: Sequence[Row], changed_before: Sequence[Row]) -> Holders:
    """Who has the values of `rows`, of the rows that the request leaves as they are and those it changed before."""
    name, key = member.attribute, member.key
    values = [row[key] for row in rows if row[key] is not None]
    own = [row["id"] for row in (*rows, *changed_before)]
    others = definition.rows().filter(**{f"{name}__in": values}).exclude(pk__in=own)
    return dict(others.values_list(name, "pk")) | {row[key]: row["id"] for row in changed_before}


def _taken(member: Member, rows: Sequence[Row], there: Holders) -> list[tuple[int, Row]]:
    """The rows whose value another has that is there, or an earlier one of them."""
    taken = []
    for index, row in enumerate(rows):
        value = row[member.key]
        if value is not None and there.setdefault(value, row["id"]) != row["id"]:
            taken.append((index, row))
    return taken


def _detail(member: Member, row: Row) -> str:
    value = member.type.write(row[member.key])[:100]
    return _("Another row has the %(key)s ‘%(value)s’.") % {"key": member.key, "value": value}
