"""Calls one Python handler, in a transaction with the mark that it was told, or outside of any."""

import json
import logging
import time
from datetime import datetime

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone

from events.handlers import registered
from events.models import Delivery
from events.services.acknowledgement import finish, log_attempts
from events.services.claims import Claim
from events.services.outcomes import Outcome
from events.services.redaction import redact
from fastgen_backend.connections import close_if_dropped

log = logging.getLogger("fastgen.worker")

ATOMIC_SECONDS = 2


class TookTooLong(Exception):
    """An atomic handler held its transaction for more than 2 s."""


class LeaseLost(Exception):
    """The delivery belongs to another worker by now."""


def call_handler(claim: Claim) -> Outcome | None:
    """Tell the handler of `claim`; None where nothing is left to acknowledge.

    That is so for an atomic handler that went well: its effect is committed together with the acknowledgement. Whatever
    it raises is a failed try, told by class and message.
    """
    close_old_connections()
    close_if_dropped()
    at, start = timezone.now(), time.perf_counter()
    try:
        if registered[claim.handler].atomic:
            _call_atomically(claim, at, start)
            return None
        registered[claim.handler].handler(json.loads(claim.body))
    except LeaseLost:
        return None
    except Exception as problem:
        if isinstance(problem, DatabaseError):
            connection.close()  # it may be the reason: the next try gets a new one
        error = redact(f"{type(problem).__name__}: {problem}", claim.hidden)
        log.warning("The handler %s failed, and is tried again: %s", claim.handler, error)
        return _outcome(claim, at, start, delivered=False, error=error)
    return _outcome(claim, at, start, delivered=True)


def _call_atomically(claim: Claim, at: datetime, start: float) -> None:
    with transaction.atomic():
        held = Delivery.objects.select_for_update().filter(pk=claim.id, worker=claim.worker, fence=claim.fence)
        if held.first() is None:
            raise LeaseLost
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{ATOMIC_SECONDS}s'")
        called = time.perf_counter()
        registered[claim.handler].handler(json.loads(claim.body))
        if time.perf_counter() - called > ATOMIC_SECONDS:
            raise TookTooLong(f"It took more than {ATOMIC_SECONDS} s; its effects are rolled back.")
        outcome = _outcome(claim, at, start, delivered=True)
        finish([outcome], timezone.now())
        log_attempts([outcome])


def _outcome(claim: Claim, at: datetime, start: float, *, delivered: bool, error: str = "") -> Outcome:
    duration_ms = round((time.perf_counter() - start) * 1000)
    return Outcome(claim=claim, at=at, duration_ms=duration_ms, delivered=delivered, error=error)
