"""Delivers what was claimed: a webhook is called over HTTP, a handler in a thread of its own share."""

import asyncio
import logging

import aiohttp
from django.utils import timezone

from events.database_threads import DatabaseThreads
from events.handlers import registered
from events.services.calling import call_handler
from events.services.claims import Claim
from events.services.outcomes import Outcome, unforeseen
from events.services.pulse import Pulse
from events.services.sending import LeaseLapsed, open_session, send

log = logging.getLogger("fastgen.worker")


class Courier:
    """Delivers claims side by side, with no transaction of the worker's own open meanwhile.

    Each handler has threads of its own, so that a slow one keeps nobody else waiting (G7).
    """

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._session: aiohttp.ClientSession = open_session()
        self._threads = {
            path: DatabaseThreads(registration.max_concurrency) for path, registration in registered.items()
        }

    async def deliver(self, claim: Claim) -> Outcome | None:
        """Make one try, at its moment; None where it is acknowledged already or may be no longer ours. Never raises."""
        try:
            if claim.begin_at:
                await asyncio.sleep((claim.begin_at - timezone.now()).total_seconds())
            if claim.target:
                return await send(self._session, claim, claim.target, self._pulse.vouches_for)
            return await self._threads[claim.handler].run(call_handler, claim)
        except LeaseLapsed:
            return None
        except Exception as problem:
            log.exception("Delivery %s failed in an unforeseen way.", claim.id)
            return unforeseen(claim, problem)

    async def close(self) -> None:
        """Close connections; handlers that still run are not waited for."""
        await self._session.close()
        await asyncio.gather(*(threads.close() for threads in self._threads.values()))
