"""Where a change comes from: carried from the door through the service and its signal into the event."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    """The door a change came in by, as events tell it."""

    HOSTED = "hosted"
    API = "api"
    CONSOLE = "console"
    WORKER = "worker"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class Origin:
    """The circumstances of a change.

    `actor` is `user:<id>`, `apiKey:<id>`, `app:<id>` or empty; `ip_address` the client's, behind trusted proxies;
    `locale` the language the client asked for, such as `de`.
    """

    source: Source
    actor: str = ""
    request_id: str = ""
    ip_address: str | None = None
    user_agent: str = ""
    locale: str = ""


def origin_from(kept: Mapping[str, Any]) -> Origin:
    """An origin that was kept as JSON by `dataclasses.asdict`."""
    return Origin(**{**kept, "source": Source(kept["source"])})


COMMAND_LINE = Origin(Source.CLI)
WORKER = Origin(Source.WORKER)
