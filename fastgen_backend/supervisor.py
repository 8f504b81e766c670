"""Keeps child processes running: starts them, restarts one that dies, stops them all."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from fastgen_backend.lifeline import lead_children

LOOK_SECONDS = 0.1
STOP_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 30.0  # who ran this long before it died is restarted after the first, short pause again


@dataclass
class Child:
    """One process to keep running; `name` is what people are told about it."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    pause: float = 0.0
    started_at: float = 0.0
    due_at: float = field(default_factory=time.monotonic)

    def tend(self) -> None:
        """Start the process when that is due; when it has died, say so and set when to start it again."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due_at:
                self._start(now)
        elif (status := self.process.poll()) is not None:
            self._plan_restart(now, status)

    def signal(self, number: signal.Signals) -> None:
        """Pass a signal on to the process, if it runs."""
        if self.process is not None:
            self.process.send_signal(number)

    def _start(self, now: float) -> None:
        # No new session or group: a signal to the group of `up` has to reach its children too. SIGINT alone is kept
        # from them, by a mask they inherit: we pass it on as SIGTERM, and who just starts would print a stack trace.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self.started_at = now

    def _plan_restart(self, now: float, status: int) -> None:
        steady = now - self.started_at >= STEADY_SECONDS
        self.pause = FIRST_PAUSE_SECONDS if steady else _longer(self.pause)
        self.process, self.due_at = None, now + self.pause
        print(f"The {self.name} {_ending(status)}; it starts again in {self.pause:g} s.", file=sys.stderr, flush=True)


class Supervisor:
    """Runs children until SIGTERM or SIGINT."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = children
        self.stopping = False

    def run(self) -> None:
        """Keep the children running; after a signal, stop them all and return. Call it in the main thread."""
        lead_children()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            while not self.stopping:
                self._tend()
                time.sleep(LOOK_SECONDS)
        finally:
            self._stop()

    def _tend(self) -> None:
        for child in self.children:
            if not self.stopping:
                child.tend()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _stop(self) -> None:
        """SIGTERM to all, time to finish, SIGKILL to who is left."""
        self.stopping = True
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.signal(signal.SIGTERM)
        for child in self.children:
            _end(child, max(0.0, deadline - time.monotonic()))


def _end(child: Child, seconds: float) -> None:
    if child.process is None:
        return
    try:
        child.process.wait(seconds)
    except subprocess.TimeoutExpired:
        child.signal(signal.SIGKILL)
        child.process.wait()


def _longer(pause: float) -> float:
    return min(max(pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}" if -status in set(signal.Signals) else "was ended"
