"""Who may do what with the rows of a table: the one place that decides it, for every path.

A rule is `"admin"`, `"everyone"`, `"authenticated"`, `"owner"`, `{"roles": [...]}` or `{"filter": {...}}`; in the
latter's values `@user.id` and `@user.roles` stand for the caller's. Programs and admins that have the scope
`rows:read` or `rows:write` are above all rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.dynamic import SYSTEM_MEMBERS, Definition, Member
from datahub.errors import AccessDenied, CallerMissing
from datahub.filter_reading import condition_from_json
from datahub.filters import ALWAYS, Comparison, Condition, Every
from datahub.models import Verb
from fastgen_backend.errors import FieldError, InvalidInput, pointer_part

WORDS = frozenset({"admin", "everyone", "authenticated", "owner"})
USER_ID = "@user.id"
USER_ROLES = "@user.roles"
ROLES_MAX = 50
OWNER = next(member for member in SYSTEM_MEMBERS if member.key == "owner")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person with roles, a program, or nobody known.

    `reads_all` and `writes_all` are above the rules; `reads_people` may see who owns a row.
    """

    user_id: UUID | None = None
    roles: tuple[str, ...] = ()
    reads_all: bool = False
    writes_all: bool = False
    reads_people: bool = False
    is_program: bool = False

    def is_above_rules(self, verb: Verb) -> bool:
        """Whether no rule holds for this verb."""
        return self.reads_all if verb in {Verb.LIST, Verb.READ} else self.writes_all


NOBODY = Caller()
EVERYTHING = Caller(reads_all=True, writes_all=True, reads_people=True, is_program=True)


def refuse_closed(definition: Definition, verb: Verb, caller: Caller) -> None:
    """Raise `AccessDenied` where the table is closed to the caller, whatever the row, and `CallerMissing` where it
    might not be to one who is known.

    To be asked before anything that a caller sent is read: what is wrong with it would tell of the table.
    """
    if caller.is_above_rules(verb):
        return
    rule = definition.table.access[verb.value]
    is_filter = isinstance(rule, dict) and "filter" in rule
    if rule == "everyone" or (is_filter and not _speaks_of_user(rule["filter"])):
        return
    if caller.user_id is None and not caller.is_program:
        raise CallerMissing(_("Send an access token or an API key as ‘Authorization: Bearer <token>’."))
    is_open = is_filter or rule in ("authenticated", "owner") or (isinstance(rule, dict) and _has_role(caller, rule))
    scope = "rows:read" if verb in {Verb.LIST, Verb.READ} else "rows:write"
    if caller.is_program:
        raise AccessDenied(_("This API key needs the scope %(scope)s.") % {"scope": scope})
    if rule == "admin":
        detail = _("The rule ‘%(verb)s’ of this table is for the console, and API keys with the scope %(scope)s.")
        raise AccessDenied(detail % {"verb": verb.value, "scope": scope})
    if caller.user_id is None or not is_open:
        raise AccessDenied(_("The rule ‘%(verb)s’ of this table does not let you do this.") % {"verb": verb.value})


def permitted(definition: Definition, verb: Verb, caller: Caller) -> Condition:
    """The rows with which `caller` may do this: a condition to be asked along with every other.

    Raises what `refuse_closed` raises.
    """
    refuse_closed(definition, verb, caller)
    if caller.is_above_rules(verb):
        return ALWAYS
    rule = definition.table.access[verb.value]
    if rule == "owner" and verb is not Verb.CREATE:
        return Comparison(OWNER, "eq", caller.user_id)
    if isinstance(rule, dict) and "filter" in rule:
        filter = _filled_in(rule["filter"], str(caller.user_id), list(caller.roles))
        return condition_from_json(filter, definition.members)
    return ALWAYS


def check_access(access: Any, members: Mapping[str, Member]) -> dict[str, Any]:
    """Rules as they are kept, `admin` for every verb without one. Raises `InvalidInput`."""
    if not isinstance(access, dict):
        raise InvalidInput([FieldError("/access", "not-an-object", _("This must be a JSON object."))])
    detail = _("There is no such verb: list, read, create, update, delete.")
    errors = [
        FieldError(f"/access/{pointer_part(verb)}", "unknown-member", detail)
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


def _has_role(caller: Caller, rule: dict[str, list[str]]) -> bool:
    theirs = {role.casefold() for role in caller.roles}
    return any(role.casefold() in theirs for role in rule["roles"])


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
    """What is wrong with it, tried with a user of whom nothing is known but an id and a role."""
    unknown = sorted({name for name in _names_of_user(filter) if name not in (USER_ID, USER_ROLES)})
    if unknown:
        detail = _("There is no ‘%(name)s’; there are @user.id and, as a whole list, @user.roles.")
        return [FieldError(pointer, "unknown-name", detail % {"name": name[:100]}) for name in unknown]
    try:
        condition_from_json(_filled_in(filter, str(UUID(int=0)), ["role"]), members, pointer)
    except InvalidInput as refusal:
        return list(refusal.errors)
    return []


def _filled_in(filter: Any, user_id: str, roles: list[str]) -> Any:
    """The filter with the caller in the places of `@user.id` and `@user.roles`."""
    match filter:
        case {"value": value, **rest}:
            return {**rest, "value": _filled_in_value(value, user_id, roles)}
        case dict():
            return {name: _filled_in(below, user_id, roles) for name, below in filter.items()}
        case list():
            return [_filled_in(below, user_id, roles) for below in filter]
    return filter


def _filled_in_value(value: Any, user_id: str, roles: list[str]) -> Any:
    if isinstance(value, list):
        return [user_id if each == USER_ID else each for each in value]
    return user_id if value == USER_ID else roles if value == USER_ROLES else value


def _speaks_of_user(filter: Any) -> bool:
    return any(True for _name in _names_of_user(filter))


def _names_of_user(filter: Any) -> Iterator[str]:
    """Every value that begins as the names of what is known of the caller do; a list is no place for a list."""
    match filter:
        case {"value": list(values)}:
            yield from (f"[{name}]" if name == USER_ROLES else name for name in values if _is_name_of_user(name))
        case {"value": value}:
            yield from (name for name in [value] if _is_name_of_user(name))
        case dict():
            for below in filter.values():
                yield from _names_of_user(below)
        case list():
            for below in filter:
                yield from _names_of_user(below)


def _is_name_of_user(value: Any) -> bool:
    return isinstance(value, str) and value.casefold().startswith("@user.")


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
