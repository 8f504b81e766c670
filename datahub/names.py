"""Keys: how tables and columns are called in addresses and JSON. Made from names, or given."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from django.utils.translation import gettext as _

from datahub.models import DESCRIPTION_MAX, KEY_MAX, NAME_MAX
from fastgen_backend.errors import FieldError

RESERVED = frozenset(
    [
        "id",
        "createdat",
        "updatedat",
        "revision",
        "owner",
        "and",
        "or",
        "not",
        "limit",
        "cursor",
        "order",
        "fields",
        "expand",
        "count",
        "q",
        "onconflict",
        "resolution",
        "maxaffected",
        "dryrun",
    ]
)  # members and parameters of our own; compared without case
NAMED_MAX = 20  # of what a refusal says there is
KEY_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def key_from_name(name: str, *, prefix: str, taken: Iterable[str]) -> str:
    """A key for something called `name`: ASCII, lower case, at most 50 characters, not reserved and not `taken`.

    `prefix` (`t_` or `c_`) goes before one that would be empty, begin with a digit or be reserved.
    """
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:KEY_MAX].rstrip("_")
    if not key or key[0].isdigit() or key in RESERVED:
        key = (prefix + key)[:KEY_MAX].rstrip("_")
    return free_key(key, taken)


def free_key(key: str, taken: Iterable[str]) -> str:
    """`key`, or where that is taken whatever its letter case, `key_2`, `key_3` and so on."""
    folded = {each.lower() for each in taken}
    candidate, number = key, 1
    while candidate.lower() in folded:
        number += 1
        ending = f"_{number}"
        candidate = key[: KEY_MAX - len(ending)].rstrip("_") + ending
    return candidate


def key_flaw(key: str) -> str:
    """What is wrong with a key that was given, in a sentence; empty where nothing is."""
    if not KEY_PATTERN.fullmatch(key) or len(key) > KEY_MAX:
        return _("A key has 1 to %(count)d letters of a to z, digits and _, and begins with a letter.") % {
            "count": KEY_MAX
        }
    if "__" in key:
        return _("A key must not hold two underscores in a row; they part a column from an operator.")
    if key.lower() in RESERVED:
        return _("‘%(key)s’ is reserved; choose another key.") % {"key": key}
    return ""


def name_flaw(name: str) -> str:
    """What is wrong with a name, in a sentence; empty where nothing is. Any letters of any script will do."""
    if not name.strip():
        return _("Give it a name.")
    if len(name) > NAME_MAX:
        return _("A name may have %(count)d characters at most.") % {"count": NAME_MAX}
    return _unwritable(name, allow="")


def description_flaw(description: str) -> str:
    """What is wrong with a description, in a sentence; empty where nothing is."""
    if len(description) > DESCRIPTION_MAX:
        return _("A description may have %(count)d characters at most.") % {"count": DESCRIPTION_MAX}
    return _unwritable(description, allow="\n\t\r")


def flaws(**checks: tuple[Callable[[str], str], str | None]) -> list[FieldError]:
    """The errors of those members that are given: `name=(name_flaw, name)`."""
    found = [(member, check(value)) for member, (check, value) in checks.items() if value is not None]
    return [FieldError(f"/{member}", "invalid", flaw) for member, flaw in found if flaw]


def _unwritable(text: str, *, allow: str) -> str:
    """Control characters hide; marks of direction and joiners belong to scripts and stay."""
    if any(unicodedata.category(each) in {"Cc", "Cs"} and each not in allow for each in text):
        return _("This holds a control character; take it out.")
    return ""


def no_such_column(key: str, known: Collection[str]) -> str:
    """The sentence that refuses a column by this key, and names those there are."""
    return _("There is no column ‘%(key)s’; there are: %(known)s.") % {"key": key[:100], "known": first_of(known)}


def no_such_parameter(name: str, options: Collection[str], columns: Collection[str]) -> str:
    """The sentence that refuses a parameter which is neither one of the options nor a column to filter by."""
    detail = _("‘%(name)s’ is neither a column nor a parameter here; parameters: %(options)s; columns: %(columns)s.")
    return detail % {"name": name[:100], "options": first_of(options), "columns": first_of(columns)}


def no_such_columns(known: Collection[str]) -> str:
    """The same of any number of columns, for refusals whose pointers name them."""
    return _("There is no such column; there are: %(known)s.") % {"known": first_of(known)}


def first_of(names: Collection[str]) -> str:
    """The names in a row, after the first 20 how many more there are; a sentence tells no end of them."""
    rest = len(names) - NAMED_MAX
    named = ", ".join(islice(names, NAMED_MAX)) or _("none")
    return _("%(names)s and %(count)d more") % {"names": named, "count": rest} if rest > 0 else named
