"""The worker: sequences, claims, delivers and acknowledges, in loops beside each other, until it is told to stop.

It does the Datahub's jobs, too, in a loop and a thread of their own, so that deliveries never wait for them.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from uuid import UUID

from django.conf import settings

from authpages.services import retention as account_retention
from authpages.services.auth_requests import resolve_due
from events.database_threads import AWAY, DatabaseThreads
from events.handlers import registered, sync_handlers
from events.housekeeping import keep_house
from events.jobs import Jobs
from events.services import leases, retention
from events.services.acknowledgement import acknowledge
from events.services.claims import Claim, claim_deliveries
from events.services.delivery import Courier
from events.services.outcomes import Outcome
from events.services.pulse import Pulse
from events.services.replaying import advance_replays
from events.services.sequencing import sequence_events
from events.trial_calls import TrialCalls
from events.wakeups import Hint, seconds_between_looks, watch

log = logging.getLogger("fastgen.worker")

REST_SECONDS = 0.1  # between two looks for what is new, so that what comes meanwhile is done in one go
LOOK_FOR_DUE_SECONDS = 0.5
LOOK_FOR_JOBS_SECONDS = 0.1  # somebody waits for an import to begin
PAUSE_SECONDS = 0.002  # between two portions of a job, in which others may write
GROUP_SECONDS = 0.02  # acknowledgements wait this long for company
GROUP_SIZE = 500
HOUSEKEEPING_SECONDS = 60
BREATH_SECONDS = 0.05  # between two bites of what has had its time, in which others write
BACK_OFF_SECONDS = 1
FINISH_SECONDS = 8  # of what is in flight when the worker is told to stop


class EventsWorker:
    """One process's share of the work; any number of them run beside each other.

    Every loop looks for work by itself from time to time; hints only make it look sooner.
    """

    def __init__(self) -> None:
        self.id: UUID
        self._database = DatabaseThreads(settings.WORKER_DATABASE_THREADS)
        self._jobs = Jobs()
        self._pulse = Pulse()
        self._courier = Courier(self._pulse)
        self._trials = TrialCalls(self._database)
        self._stopping = asyncio.Event()
        self._new_requests, self._new_events, self._new_deliveries = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._finished: list[Outcome] = []
        self._has_finished, self._all_finished = asyncio.Event(), asyncio.Event()
        self._in_hand: set[UUID] = set()  # deliveries claimed and not yet acknowledged
        self._is_full = False  # the newest claim left something for want of room
        self._used_up: set[UUID] = set()  # subscribers of which one did for want of places, and that hold these yet
        self._may_stray = False  # leases may be held of which nothing comes: see `_claim`
        self._under_way = 0  # of these, not yet delivered

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT; then finish what is in flight, for 8 s at most, and let go of the rest."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        with contextlib.suppress(*AWAY):
            await self._until_it_works(self._start)
            await self._work()
        await self._trials.close()
        await self._courier.close()
        await self._database.close()
        await self._jobs.close()

    def stop(self) -> None:
        """Claim nothing more, and let `run` come to its end."""
        self._stopping.set()
        for event in (self._new_requests, self._new_events, self._new_deliveries):
            event.set()

    async def _work(self) -> None:
        helpers = [asyncio.create_task(watch(self._on_hint)), asyncio.create_task(self._acknowledge_for_ever())]
        await asyncio.gather(
            self._repeat(self._beat, leases.HEARTBEAT_SECONDS),
            self._repeat(self._resolve, seconds_between_looks(), self._new_requests, rest=REST_SECONDS),
            self._repeat(self._sequence, seconds_between_looks(), self._new_events, rest=REST_SECONDS),
            self._repeat(self._claim, LOOK_FOR_DUE_SECONDS, self._new_deliveries),
            self._repeat(self._make_trials, LOOK_FOR_DUE_SECONDS),
            self._repeat(self._replay, LOOK_FOR_DUE_SECONDS, rest=REST_SECONDS),
            self._repeat(self._do_jobs, LOOK_FOR_JOBS_SECONDS, rest=PAUSE_SECONDS),
            self._repeat(self._keep_house, HOUSEKEEPING_SECONDS),
            self._repeat(self._forget, HOUSEKEEPING_SECONDS, rest=BREATH_SECONDS),
        )
        await self._finish()
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
                await _first_of(self._stopping, BACK_OFF_SECONDS)
                continue
            except Exception:
                log.exception("The worker's step %s failed; it is tried again.", step.__name__)
                await _first_of(self._stopping, BACK_OFF_SECONDS)
                continue
            await _first_of(self._stopping, rest)
            if not again:
                await _first_of(hint or self._stopping, max(0, pause - rest))
                if hint:
                    hint.clear()

    async def _start(self) -> None:
        await self._database.run(sync_handlers)
        await self._register()

    async def _register(self) -> None:
        at = self._pulse.now()
        self.id = await self._database.run(leases.register_worker)
        self._pulse.felt(self.id, at)

    async def _beat(self) -> bool:
        at = self._pulse.now()
        if await self._database.run(leases.beat, self.id):
            self._pulse.felt(self.id, at)
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
        if not self._pulse.is_fresh:
            return False
        if self._may_stray:
            self._may_stray = False
            with self._doubting():
                await self._database.run(leases.release_strays, self.id, frozenset(self._in_hand))
        room = settings.WORKER_SENDS_AT_ONCE - len(self._in_hand)
        self._is_full = room <= 0
        if room > 0:
            with self._doubting():
                claimed = await self._database.run(
                    claim_deliveries, worker=self.id, room=room, handlers=list(registered)
                )
            self._is_full = claimed.is_full
            self._used_up |= claimed.used_up
            for claim in claimed.claims:
                self._send_off(claim)
        return False

    @contextlib.contextmanager
    def _doubting(self) -> Iterator[None]:
        """Whatever goes wrong in here, leases may be held afterwards that nobody knows of."""
        try:
            yield
        except BaseException:
            self._may_stray = True
            raise

    async def _replay(self) -> bool:
        promised = await self._database.run(advance_replays)
        if promised:
            self._new_deliveries.set()
        return promised

    async def _make_trials(self) -> bool:
        return await self._trials.look(self.id)

    async def _keep_house(self) -> bool:
        await self._database.run(keep_house)
        return False

    async def _forget(self) -> bool:
        """A bite of what has had its time."""
        events_left = await self._database.run(retention.forget_some)
        return await self._database.run(account_retention.forget_some) or events_left

    async def _do_jobs(self) -> bool:
        return await self._jobs.step(self.id)

    # Deliveries ----------------------------------------------------------------------------------------------------

    def _send_off(self, claim: Claim) -> None:
        self._in_hand.add(claim.id)
        self._under_way += 1
        self._all_finished.clear()
        task = asyncio.create_task(self._deliver(claim))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, claim: Claim) -> None:
        outcome = await self._courier.deliver(claim)
        self._under_way -= 1
        if outcome:
            self._finished.append(outcome)
            self._has_finished.set()
        else:
            self._may_stray = self._may_stray or claim.target is not None  # it was not sent
            self._let_go([claim])
        if not self._under_way:
            self._all_finished.set()

    async def _acknowledge_for_ever(self) -> None:
        """Write outcomes in groups: whatever finished while the group before was written, and within 20 ms after it."""
        while True:
            await self._has_finished.wait()
            await _first_of(self._all_finished, GROUP_SECONDS)
            group, self._finished = self._finished[:GROUP_SIZE], self._finished[GROUP_SIZE:]
            if not self._finished:
                self._has_finished.clear()
            await self._acknowledge(group)
            self._let_go([outcome.claim for outcome in group])

    async def _acknowledge(self, group: Sequence[Outcome]) -> None:
        """Write one group. An outcome that can't be written holds up no other; its delivery waits for a restart."""
        try:
            await self._until_it_works(lambda: self._database.run(acknowledge, self.id, group))
        except AWAY:
            log.warning("The outcomes of %s deliveries are not written; they are delivered once more.", len(group))
        except Exception:
            if len(group) == 1:
                log.exception("The outcome of delivery %s could not be written.", group[0].claim.id)
                return
            for outcome in group:
                await self._acknowledge([outcome])

    def _let_go(self, claims: Sequence[Claim]) -> None:
        """Hold these no longer; where a claim left others behind for want of what is free now, claim them."""
        self._in_hand.difference_update(claim.id for claim in claims)
        freed = {claim.subscriber_id for claim in claims}
        if self._is_full or freed & self._used_up or any(claim.in_lane for claim in claims):
            self._new_deliveries.set()
        self._used_up -= freed

    async def _finish(self) -> None:
        """Wait for what is in flight and for its acknowledgement, and release the rest."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=FINISH_SECONDS)
        unfinished = len(self._sending)
        for task in self._sending:
            task.cancel()
        while len(self._in_hand) > unfinished:
            await asyncio.sleep(GROUP_SECONDS)
        with contextlib.suppress(*AWAY):  # its leases run out by themselves
            await self._database.run(leases.release_leases, self.id, frozenset(self._in_hand))

    async def _until_it_works(self, work: Callable[[], Awaitable[object]]) -> None:
        """Try again for as long as the database is away; raises one of `AWAY` when the worker stops."""
        while True:
            try:
                await work()
            except AWAY:
                if self._stopping.is_set():
                    raise
                await _first_of(self._stopping, BACK_OFF_SECONDS)
            else:
                return


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but not longer than this."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
