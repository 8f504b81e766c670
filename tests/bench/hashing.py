"""The bare hash: how many passwords all cores together hash in a second, with nothing around it."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Self

from argon2 import PasswordHasher, Type

MEMORY_KIB, TIME_COST, PARALLELISM = 19_456, 2, 1  # what the product does by default


class BareHash:
    """One hashing process for each core."""

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(self._cores, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Self:
        self.per_second(0.1)
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def per_second(self, seconds: float) -> float:
        return sum(self._pool.map(_hash_for, [seconds] * self._cores))


def _hash_for(seconds: float) -> float:
    """Hashes per second of this one process."""
    hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM, type=Type.ID)
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        hasher.hash("correct horse battery staple")
        count += 1
    return count / passed
