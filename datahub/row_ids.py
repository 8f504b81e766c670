"""The ids of many rows at once: version 7 UUIDs (RFC 9562) that can be made again from a moment and a seed.

They ascend in the order of the rows, and nobody can guess one from another without the seed.
"""

import hashlib
import os
import struct
import time

SEED_BYTES = 32
TICKS = 4096  # in a millisecond


def now_tick() -> int:
    """How many 4096ths of a millisecond have passed since 1970."""
    return time.time_ns() * TICKS // 1_000_000


def new_seed() -> bytes:
    return os.urandom(SEED_BYTES)


def ids_of(tick: int, seed: bytes, count: int) -> list[str]:
    """So many ids as 32 digits each, the first of the moment `tick`, each of the others one tick later."""
    numbers = struct.unpack(f">{count}Q", hashlib.shake_256(seed).digest(8 * count))
    variant, mask, version = 0b10 << 62, (1 << 62) - 1, 0x7 << 76
    return [
        f"{each // TICKS << 80 | version | each % TICKS << 64 | variant | number & mask:032x}"
        for each, number in enumerate(numbers, start=tick)
    ]
