"""Every event there is: its name, what it means, the shape of its data, an example. A family each has a file here."""

from events.catalog import accounts, tables, webhooks
from events.catalog.event_kind import EventKind
from events.catalog.event_types import CUSTOM_PATTERN, CUSTOM_PREFIX, EventType, Stage

KINDS = [*tables.KINDS, *accounts.KINDS, *webhooks.KINDS]
CATALOG = {(kind.type.value, kind.stage): kind for kind in KINDS}

__all__ = ["CATALOG", "CUSTOM_PATTERN", "CUSTOM_PREFIX", "KINDS", "EventKind", "EventType", "Stage"]
