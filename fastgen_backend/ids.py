"""Identifiers: UUIDv7, so that new rows go to the end of an index."""

import os
import time
import uuid
from datetime import datetime


def uuid7() -> uuid.UUID:
    """A version 7 UUID (RFC 9562, 5.7): 48 bits of Unix milliseconds, 12 of the fraction below, 62 random bits."""
    millis, nanos = divmod(time.time_ns(), 1_000_000)
    fraction = nanos * 4096 // 1_000_000  # method 3 of section 6.2: more precise time in rand_a
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return uuid.UUID(int=(millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


def unix_millis(identifier: uuid.UUID) -> int:
    """When a version 7 UUID was made, in milliseconds since 1970."""
    return identifier.int >> 80


def lowest_uuid7(moment: datetime) -> uuid.UUID:
    """What no version 7 UUID made at this time or later is below."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)
