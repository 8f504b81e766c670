"""Answers that are kept for a moment, so that whoever asks often costs nothing."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """What `find` answers, at most `seconds` old; whoever asks while it is found out waits for it."""

    def __init__(self, find: Callable[[], Answer], *, seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._lock = threading.Lock()
        self._newest: tuple[float, Answer] | None = None

    def read(self) -> Answer:
        with self._lock:
            if self._newest is None or time.monotonic() - self._newest[0] > self._seconds:
                answer = self._find()
                self._newest = time.monotonic(), answer  # of now: what took long to find out is kept as long
            return self._newest[1]

    def forget(self) -> None:
        """Find out anew at the next question."""
        with self._lock:
            self._newest = None
