"""A real receiver of webhooks on a port of this machine: it keeps what it gets and behaves as told."""

import asyncio
import contextlib
import datetime
import gzip
import ssl
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
TLS_HELLO = b"\x16"  # how a handshake begins (RFC 8446, 5.1)
LINES = b"\r\n\r\n"


@dataclass(frozen=True)
class Call:
    """One request; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


Behaviour = Callable[[Call, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """A plain answer; `retry_after="7"` becomes the header `retry-after`."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join(lines).encode() + LINES + body

    async def behave(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(whole)

    return behave


def gzip_bomb() -> Behaviour:
    """A few kB that would unpack to 10 MB."""
    return answer(200, gzip.compress(bytes(10_000_000)), content_encoding="gzip")


async def echo(call: Call, writer: asyncio.StreamWriter) -> None:
    """What was sent comes back."""
    await answer(200, call.body)(call, writer)


async def hang(call: Call, writer: asyncio.StreamWriter) -> None:
    """No answer at all."""
    await asyncio.sleep(3600)


async def drip(call: Call, writer: asyncio.StreamWriter) -> None:
    """An answer of one byte each 100 ms, that never comes to its end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000" + LINES)
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.1)


async def flood(call: Call, writer: asyncio.StreamWriter) -> None:
    """A body of 1 GB, as fast as it is read."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000" + LINES)
    for _ in range(1000):
        writer.write(b"x" * 1_000_000)
        await writer.drain()


async def reset(call: Call, writer: asyncio.StreamWriter) -> None:
    """The connection breaks off before an answer."""
    writer.transport.abort()


def self_signed() -> ssl.SSLContext:
    """TLS with a certificate that nobody vouches for."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + certificate.public_bytes(PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


class Receiver:
    """Listens on 127.0.0.1 in a thread of its own, over TLS if told. By default every path answers 204."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.calls: list[Call] = []
        self.most_at_once: dict[str, int] = defaultdict(int)
        self._at_once: dict[str, int] = defaultdict(int)
        self._behaviours: dict[str, Iterator[Behaviour]] = {}
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()  # an event loop holds its tasks but weakly
        self._loop = asyncio.new_event_loop()
        self._port: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port.result(60)}"

    def on(self, path: str, *behaviours: Behaviour) -> str:
        """Behave like this, one call after the other, at last always like the last; tells the URL of `path`."""
        self._behaviours[path] = _then_for_ever(behaviours)
        return self.url + path

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def wait_for(self, count: int, path: str | None = None, seconds: float = 60) -> list[Call]:
        """The calls, of `path` or all, once there are `count`, or those there are when the time is over."""
        deadline = time.monotonic() + seconds
        while len(calls := self.calls if path is None else self.at(path)) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return list(calls)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1000, ssl=self._tls)
        )
        self._port.set_result(server.sockets[0].getsockname()[1])
        self._loop.run_forever()
        self._loop.run_until_complete(self._end(server))
        self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        """Break all connections off.

        One that was accepted just now begins first: a closed server would drop it with its socket open.
        """
        for listening in server.sockets:
            self._loop.remove_reader(listening)
        await _a_few_turns()
        server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for writer in self._open:
            writer.transport.abort()
        await _a_few_turns()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        task = self._loop.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                first = await reader.readexactly(1)
                if first == TLS_HELLO:  # a server of plain HTTP says so, in plain HTTP
                    writer.write(b"HTTP/1.1 400 Bad Request" + LINES)
                    await writer.drain()
                    break
                call = await _read(first, reader)
                self.calls.append(call)
                await self._behave(call, writer)
                await writer.drain()
        writer.transport.abort()
        self._open.discard(writer)

    async def _behave(self, call: Call, writer: asyncio.StreamWriter) -> None:
        self._at_once[call.path] += 1
        self.most_at_once[call.path] = max(self.most_at_once[call.path], self._at_once[call.path])
        try:
            behaviours = self._behaviours.get(call.path)
            await (next(behaviours) if behaviours else NO_CONTENT)(call, writer)
        finally:
            self._at_once[call.path] -= 1


NO_CONTENT = answer(204)


async def _a_few_turns() -> None:
    """From an accepted connection to its first read, and from its breaking off to its closed socket, are 3 each."""
    for _ in range(10):
        await asyncio.sleep(0)


def after(seconds: float, behaviour: Behaviour) -> Behaviour:
    """The same, later."""

    async def behave(call: Call, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await behaviour(call, writer)

    return behave


def _then_for_ever(behaviours: tuple[Behaviour, ...]) -> Iterator[Behaviour]:
    yield from behaviours
    while True:
        yield behaviours[-1]


async def _read(first: bytes, reader: asyncio.StreamReader) -> Call:
    head = (first + await reader.readuntil(LINES)).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(head[0].split(" ")[1], headers, body, time.monotonic())
