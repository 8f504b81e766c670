"""The worker's share of the Datahub's jobs."""

from uuid import UUID

from datahub.services.jobs import claim_job
from datahub.services.work import Working
from events.database_threads import DatabaseThreads
from events.services.leases import living_workers


class Jobs:
    """One job at a time, in a thread of its own, so that deliveries never wait for it."""

    def __init__(self) -> None:
        self._database = DatabaseThreads(1)
        self._job: Working | None = None

    async def step(self, worker: UUID) -> bool:
        """One portion of the job in hand, or of one that is taken now; tells whether there was one."""
        if self._job is None:
            lease = await self._database.run(claim_job, worker=worker, living=living_workers)
            if lease is None:
                return False
            self._job = Working(lease)
        try:
            goes_on = await self._database.run(self._job.step)
        except BaseException:
            self._job = None  # it is claimed again, and goes on after the last portion that is written
            raise
        if not goes_on:
            self._job = None
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._database.close()
