"""Which workers live. One without a heartbeat for 10 s loses what it holds: at once, and without using up a retry."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from events.models import Delivery, EventSecret, Worker

HEARTBEAT_SECONDS = 2
SILENCE = timedelta(seconds=10)


def register_worker() -> UUID:
    """Enter this process among the living; tells its id."""
    return Worker.objects.create(heartbeat_at=Now()).pk


def beat(worker: UUID) -> bool:
    """Say that `worker` lives; False where it was taken for dead meanwhile, and has to register anew.

    By the clock of the database, because those of several machines differ.
    """
    return Worker.objects.filter(pk=worker).update(heartbeat_at=Now()) == 1


def living_workers() -> "QuerySet[Any]":
    """The ids of those that are alive."""
    return Worker.objects.filter(heartbeat_at__gte=Now() - SILENCE).values("pk")


def reap_dead_workers() -> int:
    """Forget silent workers and make what they held due again; tells how many deliveries that were."""
    living = living_workers()
    orphans = Delivery.objects.filter(worker__isnull=False).exclude(worker__in=living)
    silent = Worker.objects.filter(heartbeat_at__lt=Now() - SILENCE)
    if not silent.exists() and not orphans.exists():
        return 0
    with transaction.atomic():
        silent.delete()
        return orphans.update(worker=None)


def release_strays(worker: UUID, in_hand: Collection[UUID]) -> int:
    """Let go of what `worker` holds without knowing: leases of a claim whose answer was lost on the way."""
    return Delivery.objects.filter(worker=worker).exclude(pk__in=in_hand).update(worker=None)


def release_leases(worker: UUID) -> int:
    """Sign off: what `worker` still holds is due again, and nobody waits for its heartbeat."""
    with transaction.atomic():
        released = Delivery.objects.filter(worker=worker).update(worker=None)
        Worker.objects.filter(pk=worker).delete()
    return released


def delete_expired_secrets() -> int:
    """Delete the tokens and links that no longer open anything; tells how many."""
    expired = EventSecret.objects.filter(expires_at__lte=Now())
    return expired.delete()[0] if expired.exists() else 0
