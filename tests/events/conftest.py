"""A worker in this process, a receiver on a port, and things that happen."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from events.handlers import Registration, registered
from events.models import Event, Webhook
from events.services import circuit
from events.services.recording import record_custom_event
from events.services.webhooks import create_webhook
from events.worker import EventsWorker
from fastgen_backend.origin import COMMAND_LINE
from tests.receivers import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(autouse=True)
def no_handlers() -> Iterator[dict[str, Registration]]:
    """Only the handlers that a test registers itself; tells those that there were."""
    kept = dict(registered)
    registered.clear()
    yield kept
    registered.clear()
    registered.update(kept)


@pytest.fixture(autouse=True)
def quick_retries(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a circuit that opens meanwhile, which has tests of its own."""
    monkeypatch.setattr(circuit, "FAILURES_TO_OPEN", 1000)
    settings.WEBHOOK_RETRY_SECONDS = [0, 0]
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True


@pytest.fixture
def no_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that end in `.invalid` (RFC 6761) are unknown at once, whatever this machine’s network says."""
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


@pytest.fixture
def subscribe(receiver: Receiver) -> Callable[..., Webhook]:
    """Makes a webhook that calls a path of the receiver."""

    def make(path: str = "/hook", *filters: str, secrets: bool = False, **more: Any) -> Webhook:
        return create_webhook(
            url=receiver.url + path,
            filters=list(filters) or ["*"],
            origin=COMMAND_LINE,
            may_see_secrets=secrets,
            **more,
        ).webhook

    return make


def happen_to(subject: str, /, **data: Any) -> Event:
    """Something happens to somebody, or something."""
    event = happen(**data)
    Event.objects.filter(pk=event.pk).update(subject=subject)
    return event


def happen(name: str = "custom.order_placed", **data: Any) -> Event:
    """Something happens, and is committed."""
    return record_custom_event(type=name, data=data, origin=COMMAND_LINE)


def work_until(condition: Callable[[], object], seconds: float = 120) -> bool:
    """Run a worker until the condition is true; tells whether that came in time. The worker ends as by SIGTERM."""

    async def work() -> bool:
        worker = EventsWorker()
        running = asyncio.create_task(worker.run())
        deadline = time.monotonic() + seconds
        while not (met := await asyncio.to_thread(_look, condition)) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        worker.stop()
        await running
        return bool(met)

    return asyncio.run(work())


def _look(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    finally:
        connection.close()
