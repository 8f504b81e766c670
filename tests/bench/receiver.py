"""A receiver of webhooks that costs next to nothing: `python -m tests.bench.receiver` prints the port it took.

Every POST is counted and answered 204; GET tells `{"count", "first"}`, the time of the first by `time.monotonic`.
"""

import asyncio
import json
import time

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


class Counter:
    """What all connections together received since it was last asked for."""

    count = 0
    first = 0.0

    def note(self) -> None:
        if not self.count:
            self.first = time.monotonic()
        self.count += 1

    def tell(self) -> bytes:
        body = json.dumps({"count": self.count, "first": self.first}).encode()
        self.count = 0
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Line(asyncio.Protocol):
    """One connection of a caller."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            whole = end + len(HEAD_END) + _length(self._buffer[:end].lower())
            if len(self._buffer) < whole:
                return
            self._answer(asked=self._buffer.startswith(b"GET"))
            self._buffer = self._buffer[whole:]

    def _answer(self, *, asked: bool) -> None:
        if asked:
            self._transport.write(self._counter.tell())
        else:
            self._counter.note()
            self._transport.write(DONE)


def _length(head: bytes) -> int:
    _, found, rest = head.partition(LENGTH)
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def main() -> None:
    counter = Counter()
    server = await asyncio.get_running_loop().create_server(lambda: Line(counter), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
