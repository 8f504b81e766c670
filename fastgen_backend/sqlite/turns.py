"""Writers of a SQLite file take turns, over all threads and processes.

SQLite has one writer at a time, and those that wait look again after 1 ms, 2, 5 and up to 100: most of the time nobody
writes, and who came last is often served first. A turn is a courtesy among our own; SQLite's own lock stays what keeps
writers apart, whoever they are.
"""

import fcntl
import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

log = logging.getLogger("fastgen.errors")
LOOK_AGAIN_SECONDS = (0.0, 0.00005, 0.0001, 0.0002)  # the last one from then on; a short transaction takes 0.5 ms


class Turns:
    """The turns to write to one file. Between processes by two locks on files beside it (flock, which ends with them).

    Who has the lock `next` is the next to write; whoever has just written queues up behind.
    """

    def __init__(self, path: str) -> None:
        self._mine = threading.Lock()  # at most one thread of a process waits for the others
        self._next, self._now = _FileLock(f"{path}-next", path), _FileLock(f"{path}-now", path)

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
        try:
            self._now.release()
        finally:
            self._mine.release()

    def _take_among_processes(self, deadline: float) -> bool:
        try:
            if not self._next.acquire(deadline):
                return False
            try:
                return self._now.acquire(deadline)
            finally:
                self._next.release()
        except OSError as error:  # a file of somebody else, or a file system without locks
            _warn_once(str(error))
            return False


@dataclass
class _FileLock:
    """A lock that one process has, by flock on a file; it is whose the database file is, and as open to others."""

    path: str
    beside: str
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
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._of_process = os.getpid()
            with suppress(OSError):  # it was there, and is somebody else's
                there = os.stat(self.beside)
                os.fchmod(self._handle, there.st_mode & 0o666)
                os.fchown(self._handle, there.st_uid, there.st_gid)
        return self._handle


@lru_cache(maxsize=10)
def _warn_once(reason: str) -> None:
    log.warning("Writers of SQLite can’t take turns, and wait for its own lock: %s", reason)


class _Known:
    """The turns of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_path: dict[str, Turns] = {}


_known = _Known()
os.register_at_fork(after_in_child=_known.__init__)  # type: ignore[misc]  # a child has no thread that holds any


def turns_of(path: str) -> Turns:
    """The turns to write to the file at `path`, the same for all threads."""
    with _known.lock:
        return _known.by_path.setdefault(path, Turns(path))
