"""Which workers live. One without a heartbeat for 10 s loses what it holds: at once, and without using up a retry."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
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
    """Forget silent workers and make what they held due again; tells how many deliveries that were.

    A delivery that others wait for in its lane stays with its worker until the last call that it can have begun is over
    as well, lest the next call begins beside it. Until then such a worker may come back to life.
    """
    held = Delivery.objects.filter(worker__isnull=False)
    orphans = held.filter(lane=None).exclude(worker__in=living_workers())
    silent = Worker.objects.filter(heartbeat_at__lt=Now() - SILENCE)
    if not silent.exists() and not held.exclude(worker__in=living_workers()).exists():
        return 0
    with transaction.atomic():
        orphaned = orphans.update(worker=None)
        quiet_for_long = Q(heartbeat_at__lt=Now() - SILENCE - longest_call())
        forgotten = silent.filter(quiet_for_long | ~Q(pk__in=held.values("worker"))).select_for_update(skip_locked=True)
        ids = list(forgotten.values_list("pk", flat=True))  # locked, so that none of them beats once more
        Worker.objects.filter(pk__in=ids).delete()
        return orphaned + held.exclude(worker__in=Worker.objects.values("pk")).update(worker=None)


def longest_call() -> timedelta:
    """How long after its beginning a call is over, by its timeout, whatever the endpoint does; rounded up."""
    return timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS + 2)


def release_strays(worker: UUID, in_hand: Collection[UUID]) -> int:
    """Let go of what `worker` holds without knowing: leases of a claim whose answer was lost on the way."""
    return Delivery.objects.filter(worker=worker).exclude(pk__in=in_hand).update(worker=None)


def release_leases(worker: UUID, broken_off: Collection[UUID] = ()) -> int:
    """Sign off: what `worker` still holds is due again, and nobody waits for its heartbeat; tells how many those are.

    Not the deliveries in lanes whose calls were `broken_off`: they may go on at the other end, and stay with this
    worker until it is taken for dead.
    """
    with transaction.atomic():
        held = Delivery.objects.filter(worker=worker)
        released = held.exclude(pk__in=broken_off, lane__isnull=False).update(worker=None)
        if not held.exists():
            Worker.objects.filter(pk=worker).delete()
    return released


def delete_expired_secrets() -> int:
    """Delete the tokens and links that no longer open anything; tells how many."""
    expired = EventSecret.objects.filter(expires_at__lte=Now())
    return expired.delete()[0] if expired.exists() else 0
