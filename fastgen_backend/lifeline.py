"""Ends a process whose parent is gone, so that a `kill -9` of one process never leaves others serving behind it."""

import os
import signal
import threading
import time

PARENT = "FASTGEN_PARENT_PID"
LOOK_SECONDS = 0.25
GRACE_SECONDS = 1.0


def lead_children() -> None:
    """Name this process, in the environment its children inherit, as the parent they live and die with."""
    os.environ[PARENT] = str(os.getpid())


def end_with_parent() -> None:
    """Watch the parent named in the environment, if one is, and end this process within 2 seconds of its death.

    The end begins with SIGTERM, so that work in hand can finish, and is certain after `GRACE_SECONDS`.
    """
    parent = os.environ.get(PARENT)
    if parent:
        threading.Thread(target=_watch, args=(int(parent),), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    """Look who the parent is rather than wait to be told: this also notices one that died before the first look."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
