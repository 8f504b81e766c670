"""Writers of a SQLite file take turns, over all threads and processes.

SQLite has one writer at a time, and those that wait look again after 1 ms, 2, 5 and up to 100: most of the time nobody
writes, and who came last is often served first. A turn is a courtesy among our own; SQLite's own lock stays what keeps
writers apart, whoever they are.
"""

import fcntl
import os
import threading
import time
from dataclasses import dataclass, field

LOOK_AGAIN_SECONDS = (0.0, 0.00005, 0.0001, 0.0002)  # the last one from then on; a short transaction takes 0.5 ms
LOCK_FILE_MODE = 0o600


class Turns:
    """The turns to write to one file. Between processes by two locks on files beside it (flock, which ends with them).

    Who has the lock `next` is the next to write; whoever has just written queues up behind.
    """

    def __init__(self, path: str) -> None:
        self._mine = threading.Lock()  # at most one thread of a process waits for the others
        self._next, self._now = _FileLock(f"{path}-next"), _FileLock(f"{path}-now")

    def take(self, seconds: float) -> bool:
        """Wait for a turn at most so long; whether there was one, which is then to be given back."""
        deadline = time.monotonic() + seconds
        if not self._mine.acquire(timeout=seconds):
            return False
        has_turn = False
        try:
            has_turn = self._take_among_processes(deadline)
        finally:
            if not has_turn:
                self._mine.release()
        return has_turn

    def give_back(self) -> None:
        """Let the next one write."""
        self._now.release()
        self._mine.release()

    def _take_among_processes(self, deadline: float) -> bool:
        if not self._next.acquire(deadline):
            return False
        try:
            return self._now.acquire(deadline)
        finally:
            self._next.release()


@dataclass
class _FileLock:
    """A lock that one process has, by flock on a file."""

    path: str
    _handle: int = -1
    _of_process: int = field(default=0)

    def acquire(self, deadline: float) -> bool:
        """Whether it was got before the deadline."""
        handle, looks = self._open(), 0
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(LOOK_AGAIN_SECONDS[min(looks, len(LOOK_AGAIN_SECONDS) - 1)])
                looks += 1
            else:
                return True

    def release(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def _open(self) -> int:
        """The file, opened by this process: one that was forked shares the locks of what it inherits."""
        if self._of_process != os.getpid():
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_FILE_MODE)
            self._of_process = os.getpid()
        return self._handle


_turns: dict[str, Turns] = {}
_turns_lock = threading.Lock()


def turns_of(path: str) -> Turns:
    """The turns to write to the file at `path`, the same for all threads."""
    with _turns_lock:
        return _turns.setdefault(path, Turns(path))
