"""Answers that are kept for a moment, so that whoever asks often costs nothing."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """What `find` answers, at most `seconds` old; whoever asks while it is found out waits `patience` seconds for it.

    So of all who ask while the database hangs, one hangs with it.
    """

    def __init__(self, find: Callable[[], Answer], *, seconds: float, patience: float = 5) -> None:
        self._find = find
        self._seconds = seconds
        self._patience = patience
        self._lock = threading.Lock()
        self._newest: tuple[float, Answer] | None = None

    def read(self) -> Answer:
        """The answer; raises what `find` does, and `TimeoutError` where somebody else waits for that yet."""
        if not self._lock.acquire(timeout=self._patience):
            raise TimeoutError
        try:
            if self._newest is None or time.monotonic() - self._newest[0] > self._seconds:
                answer = self._find()
                self._newest = time.monotonic(), answer  # of now: what took long to find out is kept as long
            return self._newest[1]
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Find out anew at the next question."""
        with self._lock:
            self._newest = None
