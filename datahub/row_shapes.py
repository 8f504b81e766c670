"""Rows between JSON and Python: what a caller sends, checked; what a caller is shown."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _

from datahub.column_types import Unfit
from datahub.column_types.documents import Json
from datahub.dynamic import SYSTEM_MEMBERS, Definition, Member
from datahub.names import no_such_columns
from fastgen_backend.errors import MOST_ERRORS, FieldError, pointer_part

Row = dict[str, Any]  # by key, in Python's own types; a member without value is None
READ_ONLY = frozenset(member.key for member in SYSTEM_MEMBERS if member.key != "owner")


def read_values(
    definition: Definition, given: Any, pointer: str, errors: list[FieldError], *, owner_too: bool, is_new: bool
) -> Row:
    """The values that a JSON object gives; what is wrong with them goes to `errors`.

    A new row is read whole: absent members are None, and required ones missed. `owner_too` lets the owner be named.
    """
    if not isinstance(given, dict):
        errors.append(FieldError(pointer, "not-an-object", _("A row is a JSON object.")))
        return {}
    row: Row = {} if not is_new else dict.fromkeys(definition.own)
    unknown = []
    for key, value in given.items():
        member = definition.own.get(key)
        if member is None and key == "owner" and owner_too:
            member = definition.members["owner"]
        if member is None:
            unknown.append(key)
            continue
        try:
            row[key] = _read(member, value)
        except Unfit as unfit:
            errors.append(FieldError(f"{pointer}/{key}", unfit.code, unfit.reason))
    errors += _unknown(definition, unknown[: MOST_ERRORS + 1], pointer)
    if is_new:
        for key in sorted(definition.required - given.keys()):
            errors.append(FieldError(f"{pointer}/{key}", "required", _("This column needs a value.")))
    return row


def _read(member: Member, value: Any) -> Any:
    if value is not None:
        return member.type.read(value)
    if member.column is not None and member.column.required:
        raise Unfit(_("This column needs a value."), "required")
    return None


def _unknown(definition: Definition, keys: Sequence[str], pointer: str) -> list[FieldError]:
    detail = no_such_columns(definition.own) if keys else ""  # one text, for there may be any number of them
    return [_refused(key, f"{pointer}/{pointer_part(key)}", detail) for key in keys]


def _refused(key: str, pointer: str, detail: str) -> FieldError:
    if key == "owner":
        return FieldError(pointer, "read-only", _("Only admins and API keys name an owner."))
    if key in READ_ONLY:
        return FieldError(pointer, "read-only", _("This member is set by the system; leave it out."))
    return FieldError(pointer, "unknown-member", detail)


def shown(members: Sequence[Member], values: Sequence[Any]) -> dict[str, Any]:
    """A row as JSON shows it: `values` in the order of `members`."""
    return {
        member.key: None if value is None else member.type.show(value)
        for member, value in zip(members, values, strict=True)
    }


def written(members: Sequence[Member], values: Sequence[Any]) -> dict[str, Any]:
    """The same for orjson, whose numbers have 64 bits; those within a column of JSON may have any length."""
    row = shown(members, values)
    for member in members:
        if isinstance(member.type, Json) and row[member.key] is not None:
            row[member.key] = orjson.Fragment(member.type.write(row[member.key]))
    return row
