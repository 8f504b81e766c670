"""Calls a server over and over: a closed loop on plain sockets, so cheap that it is the server that gets measured."""

import re
import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
BUSY = (429, 503)
PAUSE_SECONDS = 0.1  # of a connection that was turned away
PATIENCE_SECONDS = 15


@dataclass
class Line:
    """One connection; `answer` is what has come of the answer it waits for."""

    socket: socket.socket
    answer: bytearray = field(default_factory=bytearray)

    def is_complete(self) -> bool:
        end = self.answer.find(HEAD_END)
        if end < 0:
            return False
        if found := LENGTH.search(self.answer, 0, end):
            return len(self.answer) >= end + len(HEAD_END) + int(found[1])
        return self.answer.endswith(LAST_CHUNK)


@dataclass(frozen=True)
class Answered:
    """How many good answers came each second, and how many requests were turned away as too many."""

    per_second: float
    turned_away: int


def http_request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request, ready to be sent to this machine."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json"] if body else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + HEAD_END + body


class Load:
    """Keeps `lines` requests waiting at a port. With `fresh`, each goes over a connection of its own."""

    def __init__(self, port: int, requests: Iterator[bytes], *, lines: int, fresh: bool = False) -> None:
        self._port, self._requests, self._fresh = port, requests, fresh
        self._poll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._paused: deque[tuple[float, Line]] = deque()
        self._good = self._turned_away = 0
        for _ in range(lines):
            self._send(self._connect())

    def run(self, seconds: float) -> Answered:
        """Count for this long; then wait for what is under way, so that the next to be measured has the machine."""
        start = time.perf_counter()
        while (now := time.perf_counter()) - start < seconds:
            self._resume(now)
            for line in self._answers():
                self._count(line, now)
        counted = Answered(self._good / (now - start), self._turned_away)
        self._finish()
        return counted

    def _count(self, line: Line, now: float) -> None:
        status = int(line.answer[9:12])
        line = self._reconnect(line) if self._fresh else line
        if status in BUSY:
            self._turned_away += 1
            self._paused.append((now + PAUSE_SECONDS, line))
        elif 200 <= status < 300:
            self._good += 1
            self._send(line)
        else:
            raise RuntimeError(f"The server answered {status}.")

    def _resume(self, now: float) -> None:
        while self._paused and self._paused[0][0] <= now:
            self._send(self._paused.popleft()[1])

    def _finish(self) -> None:
        waiting = len(self._lines) - len(self._paused)
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while waiting > 0 and time.perf_counter() < deadline:
            for line in self._answers():
                self._poll.unregister(line.socket)
                waiting -= 1
        for line in self._lines.values():
            line.socket.close()
        self._poll.close()

    def _answers(self) -> Iterator[Line]:
        for handle, _ in self._poll.poll(PAUSE_SECONDS / 4):
            line = self._lines[handle]
            piece = line.socket.recv(65_536)
            if not piece:
                raise RuntimeError("The server closed the connection.")
            line.answer += piece
            if line.is_complete():
                yield line

    def _send(self, line: Line) -> None:
        line.answer.clear()
        line.socket.send(next(self._requests))

    def _connect(self) -> Line:
        line = Line(socket.create_connection(("127.0.0.1", self._port), PATIENCE_SECONDS))
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll.register(line.socket, select.EPOLLIN)
        self._lines[line.socket.fileno()] = line
        return line

    def _reconnect(self, line: Line) -> Line:
        self._poll.unregister(line.socket)
        del self._lines[line.socket.fileno()]
        line.socket.close()
        return self._connect()
