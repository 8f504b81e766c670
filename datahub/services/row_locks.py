"""Rows as a caller may reach them to write: locked, within the rules before and after."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from datahub.access import Caller, permitted
from datahub.dynamic import Definition
from datahub.errors import (
    AccessDenied,
    CallerMissing,
    NoSuchRow,
    RowsTooLarge,
    RowTooLarge,
)
from datahub.filters import ALWAYS, NEVER, Condition, as_q
from datahub.models import Verb
from datahub.row_shapes import Row
from datahub.row_sizes import BYTES_MAX, ROW_MAX, is_too_large, may_be_large, may_be_too_large, size_of

SHOWN_ANYWAY = frozenset({"id", "revision", "updatedAt"})


def lock_rows(
    definition: Definition,
    ids: Sequence[UUID],
    condition: Condition,
    caller: Caller,
    is_bulk: bool,
    *,
    keeps_keys: bool = False,
    keys: Collection[str] = (),
) -> list[Row]:
    """These rows in this order, kept from others until the commit; raises `NoSuchRow` or `AccessDenied`."""
    q = models.Q(pk__in=ids)
    q = q & as_q(condition) if condition != ALWAYS else q
    found = {row["id"]: row for row in locked_rows(definition, q, len(ids), keeps_keys=keeps_keys, keys=keys)}
    missing = [(index, id) for index, id in enumerate(ids) if id not in found]
    if missing:
        _refuse_missing(definition, missing, caller, is_bulk)
    return [found[id] for id in ids]


def locked_rows(
    definition: Definition,
    q: models.Q,
    limit: int,
    *,
    keeps_keys: bool = False,
    keys: Collection[str] = (),
) -> list[Row]:
    """The first rows for which `q` holds, kept from others until the commit; with `keeps_keys` not from being named.

    They have the members `keys`, or all. Raises `RowsTooLarge` where several are more than one request may read.
    """
    keys = keys or definition.members.keys()
    members = [definition.members[key] for key in keys]
    rows = definition.rows().filter(q).order_by("pk")
    if limit > 1 and may_be_large(members, limit, as_objects=True):
        _refuse_large([size for (size,) in rows.values_list(size_of(members, as_objects=True))[:limit]])
    values = rows.select_for_update(no_key=keeps_keys).values_list(*(member.attribute for member in members))
    return [dict(zip(keys, row, strict=True)) for row in values[:limit]]


def _refuse_large(sizes: Sequence[int]) -> None:
    if len(sizes) > 1 and sum(sizes) > BYTES_MAX:
        detail = _("These rows hold more than the %(max)d MB that one request takes; name fewer at once.")
        raise RowsTooLarge(detail % {"max": BYTES_MAX // 1_000_000})


def too_large() -> str:
    """The sentence that refuses a row of more than `ROW_MAX`."""
    return _("A row may hold %(max)d MB in all its columns.") % {"max": ROW_MAX // 1_000_000}


def large_rows(definition: Definition, rows: Sequence[Row]) -> dict[UUID, int]:
    """How large those of the rows are that hold more than a row may; asked where there could be one."""
    members, known = definition.members.values(), definition.statements.get(may_be_too_large)
    if known is None:
        known = definition.statements[may_be_too_large] = may_be_too_large(members)
    if not known:
        return {}
    sizes = definition.rows().filter(pk__in=[row["id"] for row in rows]).values_list("pk", size_of(members))
    return {id: size for id, size in sizes if is_too_large(size)}


def refuse_too_large(definition: Definition, rows: Sequence[Row], before: Mapping[UUID, int]) -> None:
    """Raise `RowTooLarge` where a row, as it is now, is one of `large_rows`, and larger than before."""
    if any(size > before.get(id, 0) for id, size in large_rows(definition, rows).items()):
        raise RowTooLarge(too_large())


def refuse_unless(definition: Definition, condition: Condition, rows: Sequence[Row]) -> None:
    """Raise `AccessDenied` where a row, as it is now, is none with which the caller may do this."""
    if condition == ALWAYS:
        return
    ids = [row["id"] for row in rows]
    if definition.rows().filter(as_q(condition), pk__in=ids).count() < len(ids):
        raise AccessDenied(_("The row would be outside of what the rules of this table let you write."))


def readable(
    definition: Definition, rows: Sequence[Row], sent: Sequence[Row], condition: Condition, caller: Caller
) -> list[Row]:
    """Changed rows, for all of which `condition` holds, as the caller may see them.

    Of one that is hidden from reading that is what was sent, and its id and revision.
    """
    try:
        reading = permitted(definition, Verb.READ, caller)
    except (AccessDenied, CallerMissing):
        reading = NEVER
    if reading in (ALWAYS, condition):
        return list(rows)
    ids = [row["id"] for row in rows]
    seen = set(definition.rows().filter(as_q(reading), pk__in=ids).values_list("pk", flat=True))
    return [
        row if row["id"] in seen else {key: row[key] for key in row if key in values or key in SHOWN_ANYWAY}
        for row, values in zip(rows, sent, strict=True)
    ]


def _refuse_missing(definition: Definition, missing: Sequence[tuple[int, UUID]], caller: Caller, is_bulk: bool) -> None:
    """404, or 403 where the caller may see all of these rows."""
    ids = [id for _index, id in missing]
    try:
        readable = permitted(definition, Verb.READ, caller)
        seen = set(definition.rows().filter(as_q(readable), pk__in=ids).values_list("pk", flat=True))
    except (AccessDenied, CallerMissing):
        seen = set()
    for index, id in missing:
        if id not in seen:
            detail = _("There is no row %(id)s, or not for you.") % {"id": id}
            raise NoSuchRow(detail, field=f"{index}/id" if is_bulk else "")
    raise AccessDenied(_("You may see this row, but not do this with it."))
