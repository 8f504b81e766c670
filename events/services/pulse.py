"""Whether this worker can be sure that what it claimed is still its own, looked at right before each call."""

import time
from uuid import UUID

from events.services.claims import Claim
from events.services.leases import SILENCE

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps


class Pulse:
    """The newest heartbeat that came through.

    Nobody takes anything from a worker before 10 s of silence, by the database's clock. Here they count from the moment
    before the heartbeat was sent, so this worker stops first: one that was stopped, or cut off, begins no call when it
    goes on, until it has made sure that it is not taken for dead. No sender can notice a pause between this look and
    the bytes that leave after it; to whoever can't bear that, the event's `position` tells that a call is late.
    """

    worker: UUID  # under whose id this one is known
    _at = 0.0

    @staticmethod
    def now() -> float:
        """The moment to give to `felt`."""
        return time.clock_gettime(CLOCK)

    def felt(self, worker: UUID, at: float) -> None:
        """The database knows that `worker` lived at this moment, or later."""
        self.worker, self._at = worker, at

    @property
    def is_fresh(self) -> bool:
        """Whether nobody can have taken this worker for dead."""
        return self.now() - self._at < SILENCE.total_seconds()

    def vouches_for(self, claim: Claim) -> bool:
        """Whether the claim is still held by whoever made it."""
        return claim.worker == self.worker and self.is_fresh
