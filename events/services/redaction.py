"""Keeps secrets out of what is logged, and text out of it that a database can't store."""

import re
from collections.abc import Iterable

from events.envelope import MASK

SHORTEST_PART = 8


def redact(text: str, hidden: Iterable[str]) -> str:
    """`text` without the secrets in it, whole or cut off at its end."""
    text = text.replace("\0", "\ufffd")  # PostgreSQL stores no NUL
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
        text = _without_cut_off(text, secret)
    return text


def masked_url(url: str) -> str:
    """The address without its path, query and fragment, in which many receivers expect a token."""
    scheme, _, rest = url.partition("://")
    server, *more = re.split(r"[/?#\\]", rest, maxsplit=1)  # no parser, which would refuse what an older version took
    origin = f"{scheme}://{server.rpartition('@')[2]}"
    return f"{origin}/{MASK}" if any(more) else origin


def _without_cut_off(text: str, secret: str) -> str:
    for length in range(len(secret) - 1, SHORTEST_PART - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + MASK
    return text
