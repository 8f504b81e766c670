"""Rows: creating, changing and deleting them, one or many, all or nothing."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, OperationalError, models
from django.utils import timezone
from django.utils.translation import gettext as _

from datahub import locks, signals
from datahub.access import Caller, both, permitted
from datahub.column_types import Relation
from datahub.dynamic import Definition, definition_of, table_by_number
from datahub.errors import AccessDenied, NoSuchRow, RevisionConflict, RowTooLarge, TooManyAffected
from datahub.filters import ALWAYS, Condition, as_q
from datahub.models import Column, Table, Verb
from datahub.row_shapes import Row, read_values, shown_row
from datahub.services import references
from datahub.services.row_writing import delete_ids, insert_rows, update_row
from datahub.services.unique_values import refuse_taken
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.ids import uuid7
from fastgen_backend.origin import Origin

ROWS_MAX = 1000  # in one call


@dataclass(frozen=True, slots=True)
class Written:
    """Rows as they are now, with the definition they are rows of."""

    definition: Definition
    rows: Sequence[Row]

    def shown(self) -> list[dict[str, Any]]:
        """The rows as JSON shows them."""
        return [shown_row(self.definition, row) for row in self.rows]


def create_rows(*, table: Table, items: Sequence[Any], caller: Caller, origin: Origin, is_bulk: bool = True) -> Written:
    """New rows from JSON objects, owned by the caller; in order, all or nothing.

    Raises `InvalidInput` with pointers such as `/1/age` (without the number where it is no bulk), `UniqueConflict`,
    `AccessDenied` or `CallerMissing`.
    """
    check_number(items)
    with clear_refusals(is_bulk) as attempt, open_for_writing(table) as definition:
        attempt.definition, attempt.rows = definition, read_new_rows(definition, items, caller, is_bulk)
        insert(definition, attempt.rows, caller, origin, is_bulk)
    return Written(definition, attempt.rows)


def update_rows(
    *,
    table: Table,
    changes: Sequence[tuple[UUID, Any]],
    caller: Caller,
    origin: Origin,
    is_bulk: bool = True,
    revision: int | None = None,
) -> Written:
    """Change rows, each by a JSON object of the members to change; a row that is what it should be is left alone.

    `revision` is the one the caller saw: raises `RevisionConflict` where it is another by now. Raises `NoSuchRow`
    too, and what `create_rows` raises.
    """
    check_number(changes)
    if len({id for id, _values in changes}) < len(changes):
        raise InvalidInput([FieldError("", "repeated-row", _("A row stands twice; name each once."))])
    with clear_refusals(is_bulk) as attempt, open_for_writing(table) as definition:
        condition = permitted(definition, Verb.UPDATE, caller)
        new = _changed_values(definition, changes, caller, is_bulk)
        refuse_missing_targets(definition, new, is_bulk)
        rows = lock_rows(definition, [id for id, _values in changes], condition, caller, is_bulk)
        if revision is not None and rows[0]["revision"] != revision:
            raise _outdated(rows[0]["revision"])
        attempt.definition, attempt.rows = definition, rows
        update(definition, rows, new, condition, origin)
    return Written(definition, rows)


def delete_row(*, table: Table, id: UUID, caller: Caller, origin: Origin, revision: int | None = None) -> None:
    """Delete a row. Raises `NoSuchRow`, `RevisionConflict`, `RowInUse`, `AccessDenied` or `CallerMissing`."""
    referring = references.referring_to(table)
    with open_for_writing(table, beside=referring) as definition:
        condition = permitted(definition, Verb.DELETE, caller)
        rows = lock_rows(definition, [id], condition, caller, is_bulk=False)
        if revision is not None and rows[0]["revision"] != revision:
            raise _outdated(rows[0]["revision"])
        delete_locked(definition, rows, referring, origin)


def delete_rows(*, table: Table, where: "Condition", caller: Caller, origin: Origin, most: int = ROWS_MAX) -> int:
    """Delete all rows that meet the condition; tells how many. Raises `TooManyAffected` beyond `most`, `RowInUse`."""
    referring = references.referring_to(table)
    with open_for_writing(table, beside=referring) as definition:
        condition = both(permitted(definition, Verb.DELETE, caller), where)
        rows = locked_rows(definition, as_q(condition), limit=most + 1)
        if len(rows) > most:
            detail = _("More than %(count)d rows match; narrow the filter or raise maxAffected.")
            raise TooManyAffected(detail % {"count": most})
        delete_locked(definition, rows, referring, origin)
    return len(rows)


@dataclass
class Attempt:
    """What a transaction was about to write, to tell what the database refused of it."""

    definition: Definition | None = None
    rows: Sequence[Row] = ()


@contextmanager
def clear_refusals(is_bulk: bool) -> Iterator[Attempt]:
    """Around a transaction: what the database refuses, in the terms of the request."""
    attempt = Attempt()
    try:
        yield attempt
    except IntegrityError as error:
        if attempt.definition is None:
            raise
        refuse_taken(attempt.definition, attempt.rows, error, is_bulk)
    except (OperationalError, DataError) as error:
        if getattr(error.__cause__, "sqlstate", "") == "54000":  # program_limit_exceeded: 8 kB in the row itself
            raise RowTooLarge from error
        raise


@contextmanager
def open_for_writing(table: Table, beside: Iterable[Column] = ()) -> Iterator[Definition]:
    """A transaction among other writers of `table`, what it refers to and what refers to it; its definition as it is.

    Raises `NoSuchTable` or `TableBusy`.
    """
    known = {table.pk, *(column.table_id for column in beside), *definition_of(table).target_ids}
    with locks.writing(known):
        definition = definition_of(table_by_number(table.pk))
        if unknown := definition.target_ids - known:
            locks.share(unknown)
        yield definition


def check_number(items: Sequence[Any]) -> None:
    """Raise `InvalidInput` unless these are 1 to 1,000."""
    if not 1 <= len(items) <= ROWS_MAX:
        detail = _("Send 1 to %(max)s rows at once; these are %(count)s.")
        raise InvalidInput([FieldError("", "invalid", detail % {"max": f"{ROWS_MAX:,}", "count": f"{len(items):,}"})])


def refuse_missing_targets(definition: Definition, rows: Sequence[Row], is_bulk: bool) -> None:
    """Raise `InvalidInput` where a relation names a row that is not there; the others stay until the commit."""
    errors: list[FieldError] = []
    for member in definition.relations:
        type, column = member.type, member.column
        if not isinstance(type, Relation) or column is None or column.target_id is None:
            continue
        named = [(index, type.ids(row[member.key])) for index, row in enumerate(rows) if row.get(member.key)]
        if not named:
            continue
        gone = references.missing(table_by_number(column.target_id), {id for _index, ids in named for id in ids})
        for index, ids in named:
            for id in gone.intersection(ids):
                detail = _("There is no row %(id)s in the table that this refers to.") % {"id": id}
                errors.append(FieldError(f"{pointer(index, is_bulk)}/{member.key}", "no-such-row", detail))
    if errors:
        raise InvalidInput(errors)


def pointer(index: int, is_bulk: bool) -> str:
    """Where a row stands in the request."""
    return f"/{index}" if is_bulk else ""


def lock_rows(
    definition: Definition, ids: Sequence[UUID], condition: Condition, caller: Caller, is_bulk: bool
) -> list[Row]:
    """These rows in this order, kept from others until the commit; raises `NoSuchRow` or `AccessDenied`."""
    q = models.Q(pk__in=ids)
    found = {row["id"]: row for row in locked_rows(definition, q & as_q(condition) if condition != ALWAYS else q)}
    missing = [(index, id) for index, id in enumerate(ids) if id not in found]
    if missing:
        _refuse_missing(definition, missing, caller, is_bulk)
    return [found[id] for id in ids]


def insert(definition: Definition, rows: Sequence[Row], caller: Caller, origin: Origin, is_bulk: bool) -> None:
    """Insert rows, as far as the rules let the caller, and tell it."""
    condition = permitted(definition, Verb.CREATE, caller)
    refuse_missing_targets(definition, rows, is_bulk)
    insert_rows(definition, rows)
    _refuse_unless(definition, condition, rows)
    _tell_all(signals.row_created, definition, rows, origin)


def update(
    definition: Definition, rows: Sequence[Row], new: Sequence[Row], condition: Condition, origin: Origin
) -> None:
    """Give each of the locked `rows` its new values, as far as the condition holds afterwards as well, and tell it."""
    for row, values in zip(rows, new, strict=True):
        changed = [key for key, value in values.items() if not _is_same(row[key], value)]
        row.update(values)
        if changed:
            update_row(definition, row, changed)
            if definition.table.row_events:
                tell_row(signals.row_updated, definition, row, changed, origin)
    _refuse_unless(definition, condition, rows)


def read_new_rows(definition: Definition, items: Sequence[Any], caller: Caller, is_bulk: bool) -> list[Row]:
    """Whole rows from JSON objects, owned by the caller. Raises `InvalidInput`."""
    errors: list[FieldError] = []
    now = timezone.now()
    rows = []
    for index, item in enumerate(items):
        place = pointer(index, is_bulk)
        values = read_values(definition, item, place, errors, owner_too=caller.writes_all, is_new=True)
        system = {"id": uuid7(), "createdAt": now, "updatedAt": now, "revision": 1, "owner": caller.user_id}
        rows.append({**system, **values})
    if errors:
        raise InvalidInput(errors)
    return rows


def _changed_values(
    definition: Definition, changes: Sequence[tuple[UUID, Any]], caller: Caller, is_bulk: bool
) -> list[Row]:
    errors: list[FieldError] = []
    new = [
        read_values(definition, item, pointer(index, is_bulk), errors, owner_too=caller.writes_all, is_new=False)
        for index, (_id, item) in enumerate(changes)
    ]
    if errors:
        raise InvalidInput(errors)
    return new


def _is_same(before: Any, after: Any) -> bool:
    """Whether nothing was changed: 1 is not true, though Python finds them equal, within JSON as well."""
    if type(before) is not type(after) or before != after:
        return False
    return not isinstance(after, dict | list) or repr(before) == repr(after)


def locked_rows(definition: Definition, q: models.Q, limit: int | None = None) -> list[Row]:
    """The rows for which `q` holds, kept from others until the commit."""
    keys = list(definition.members)
    rows = definition.rows().filter(q).order_by("pk").select_for_update()
    attributes = [member.attribute for member in definition.members.values()]
    values = rows.values_list(*attributes)
    return [dict(zip(keys, row, strict=True)) for row in (values[:limit] if limit else values)]


def _refuse_missing(definition: Definition, missing: Sequence[tuple[int, UUID]], caller: Caller, is_bulk: bool) -> None:
    """404, or 403 where the caller may see all of these rows."""
    ids = [id for _index, id in missing]
    try:
        readable = permitted(definition, Verb.READ, caller)
        seen = definition.rows().filter(as_q(readable), pk__in=ids).count()
    except AccessDenied:
        seen = 0
    if seen == len(ids):
        raise AccessDenied(_("You may see this row, but not do this with it."))
    detail = _("There is no row %(id)s, or not for you.") % {"id": ids[0]}
    raise NoSuchRow(detail, field=f"{missing[0][0]}/id" if is_bulk else "")


def _refuse_unless(definition: Definition, condition: Condition, rows: Sequence[Row]) -> None:
    """Raise `AccessDenied` where a row, as it is now, is none with which the caller may do this."""
    if condition == ALWAYS:
        return
    ids = [row["id"] for row in rows]
    if definition.rows().filter(as_q(condition), pk__in=ids).count() < len(ids):
        raise AccessDenied(_("The row would be outside of what the rules of this table let you write."))


def delete_locked(definition: Definition, rows: Sequence[Row], referring: Sequence[Column], origin: Origin) -> None:
    """Delete locked rows, after what refers to them was treated, and tell it. Raises `RowInUse`."""
    ids = [row["id"] for row in rows]
    references.let_go(definition, ids, referring, origin)
    delete_ids(definition, ids)
    _tell_all(signals.row_deleted, definition, rows, origin)


def _tell_all(signal: Any, definition: Definition, rows: Sequence[Row], origin: Origin) -> None:
    if definition.table.row_events:
        for row in rows:
            tell_row(signal, definition, row, definition.own, origin)


def tell_row(signal: Any, definition: Definition, row: Row, keys: Iterable[str], origin: Origin) -> None:
    """A row's signal, with the values of these members."""
    everything = shown_row(definition, row)
    values = {key: everything[key] for key in keys}
    signal.send(sender=Table, table_id=definition.table.uid, row_id=row["id"], values=values, origin=origin)


def _outdated(revision: int) -> RevisionConflict:
    detail = _("The row has the revision %(revision)d by now; read it again, and decide anew.")
    return RevisionConflict(detail % {"revision": revision})
