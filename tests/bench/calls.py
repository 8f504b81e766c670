"""Unsigned calls without a database: `python -m tests.bench.calls URL COUNT AT_ONCE` prints how many a second."""

import asyncio
import sys
import time
from collections.abc import Iterator

import aiohttp

BODY = b'{"id": "' + b"x" * 400 + b'"}'


async def calls_per_second(url: str, count: int, at_once: int) -> float:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        todo = iter(range(count))
        start = time.perf_counter()
        await asyncio.gather(*(_call(session, url, todo) for _ in range(at_once)))
        return count / (time.perf_counter() - start)


async def _call(session: aiohttp.ClientSession, url: str, todo: Iterator[int]) -> None:
    for _ in todo:
        async with session.post(url, data=BODY) as response:
            await response.read()


if __name__ == "__main__":
    print(asyncio.run(calls_per_second(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
