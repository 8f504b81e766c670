"""Jobs: who is at which, and how a portion of one is written by nobody but its holder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from datahub.models import Job

TRIES_MAX = 20  # claims without a portion that was done
LONGEST_PAUSE_SECONDS = 60


class LeaseLost(Exception):
    """Another worker has the job by now, or it is done."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A job in a worker's hands; `fence` proves that it still holds it."""

    job: int
    kind: str
    subject: UUID
    worker: UUID
    fence: int
    tries: int


def ask_for(kind: Job.Kind, subject: UUID) -> Job:
    """Have a worker do this. In the transaction of what it belongs to."""
    return Job.objects.create(kind=kind, subject=subject)


def claim_job(*, worker: UUID, living: Callable[[], "models.QuerySet[Any]"]) -> Lease | None:
    """Take the job that is due for longest and in nobody's hands, for `worker`, who must not be at another.

    `living` gives the ids of the workers that are alive.
    """
    if not Job.objects.free_for(worker, living()).exists():
        return None
    with transaction.atomic():
        job = Job.objects.free_for(worker, living()).select_for_update(skip_locked=True).first()
        if job is None:
            return None
        job.worker, job.fence, job.tries = worker, job.fence + 1, job.tries + 1
        job.save()
    return Lease(job.pk, job.kind, job.subject, worker, job.fence, job.tries)


@contextmanager
def portion(lease: Lease) -> Iterator[Job]:
    """A transaction in which the lease is held to its end; raises `LeaseLost` where it is another's by now."""
    with transaction.atomic():
        yield hold(lease)


def hold(lease: Lease) -> Job:
    """The same in the caller's transaction, once it has every other lock that it needs."""
    held = Job.objects.select_for_update().filter(pk=lease.job, worker=lease.worker, fence=lease.fence).first()
    if held is None:
        raise LeaseLost
    if held.tries:
        held.tries = 0
        held.save(update_fields=["tries"])
    return held


def finish(lease: Lease) -> None:
    """The job is done; in a portion's transaction."""
    Job.objects.filter(pk=lease.job).delete()


def put_off(lease: Lease, seconds: float | None = None) -> None:
    """Let go of the job for a while: the longer, the oftener it was tried in vain, unless told how long."""
    pause = min(2**lease.tries, LONGEST_PAUSE_SECONDS) if seconds is None else seconds
    due_at = timezone.now() + timedelta(seconds=pause)
    Job.objects.filter(pk=lease.job, worker=lease.worker, fence=lease.fence).update(worker=None, due_at=due_at)
