"""Who may do what with the rows of a table: the one place that decides it, for every path.

A rule is `"admin"`, `"everyone"`, `"authenticated"`, `"owner"`, `{"roles": [...]}` or `{"filter": {...}}`; in the
latter's values `@user.id` and `@user.roles` stand for the caller's. Programs and admins that have the scope
`rows:read` or `rows:write` are above all rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.dynamic import SYSTEM_MEMBERS, Definition, Member
from datahub.errors import AccessDenied, CallerMissing
from datahub.filters import ALWAYS, Comparison, Condition, Every, condition_from_json
from datahub.models import Verb
from fastgen_backend.errors import FieldError, InvalidInput

WORDS = frozenset({"admin", "everyone", "authenticated", "owner"})
USER_ID = "@user.id"
USER_ROLES = "@user.roles"
ROLES_MAX = 50
OWNER = next(member for member in SYSTEM_MEMBERS if member.key == "owner")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person with roles, or nobody known; `reads_all` and `writes_all` are above the rules."""

    user_id: UUID | None = None
    roles: tuple[str, ...] = ()
    reads_all: bool = False
    writes_all: bool = False

    def is_above_rules(self, verb: Verb) -> bool:
        """Whether no rule holds for this verb."""
        return self.reads_all if verb in {Verb.LIST, Verb.READ} else self.writes_all


NOBODY = Caller()
EVERYTHING = Caller(reads_all=True, writes_all=True)


def permitted(definition: Definition, verb: Verb, caller: Caller) -> Condition:
    """The rows with which `caller` may do this: a condition to be asked along with every other.

    Raises `AccessDenied` where the table is closed to the caller, `CallerMissing` where it might not be to one who
    is known.
    """
    if caller.is_above_rules(verb):
        return ALWAYS
    rule = definition.table.access[verb.value]
    if rule == "everyone":
        return ALWAYS
    if isinstance(rule, dict) and "filter" in rule:
        return _of_filter(definition, rule["filter"], caller)
    if caller.user_id is None:
        raise CallerMissing(_("Send an access token or an API key as ‘Authorization: Bearer <token>’."))
    if rule == "owner":
        return ALWAYS if verb is Verb.CREATE else Comparison(OWNER, "eq", caller.user_id)
    if rule == "authenticated" or (isinstance(rule, dict) and _has_role(caller, rule["roles"])):
        return ALWAYS
    raise AccessDenied(_("The rule ‘%(verb)s’ of this table does not let you do this.") % {"verb": verb.value})


def check_access(access: Any, members: Mapping[str, Member]) -> dict[str, Any]:
    """Rules as they are kept, `admin` for every verb without one. Raises `InvalidInput`."""
    if not isinstance(access, dict):
        raise InvalidInput([FieldError("/access", "not-an-object", _("This must be a JSON object."))])
    errors = [
        FieldError(f"/access/{verb}", "unknown-member", _("There is no such verb: list, read, create, update, delete."))
        for verb in access
        if verb not in Verb.values
    ]
    for verb, rule in access.items():
        errors += _flaws(rule, members, f"/access/{verb}") if verb in Verb.values else []
    if errors:
        raise InvalidInput(errors)
    return {verb: access.get(verb, "admin") for verb in Verb.values}


def verbs_that_ask(access: Mapping[str, Any], key: str) -> list[str]:
    """The verbs whose rules speak of the column with this key."""
    return [verb for verb, rule in access.items() if isinstance(rule, dict) and key in _keys(rule.get("filter"))]


def _of_filter(definition: Definition, filter: Any, caller: Caller) -> Condition:
    if caller.user_id is None and _speaks_of_user(filter):
        raise CallerMissing(_("Send an access token or an API key as ‘Authorization: Bearer <token>’."))
    return condition_from_json(_filled_in(filter, str(caller.user_id), list(caller.roles)), definition.members)


def _has_role(caller: Caller, roles: list[str]) -> bool:
    theirs = {role.casefold() for role in caller.roles}
    return any(role.casefold() in theirs for role in roles)


def _flaws(rule: Any, members: Mapping[str, Member], pointer: str) -> list[FieldError]:
    match rule:
        case str() if rule in WORDS:
            return []
        case {"roles": list(roles), **rest} if not rest:
            named = 1 <= len(roles) <= ROLES_MAX and all(isinstance(role, str) and role.strip() for role in roles)
            detail = _("Name 1 to %(count)d roles.") % {"count": ROLES_MAX}
            return [] if named else [FieldError(f"{pointer}/roles", "invalid", detail)]
        case {"filter": filter, **rest} if not rest:
            return _filter_flaws(filter, members, f"{pointer}/filter")
    detail = _('A rule is "admin", "everyone", "authenticated", "owner", {"roles": [...]} or {"filter": {...}}.')
    return [FieldError(pointer, "invalid-rule", detail)]


def _filter_flaws(filter: Any, members: Mapping[str, Member], pointer: str) -> list[FieldError]:
    """What is wrong with it, tried with a user of whom nothing is known but an id."""
    try:
        condition_from_json(_filled_in(filter, str(UUID(int=0)), []), members, pointer)
    except InvalidInput as refusal:
        return list(refusal.errors)
    return []


def _filled_in(filter: Any, user_id: str, roles: list[str]) -> Any:
    """The filter with the caller in the places of `@user.id` and `@user.roles`."""
    match filter:
        case {"value": value, **rest}:
            filled = user_id if value == USER_ID else roles if value == USER_ROLES else value
            return {**rest, "value": filled}
        case dict():
            return {name: _filled_in(below, user_id, roles) for name, below in filter.items()}
        case list():
            return [_filled_in(below, user_id, roles) for below in filter]
    return filter


def _speaks_of_user(filter: Any) -> bool:
    match filter:
        case dict():
            return filter.get("value") in (USER_ID, USER_ROLES) or any(map(_speaks_of_user, filter.values()))
        case list():
            return any(map(_speaks_of_user, filter))
    return False


def _keys(filter: Any) -> set[str]:
    """The columns that a filter speaks of."""
    match filter:
        case {"field": str(key)}:
            return {key}
        case dict():
            return set().union(*map(_keys, filter.values()))
        case list():
            return set().union(*map(_keys, filter))
    return set()


def both(*conditions: Condition) -> Condition:
    """All of these."""
    return Every(tuple(each for each in conditions if each != ALWAYS))
