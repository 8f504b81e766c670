"""Talks with a server where each request needs the answer to the one before: closed loops on plain sockets."""

import select
import socket
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from tests.bench.load import HEAD_END, Line

PATIENCE_SECONDS = 15
STEP_SECONDS = 0.025

Talk = Generator[bytes, bytes, None]


@dataclass
class Speaker(Line):
    """A connection over which talks go on, one after the other."""

    begin: Callable[[], Talk] = field(kw_only=True)
    talk: Talk = field(init=False)

    def start(self) -> None:
        """Begin a talk."""
        self.talk = self.begin()
        self.socket.sendall(next(self.talk))

    def go_on(self) -> bool:
        """Say what comes next; whether the talk was over, and another one has begun."""
        answer = bytes(self.answer)
        self.answer.clear()
        try:
            self.socket.sendall(self.talk.send(answer))
        except StopIteration:
            self.start()
            return True
        return False


def talks_per_second(port: int, talks: Sequence[Callable[[], Talk]], seconds: float) -> float:
    """How many talks come to their end each second, with as many at once as there are `talks`."""
    poll, lines = select.epoll(), {}
    for begin in talks:
        line = Speaker(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS), begin=begin)
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(line.socket, select.EPOLLIN)
        lines[line.socket.fileno()] = line
        line.start()
    start, done = time.perf_counter(), 0
    while (now := time.perf_counter()) - start < seconds:
        for handle, _ in poll.poll(STEP_SECONDS):
            done += _hear(lines[handle])
    for line in lines.values():
        line.socket.close()
    poll.close()
    return done / (now - start)


def _hear(line: Speaker) -> bool:
    piece = line.socket.recv(65_536)
    if not piece:
        raise RuntimeError("The server closed the connection.")
    line.answer += piece
    return line.is_complete() and line.go_on()


def status_of(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer[9:12])


def header_of(answer: bytes, name: str) -> str:
    """The value of a header; raises `KeyError` where it has none."""
    for each in answer.partition(HEAD_END)[0].split(b"\r\n")[1:]:
        found, _colon, value = each.partition(b":")
        if found.decode().lower() == name.lower():
            return value.strip().decode()
    raise KeyError(name)


def body_of(answer: bytes) -> bytes:
    """The body of an answer, of known length or in chunks."""
    head, _end, body = answer.partition(HEAD_END)
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    whole = b""
    while body:
        size, _end, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2 :] if length else b""
    return whole
