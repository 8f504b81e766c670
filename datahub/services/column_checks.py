"""Columns as they are asked for: names, keys, types and options, checked before anything is changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from datahub.column_types import BY_NAME, BadOption, ColumnType, Relation
from datahub.dynamic import find_table
from datahub.errors import NoSuchTable, TooManyColumns
from datahub.models import Table
from datahub.names import flaws, key_flaw, key_from_name, name_flaw
from fastgen_backend.errors import FieldError, InvalidInput

COLUMNS_MAX = 400


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column that is asked for; a key is made from the name where none is given."""

    name: str
    type: str
    key: str | None = None
    required: bool = False
    unique: bool = False
    indexed: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedColumn:
    """A column that can be made: it has a free key, its type, and the table it refers to, if it does."""

    asked: NewColumn
    key: str
    type: ColumnType
    target: Table | None


def check_new_columns(
    columns: Sequence[NewColumn], *, taken: Iterable[str], pointer: str = "/columns/{}"
) -> list[CheckedColumn]:
    """Each of them checked; keys that are `taken` are not free. Raises `InvalidInput` or `TooManyColumns`."""
    keys = list(taken)
    refuse_too_many(len(columns) + len(keys))
    errors: list[FieldError] = []
    given = {each.key.lower() for each in columns if each.key}
    checked: list[CheckedColumn] = []
    for index, column in enumerate(columns):
        found = _check(column, keys, pointer.format(index), errors)
        if found:
            key = column.key or key_from_name(column.name, prefix="c_", taken=[*keys, *given])
            keys.append(key)
            checked.append(replace(found, key=key))
    if errors:
        raise InvalidInput(errors)
    return checked


def refuse_too_many(count: int) -> None:
    """Raise `TooManyColumns` for a table of so many."""
    if count > COLUMNS_MAX:
        detail = _("A table may have %(max)d columns; this would be %(count)d.")
        raise TooManyColumns(detail % {"max": COLUMNS_MAX, "count": count})


def check_type(name: str, options: Any, pointer: str = "") -> tuple[ColumnType, Table | None]:
    """The type with its options, and the table that it refers to. Raises `InvalidInput`."""
    if name not in BY_NAME:
        detail = _("There is no such type; there are %(all)s.") % {"all": ", ".join(BY_NAME)}
        raise InvalidInput([FieldError(f"{pointer}/type", "unknown-type", detail)])
    if not isinstance(options, Mapping):
        raise InvalidInput([FieldError(f"{pointer}/options", "not-an-object", _("This must be a JSON object."))])
    try:
        options, target = _with_target(dict(options)) if name == Relation.name else (options, None)
        return BY_NAME[name].with_options(options), target
    except BadOption as bad:
        raise InvalidInput([FieldError(f"{pointer}/options/{bad.option}", "invalid", bad.reason)]) from None


def check_index(type: ColumnType, *, unique: bool, indexed: bool, pointer: str = "") -> list[FieldError]:
    """What speaks against it, as an error of the member that asks for it."""
    flaw = type.index_flaw()
    asked = [name for name, wanted in (("unique", unique), ("indexed", indexed)) if wanted]
    return [FieldError(f"{pointer}/{name}", "not-indexable", flaw) for name in asked] if flaw else []


def _check(column: NewColumn, taken: Sequence[str], pointer: str, errors: list[FieldError]) -> CheckedColumn | None:
    """The column without its key; what is wrong goes to `errors`."""
    found = flaws(name=(name_flaw, column.name), key=(key_flaw, column.key))
    if column.key and column.key.lower() in {each.lower() for each in taken}:
        found.append(FieldError("/key", "key-taken", _("Another column has this key.")))
    errors += [error._replace(pointer=pointer + error.pointer) for error in found]
    try:
        type, target = check_type(column.type, column.options, pointer)
    except InvalidInput as refusal:
        errors += refusal.errors
        return None
    unfit = check_index(type, unique=column.unique, indexed=column.indexed, pointer=pointer)
    errors += unfit
    return None if found or unfit else CheckedColumn(column, "", type, target)


def _with_target(options: dict[str, Any]) -> tuple[dict[str, Any], Table]:
    """The options with the table's id, be it named by id or key; and that table."""
    named = options.get("table")
    if named is None:
        raise BadOption("table", _("Name the table whose rows it refers to, by its id or key."))
    try:
        target = find_table(named) if isinstance(named, str) else None
    except NoSuchTable:
        target = None
    if target is None:
        raise BadOption("table", _("There is no such table; name it by its id or key."))
    return {**options, "table": str(target.uid)}, target
