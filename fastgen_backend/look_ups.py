"""Looks up host names in threads of their own, so that one that hangs keeps nobody waiting.

A look-up can't be stopped, and where a name server is silent it takes half a minute. asyncio has a few threads for all
of them, and joins those at its end.
"""

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

AT_ONCE = 256  # of one session, which looks up each name once at a time, however many calls want it


class Resolver(AbstractResolver):
    """As aiohttp's own, but neither other look-ups nor the end of the process wait for one that hangs."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host; raises what `socket.getaddrinfo` does."""
        async with self._places:
            found = await _in_thread(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _kind, protocol, _name, address in found
        ]

    async def close(self) -> None:
        """Leave behind what is under way."""


async def _in_thread(*asked: Any) -> list[tuple[Any, ...]]:
    answer: Future[list[tuple[Any, ...]]] = Future()
    answer.set_running_or_notify_cancel()  # from now on who waits may leave, and the answer is put here all the same
    threading.Thread(target=_look_up, args=[answer, *asked], name="look-up", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _look_up(answer: "Future[list[tuple[Any, ...]]]", *asked: Any) -> None:
    try:
        answer.set_result(socket.getaddrinfo(*asked))
    except Exception as error:
        answer.set_exception(error)
