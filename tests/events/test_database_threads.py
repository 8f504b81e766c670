"""The worker's connections on PostgreSQL: one that was cut, or whose plans are outdated, fails nothing for long."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import NotSupportedError, connection

from events.database_threads import DatabaseThreads
from events.handlers import Registration, registered
from events.services.calling import call_handler
from events.services.claims import Claim

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is a file: it cuts nothing and keeps no plan"),
]
READ = "SELECT name FROM plans"


@pytest.fixture
def table() -> Iterator[None]:
    """One with a column whose type can be changed."""
    _execute("CREATE TABLE plans (name varchar(5))")
    yield
    _execute("DROP TABLE plans")


def _execute(statement: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _backend() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def _in_one_thread(steps: Callable[[DatabaseThreads], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        threads = DatabaseThreads(1)
        try:
            return await steps(threads)
        finally:
            await threads.close()

    return asyncio.run(run())


def _claim(handler: str) -> Claim:
    return Claim(uuid4(), uuid4(), 1, 0, uuid4(), 1, 1, "evt_1", "custom.a", b"{}", (), None, handler)


def test_a_handler_whose_connection_was_cut_is_told_the_next_event(no_handlers: Any) -> None:
    registered["reads"] = Registration("reads", lambda _event: _execute("SELECT 1"), ("*",), atomic=False)

    async def steps(threads: DatabaseThreads) -> list[Any]:
        first = await threads.run(call_handler, _claim("reads"))
        await asyncio.to_thread(_cut, await threads.run(_backend))
        return [first, await threads.run(call_handler, _claim("reads"))]

    assert [(outcome.delivered, outcome.error) for outcome in _in_one_thread(steps)] == [(True, "")] * 2


def _cut(backend: int) -> None:
    _execute("SELECT pg_terminate_backend(%s, 30000)", backend)  # ms to wait for its end
    connection.close()


def test_a_change_of_a_columns_type_fails_a_statement_once_at_most(table: None) -> None:
    async def steps(threads: DatabaseThreads) -> int:
        for _ in range(10):
            await threads.run(_execute, READ)
        await asyncio.to_thread(_alter)
        failed = 0
        for _ in range(3):
            try:
                await threads.run(_execute, READ)
            except NotSupportedError:
                failed += 1
        return failed

    assert _in_one_thread(steps) == 1


def _alter() -> None:
    _execute("ALTER TABLE plans ALTER COLUMN name TYPE varchar(6)")
    connection.close()
