"""The worker: sequences, claims, delivers and acknowledges, in loops beside each other, until it is told to stop.

It does the Datahub's jobs, too, in a loop and a thread of their own, so that deliveries never wait for them.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable

from django.conf import settings

from authpages.services import retention as account_retention
from authpages.services.auth_requests import resolve_due
from events.database_threads import AWAY, DatabaseThreads
from events.dispatch import Dispatch
from events.handlers import sync_handlers
from events.housekeeping import keep_house
from events.jobs import Jobs
from events.services import leases, retention
from events.services.arranging import arrange_some
from events.services.pulse import Pulse
from events.services.replaying import advance_replays
from events.services.sequencing import sequence_events
from events.trial_calls import TrialCalls
from events.waiting import BACK_OFF_SECONDS, first_of, until_it_works
from events.wakeups import Hint, seconds_between_looks, watch

log = logging.getLogger("fastgen.worker")

REST_SECONDS = 0.1  # between two looks for what is new, so that what comes meanwhile is done in one go
LOOK_FOR_DUE_SECONDS = 0.5
LOOK_FOR_JOBS_SECONDS = 0.1  # somebody waits for an import to begin
PAUSE_SECONDS = 0.002  # between two portions of a job, in which others may write
HOUSEKEEPING_SECONDS = 60
BREATH_SECONDS = 0.05  # between two bites of what has had its time, in which others write


class EventsWorker:
    """One process's share of the work; any number of them run beside each other.

    Every loop looks for work by itself from time to time; hints only make it look sooner.
    """

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._new_requests, self._new_events, self._new_deliveries = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._database = DatabaseThreads(settings.WORKER_DATABASE_THREADS)
        self._jobs = Jobs()
        self._pulse = Pulse()
        self._dispatch = Dispatch(self._database, self._pulse, self._stopping, self._new_deliveries)
        self._trials = TrialCalls(self._database)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT; then finish what is in flight, for 8 s at most, and let go of the rest."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        with contextlib.suppress(*AWAY):
            await until_it_works(self._start, self._stopping)
            await self._work()
        await self._trials.close()
        await self._dispatch.close()
        await self._database.close()
        await self._jobs.close()

    def stop(self) -> None:
        """Claim nothing more, and let `run` come to its end."""
        self._stopping.set()
        for event in (self._new_requests, self._new_events, self._new_deliveries):
            event.set()

    async def _work(self) -> None:
        helpers = [
            asyncio.create_task(watch(self._on_hint)),
            asyncio.create_task(self._dispatch.acknowledge_for_ever()),
        ]
        await asyncio.gather(
            self._repeat(self._beat, leases.HEARTBEAT_SECONDS),
            self._repeat(self._resolve, seconds_between_looks(), self._new_requests, rest=REST_SECONDS),
            self._repeat(self._sequence, seconds_between_looks(), self._new_events, rest=REST_SECONDS),
            self._repeat(self._claim, LOOK_FOR_DUE_SECONDS, self._new_deliveries),
            self._repeat(self._make_trials, LOOK_FOR_DUE_SECONDS),
            self._repeat(self._replay, LOOK_FOR_DUE_SECONDS, rest=REST_SECONDS),
            self._repeat(self._arrange, LOOK_FOR_DUE_SECONDS, rest=BREATH_SECONDS),
            self._repeat(self._do_jobs, LOOK_FOR_JOBS_SECONDS, rest=PAUSE_SECONDS),
            self._repeat(self._keep_house, HOUSEKEEPING_SECONDS),
            self._repeat(self._forget, HOUSEKEEPING_SECONDS, rest=BREATH_SECONDS),
        )
        await self._dispatch.finish()
        for helper in helpers:
            helper.cancel()

    def _on_hint(self, hint: Hint) -> None:
        if hint is Hint.SEQUENCED:
            self._new_deliveries.set()
        else:
            self._new_requests.set()
            self._new_events.set()

    # The loops: each step tells whether it wants to go on at once --------------------------------------------------

    async def _repeat(
        self, step: Callable[[], Awaitable[bool]], pause: float, hint: asyncio.Event | None = None, rest: float = 0
    ) -> None:
        """Take the step every `pause` seconds, and at a hint; but `rest` seconds after the one before at the earliest.

        At rest, the first hint is followed at once.
        """
        while not self._stopping.is_set():
            try:
                again = await step()
            except AWAY:
                await first_of(self._stopping, BACK_OFF_SECONDS)
                continue
            except Exception:
                log.exception("The worker's step %s failed; it is tried again.", step.__name__)
                await first_of(self._stopping, BACK_OFF_SECONDS)
                continue
            await first_of(self._stopping, rest)
            if not again:
                await first_of(hint or self._stopping, max(0, pause - rest))
                if hint:
                    hint.clear()

    async def _start(self) -> None:
        await self._database.run(sync_handlers)
        await self._register()

    async def _register(self) -> None:
        at = self._pulse.now()
        self._pulse.felt(await self._database.run(leases.register_worker), at)

    async def _beat(self) -> bool:
        at = self._pulse.now()
        if await self._database.run(leases.beat, self._pulse.worker):
            self._pulse.felt(self._pulse.worker, at)
        else:
            log.warning("This worker was taken for dead after a pause; it goes on under a new id.")
            await self._register()
        if await self._database.run(leases.reap_dead_workers):
            self._new_deliveries.set()
        return False

    async def _resolve(self) -> bool:
        resolved = await self._database.run(resolve_due, 100)
        if resolved:
            self._new_events.set()
        return resolved > 0

    async def _sequence(self) -> bool:
        sequenced = await self._database.run(sequence_events)
        if sequenced:
            self._new_deliveries.set()
        return sequenced > 0

    async def _claim(self) -> bool:
        await self._dispatch.claim()
        return False

    async def _replay(self) -> bool:
        promised = await self._database.run(advance_replays)
        if promised:
            self._new_deliveries.set()
        return promised

    async def _arrange(self) -> bool:
        return await self._database.run(arrange_some)

    async def _make_trials(self) -> bool:
        return await self._trials.look(self._pulse.worker)

    async def _keep_house(self) -> bool:
        await self._database.run(keep_house)
        return False

    async def _forget(self) -> bool:
        """A bite of what has had its time."""
        events_left = await self._database.run(retention.forget_some)
        return await self._database.run(account_retention.forget_some) or events_left

    async def _do_jobs(self) -> bool:
        return await self._jobs.step(self._pulse.worker)
