"""Roles: making, changing and deleting them, and who has which.

A role is known by its name. Access tokens carry the names that a person had when the token was made, until the next
refresh; our own API asks the database and sees a change at once. Rules of the Datahub hold names as well: where a role
is renamed or deleted they stay as they are, and let nobody in by that name until a role has it again.
"""

import json
import unicodedata
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from authpages.errors import RoleNameTaken, RoleNameUnusable, RoleUnknown
from authpages.models import Role, User
from fastgen_backend.errors import FieldError, InvalidInput, NotFound
from fastgen_backend.time_limits import unlimited

LONGEST_NAME = 100
LONGEST_KEY = 200
LONGEST_DESCRIPTION = 500
MOST_ROLES = 50  # of one person: their names go out in every access token, which has to fit into a header
MOST_BYTES = 2000  # of their names as the token has them, so that it stays below 4 kB with the longest address
NAMES_TOLD = 20


def role_key(name: str) -> str:
    """The one spelling that stands for every spelling of a role's name: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def create_role(*, name: str, description: str = "") -> Role:
    """A new role that nobody has yet; raises `RoleNameUnusable`, `RoleNameTaken` or `InvalidInput`."""
    role = Role(**_named(name), description=_described(description))
    return _saved(role)


def change_role(*, role_id: uuid.UUID, changes: dict[str, Any]) -> Role:
    """Change `name`, `description` or both; who has the role has it by its new name.

    Nobody is told person by person. Raises as `create_role`, and `NotFound`; `RoleNameUnusable` as well where the names
    of somebody's roles would be too long together.
    """
    values = _named(changes["name"]) if "name" in changes else {}
    if values:
        _check_fits(role_id, values["name"])
    if "description" in changes:
        values["description"] = _described(changes["description"])
    with transaction.atomic():
        role = _locked(role_id)
        for field, value in values.items():
            setattr(role, field, value)
        return _saved(role)


def delete_role(*, role_id: uuid.UUID) -> None:
    """Delete a role; whoever has it loses it. Raises `NotFound`.

    That is no event, and no `auth.user_updated` of each person either: a role that all have would flood every
    subscriber with what one sentence tells.
    """
    with transaction.atomic(), unlimited():
        _locked(role_id).delete()


def find_role(name: str, *, field: str = "role") -> Role:
    """The role of this name, in whatever spelling; raises `RoleUnknown`, which says what there is."""
    role = Role.objects.filter(name_key=role_key(name)).first()
    if role is None:
        raise _unknown(name, field)
    return role


def set_roles(*, user: User, names: Collection[str]) -> bool:
    """Give a person these roles and no others; whether that changed any.

    Inside the caller's transaction, which holds the user's lock. Raises `RoleUnknown`, which says what there is, or
    `InvalidInput` for too many, or names that are too long together. Who had longer ones before may lose some.
    """
    roles = _find(names)
    before, after = set(user.role_names), {role.name for role in roles}
    if before == after:
        return False
    if _size(after) > max(MOST_BYTES, _size(before)):
        detail = _("The names of a person’s roles may have %(most)s bytes together, as every access token tells them.")
        raise InvalidInput([FieldError("/roles", "too-long", detail % {"most": f"{MOST_BYTES:,}"})])
    user.roles.set(roles)
    user.loaded_roles = sorted(after)
    return True


def _find(names: Collection[str]) -> list[Role]:
    """The roles of these names, kept from being deleted until the transaction ends."""
    if len(names) > MOST_ROLES:
        detail = _("A person may have %(count)d roles at most.") % {"count": MOST_ROLES}
        raise InvalidInput([FieldError("/roles", "too-many", detail)])
    keys = [role_key(name) for name in names]
    found = Role.objects.filter(name_key__in=keys).select_for_update(no_key=True).order_by("pk")
    by_key = {role.name_key: role for role in found}
    for index, (name, key) in enumerate(zip(names, keys, strict=True)):
        if key not in by_key:
            raise _unknown(name, f"roles/{index}")
    return list(by_key.values())


def _check_fits(role_id: uuid.UUID, name: str) -> None:
    """Raise `RoleNameUnusable` where a longer name leaves the token of somebody who has the role too large.

    Outside of any transaction: of a million people that takes seconds.
    """
    role = Role.objects.filter(pk=role_id).first()
    growth = _size([name]) - _size([role.name]) if role else 0
    if role and growth > 0 and User.objects.whose_roles_take(MOST_BYTES - growth, role=role).exists():
        detail = _(
            "Somebody who has this role has so many that their names would be more than %(most)s bytes together."
        )
        raise RoleNameUnusable(detail % {"most": f"{MOST_BYTES:,}"})


def _size(names: Collection[str]) -> int:
    """How many bytes these take in a token."""
    return len(json.dumps(list(names), ensure_ascii=False, separators=(",", ":")).encode())


def _unknown(name: str, field: str) -> RoleUnknown:
    words = {"name": name[:LONGEST_NAME], "known": _told(Role.objects.order_by("name_key"))}
    if not words["known"]:
        return RoleUnknown(_("There is no role ‘%(name)s’; there are none yet, make it first.") % words, field=field)
    return RoleUnknown(_("There is no role ‘%(name)s’; there are: %(known)s.") % words, field=field)


def _told(roles: Any) -> str:
    names: Iterable[str] = roles.values_list("name", flat=True)[: NAMES_TOLD + 1]
    shown = list(names)
    return ", ".join(shown if len(shown) <= NAMES_TOLD else [*shown[:NAMES_TOLD], "…"])


def _named(name: str) -> dict[str, Any]:
    name = " ".join(name.split())
    key = role_key(name)
    if not key or len(name) > LONGEST_NAME or len(key) > LONGEST_KEY or not name.isprintable():
        raise RoleNameUnusable
    return {"name": name, "name_key": key}


def _described(description: str) -> str:
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        detail = _("A description has %(count)d characters at most.") % {"count": LONGEST_DESCRIPTION}
        raise InvalidInput([FieldError("/description", "too-long", detail)])
    return description.strip()


def _locked(role_id: uuid.UUID) -> Role:
    """The role, locked: whoever is being given it comes before or after."""
    role = Role.objects.select_for_update().filter(pk=role_id).first()
    if role is None:
        raise NotFound(_("There is no such role."))
    return role


def _saved(role: Role) -> Role:
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError:
        raise RoleNameTaken from None
    return role
