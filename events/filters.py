"""What a subscriber wants to hear: `auth.user_signedUp`, `auth.password_reset:requested`, `auth.*` or `*`."""

import re
from collections.abc import Iterable

from fastgen_backend.errors import DomainError

FILTERS_MAX = 50  # of one subscriber, or one reading of the log
MAX_LENGTH = 140
STAGES = ("requested", "completed")
_TYPE = r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+"
_PREFIX = r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.\*"
_FILTER = re.compile(rf"\*|{_PREFIX}|{_TYPE}(:({'|'.join(STAGES)}))?")


class FilterMalformed(DomainError):
    """A filter that could never match anything."""

    code = "filter-malformed"
    title = "This is not an event filter"
    field = "events"


def check_filter(text: str, *, field: str = "events") -> None:
    """Make sure that `text` has the form of a filter; raises `FilterMalformed`, which names the member `field`."""
    if len(text) > MAX_LENGTH or not _FILTER.fullmatch(text):
        raise FilterMalformed(
            f"{text[:MAX_LENGTH]!r} is none of: a type (auth.user_signedUp), a type and stage "
            "(auth.password_reset:requested), a prefix (auth.*), everything (*).",
            field=field,
        )


def matches(filters: Iterable[str], event_type: str, stage: str) -> bool:
    """Whether an event of this type and stage (empty where it has none) is wanted by one of `filters`."""
    return any(_matches(wanted, event_type, stage) for wanted in filters)


def _matches(wanted: str, event_type: str, stage: str) -> bool:
    if wanted.endswith("*"):
        return event_type.startswith(wanted[:-1])
    return wanted == event_type or (bool(stage) and wanted == f"{event_type}:{stage}")
