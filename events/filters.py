"""What a subscriber wants to hear: `auth.user_signedUp`, `auth.password_reset:requested`, `auth.*` or `*`."""

import re
from collections.abc import Iterable

from events.catalog import CATALOG, CUSTOM_PREFIX
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
    """Make sure that `text` is a filter that an event can match; raises `FilterMalformed`, which names `field`."""
    if len(text) > MAX_LENGTH or not _FILTER.fullmatch(text):
        raise FilterMalformed(
            f"{text[:MAX_LENGTH]!r} is none of: a type (auth.user_signedUp), a type and stage "
            "(auth.password_reset:requested), a prefix (auth.*), everything (*).",
            field=field,
        )
    if not _can_match(text):
        families = sorted({type.partition(".")[0] for type, _stage in CATALOG})
        raise FilterMalformed(
            f"{text!r} matches no event there is; types begin with {', '.join(families)} or custom.", field=field
        )


def _can_match(text: str) -> bool:
    """Whether the catalogue has an event that it matches, or a custom event might be one."""
    if text.endswith("*"):
        prefix = text[:-1]
        is_custom = prefix.startswith(CUSTOM_PREFIX) or CUSTOM_PREFIX.startswith(prefix)
        return is_custom or any(type.startswith(prefix) for type, _stage in CATALOG)
    return text.startswith(CUSTOM_PREFIX) or any(_matches(text, type, stage) for type, stage in CATALOG)


def matches(filters: Iterable[str], event_type: str, stage: str) -> bool:
    """Whether an event of this type and stage (empty where it has none) is wanted by one of `filters`."""
    return any(_matches(wanted, event_type, stage) for wanted in filters)


def _matches(wanted: str, event_type: str, stage: str) -> bool:
    if wanted.endswith("*"):
        return event_type.startswith(wanted[:-1])
    return wanted == event_type or (bool(stage) and wanted == f"{event_type}:{stage}")
