"""Replays: parts of the log, or dead letters, that a webhook is told once more."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from fastgen_backend.ids import uuid7


class ReplayQuerySet(models.QuerySet["Replay"]):
    def under_way(self) -> Self:
        """Those that are not over; a webhook has one at most."""
        return self.filter(state__in=[Replay.State.RUNNING, Replay.State.PAUSED])

    def due(self, now: datetime) -> Self:
        """Those of which the next portion may be promised, the one that waits for longest first."""
        running = self.filter(state=Replay.State.RUNNING, due_at__lte=now, webhook__subscriber__enabled=True)
        return running.order_by("due_at")


class Replay(models.Model):
    """Events that a webhook is promised again, portion by portion.

    They are those above `after` up to `until`: positions in the log, or, of dead letters, sequences of the webhook's
    deliveries. `cursor` is how far it is; it moves in the transaction of the promises, so that none is left out and
    none made twice.
    """

    class Kind(models.TextChoices):
        RANGE = "range"
        MISSED = "missed"
        DEAD_LETTERS = "deadLetters", "dead letters"

    class State(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"
        DONE = "done"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    webhook = models.ForeignKey("events.Webhook", on_delete=models.CASCADE, related_name="replays")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    filters = models.JSONField(default=list)  # of the webhook's events only these; empty: all of them
    after = models.BigIntegerField()
    until = models.BigIntegerField()
    cursor = models.BigIntegerField()
    total = models.BigIntegerField()  # as counted when it began
    promised = models.BigIntegerField(default=0)
    rate_per_second = models.PositiveSmallIntegerField(null=True)
    due_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = ReplayQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(state="running"), name="replays_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook"],
                condition=Q(state__in=["running", "paused"]),
                name="a_webhook_has_one_replay_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(cursor__gte=F("after"), cursor__lte=F("until")), name="a_replay_stays_within_its_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} replay {self.pk}"
