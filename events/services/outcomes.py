"""How a try at a delivery went, and what follows from it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from events.services.claims import Claim

GONE = 410
BUSY = {408, 429}
JITTER = 0.1
LONGEST_RETRY_AFTER_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished try; `status` is the HTTP status, None where none came, `retry_after` the seconds it asked for."""

    claim: Claim
    at: datetime
    duration_ms: int
    delivered: bool
    status: int | None = None
    error: str = ""
    response_body: str = ""
    retry_after: float = 0

    @property
    def is_gone(self) -> bool:
        """Whether the receiver said that it wants no more calls, ever."""
        return self.status == GONE

    @property
    def is_of_endpoint(self) -> bool:
        """Whether it failed for a reason that would befall any other event: no connection, no full answer, 408, 429 or
        5xx."""
        if self.delivered:
            return False
        broke_off = self.status is None or 200 <= self.status < 300
        return broke_off or self.status in BUSY or (self.status or 0) >= 500

    @property
    def is_exhausted(self) -> bool:
        """Whether this was the last try."""
        return not self.delivered and not self.is_gone and self.claim.tries >= len(settings.WEBHOOK_RETRY_SECONDS)


def unforeseen(claim: Claim, problem: Exception) -> Outcome:
    """Of a try that the worker itself failed at: told by the kind of problem alone, as its words may hold anything."""
    return Outcome(claim, timezone.now(), 0, delivered=False, error=f"{type(problem).__name__} in the worker")


def next_try(outcome: Outcome, now: datetime) -> datetime:
    """When to try again: after the step for this many tries and up to 10 % more, but not before the answer allows."""
    step = settings.WEBHOOK_RETRY_SECONDS[outcome.claim.tries]
    jittered = step * (1 + random.uniform(0, JITTER))  # noqa: S311  spreads load, keeps no secret
    return now + timedelta(seconds=max(jittered, min(outcome.retry_after, LONGEST_RETRY_AFTER_SECONDS)))
