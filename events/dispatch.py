"""What a worker has in hand: it claims deliveries, makes them side by side and writes down how they went."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.conf import settings

from events.database_threads import AWAY, DatabaseThreads
from events.handlers import registered
from events.services import leases
from events.services.acknowledgement import acknowledge
from events.services.claims import Claim, claim_deliveries
from events.services.delivery import Courier
from events.services.outcomes import Outcome
from events.services.pulse import Pulse
from events.waiting import first_of, until_it_works

log = logging.getLogger("fastgen.worker")

GROUP_SECONDS = 0.02  # acknowledgements wait this long for company
GROUP_SIZE = 500
FINISH_SECONDS = 8  # of what is in flight when the worker is told to stop


class Dispatch:
    """The deliveries of one worker; `more` is set where there may be some to claim at once."""

    def __init__(self, database: DatabaseThreads, pulse: Pulse, stopping: asyncio.Event, more: asyncio.Event) -> None:
        self._database, self._pulse, self._stopping, self._more = database, pulse, stopping, more
        self._courier = Courier(pulse)
        self._sending: set[asyncio.Task[None]] = set()
        self._finished: list[Outcome] = []
        self._has_finished, self._all_finished = asyncio.Event(), asyncio.Event()
        self._in_hand: set[UUID] = set()  # deliveries claimed and not yet acknowledged
        self._under_way = 0  # of these, not yet delivered
        self._is_full = False  # the newest claim left something for want of room
        self._used_up: set[UUID] = set()  # subscribers of which one did for want of places, and that hold these yet
        self._may_stray = False  # leases may be held of which nothing comes: see `claim`

    async def claim(self) -> None:
        """Take what there is room for, and begin to deliver it."""
        if not self._pulse.is_fresh:
            return
        if self._may_stray:
            self._may_stray = False
            with self._doubting():
                await self._database.run(leases.release_strays, self._pulse.worker, frozenset(self._in_hand))
        room = settings.WORKER_SENDS_AT_ONCE - len(self._in_hand)
        self._is_full = room <= 0
        if room > 0:
            with self._doubting():
                claimed = await self._database.run(
                    claim_deliveries, worker=self._pulse.worker, room=room, handlers=list(registered)
                )
            self._is_full = claimed.is_full
            self._used_up |= claimed.used_up
            for claim in claimed.claims:
                self._send_off(claim)

    @contextlib.contextmanager
    def _doubting(self) -> Iterator[None]:
        """Whatever goes wrong in here, leases may be held afterwards that nobody knows of."""
        try:
            yield
        except BaseException:
            self._may_stray = True
            raise

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

    async def acknowledge_for_ever(self) -> None:
        """Write outcomes in groups: whatever finished while the group before was written, and within 20 ms after it."""
        while True:
            await self._has_finished.wait()
            await first_of(self._all_finished, GROUP_SECONDS)
            group, self._finished = self._finished[:GROUP_SIZE], self._finished[GROUP_SIZE:]
            if not self._finished:
                self._has_finished.clear()
            await self._acknowledge(group)
            self._let_go([outcome.claim for outcome in group])

    async def _acknowledge(self, group: Sequence[Outcome]) -> None:
        """Write one group. An outcome that can't be written holds up no other; its delivery waits for a restart."""
        try:
            await until_it_works(lambda: self._database.run(acknowledge, self._pulse.worker, group), self._stopping)
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
            self._more.set()
        self._used_up -= freed

    async def finish(self) -> None:
        """Wait for what is in flight and for its acknowledgement, and release the rest."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=FINISH_SECONDS)
        unfinished = len(self._sending)
        for task in self._sending:
            task.cancel()
        while len(self._in_hand) > unfinished:
            await asyncio.sleep(GROUP_SECONDS)
        with contextlib.suppress(*AWAY):  # its leases run out by themselves
            await self._database.run(leases.release_leases, self._pulse.worker, frozenset(self._in_hand))

    async def close(self) -> None:
        """Close connections; handlers that still run are not waited for."""
        await self._courier.close()
