"""The worker's trial calls: made beside its deliveries, in a session of their own."""

import asyncio
import contextlib
import logging
from uuid import UUID

from events.database_threads import AWAY, DatabaseThreads
from events.services.claims import Claim
from events.services.outcomes import Outcome, unforeseen
from events.services.sending import open_session, send
from events.services.trials import claim_trials, finish_trial

log = logging.getLogger("fastgen.worker")

AT_ONCE = 20
PAUSE_SECONDS = 1


class TrialCalls:
    """Those that this worker has in hand. One that is not finished when the worker ends is made by another."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._session = open_session()
        self._calls: set[asyncio.Task[None]] = set()

    async def look(self, worker: UUID) -> bool:
        """Begin those that somebody asked for; never tells that there are more to do at once."""
        for claim in await self._database.run(claim_trials, worker, AT_ONCE - len(self._calls)):
            call = asyncio.create_task(self._make(claim))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        return False

    async def close(self) -> None:
        """Leave what is under way, and close the connections."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._session.close()

    async def _make(self, claim: Claim) -> None:
        if claim.target is None:
            return
        try:
            outcome = await send(self._session, claim, claim.target)
        except Exception as problem:
            log.exception("The test %s failed in an unforeseen way.", claim.id)
            outcome = unforeseen(claim, problem)
        while not await self._is_written(outcome):
            await asyncio.sleep(PAUSE_SECONDS)

    async def _is_written(self, outcome: Outcome) -> bool:
        with contextlib.suppress(*AWAY):
            await self._database.run(finish_trial, outcome)
            return True
        return False
