"""What was promised to whom, who is at it, and how it went."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from fastgen_backend.ids import uuid7
from fastgen_backend.limits import LONGEST_URL


class Worker(models.Model):
    """A process that sequences and delivers; without a heartbeat for 10 s it loses its leases."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"worker {self.pk}"


class Delivery(models.Model):
    """A promise not yet kept: this event to this subscriber. Once finished it becomes a `FinishedDelivery`.

    `worker` and `fence` are the lease: only who holds both may acknowledge, and every claim raises the fence.
    Those of one subscriber with the same `lane` are made one after the other: all but the first are `blocked`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscriber = models.ForeignKey(
        "events.Subscriber",
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,  # the unique constraint begins with it
    )
    event = models.ForeignKey("events.Event", on_delete=models.PROTECT, related_name="deliveries")
    sequence = models.BigIntegerField()
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)  # attempts that used up a retry step
    worker = models.UUIDField(null=True)
    fence = models.PositiveIntegerField(default=0)
    lane = models.CharField(max_length=64, null=True)  # None: in no order; see `services.lanes`
    blocked = models.BooleanField(default=False)
    replayed = models.BooleanField(default=False)  # told once more, without its secrets
    replay = models.ForeignKey(  # that promised it
        "events.Replay", on_delete=models.RESTRICT, null=True, related_name="deliveries", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["subscriber", "due_at", "sequence"],
                condition=Q(worker=None, blocked=False),
                name="deliveries_free",
            ),
            models.Index(fields=["subscriber", "lane"], condition=Q(worker__isnull=False), name="deliveries_held"),
            models.Index(
                fields=["subscriber", "lane", "sequence"],
                condition=Q(lane__isnull=False),
                name="deliveries_in_lanes",
            ),
            models.Index(fields=["replay", "tries"], condition=Q(replay__isnull=False), name="deliveries_of_replays"),
        ]
        constraints = [models.UniqueConstraint(fields=["subscriber", "sequence"], name="delivery_is_promised_once")]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class FinishedDeliveryQuerySet(models.QuerySet["FinishedDelivery"]):
    def in_state(self, state: str) -> Self:
        """Those in this state; all where it is empty."""
        return self.filter(state=state) if state else self

    def dead_letters(self) -> Self:
        """Those that were given up and not promised again since, oldest first within a subscriber."""
        return self.filter(state=FinishedDelivery.State.DEAD, redelivered_as=None).order_by("sequence")


class FinishedDelivery(models.Model):
    """A promise kept, or given up: a dead letter. It keeps the id and sequence it had while it was pending."""

    class State(models.TextChoices):
        DELIVERED = "delivered"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True)
    subscriber = models.ForeignKey(
        "events.Subscriber",
        on_delete=models.CASCADE,
        related_name="finished_deliveries",
        db_index=False,  # the unique constraint begins with it
    )
    event = models.ForeignKey("events.Event", on_delete=models.CASCADE, related_name="finished_deliveries")
    sequence = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    finished_at = models.DateTimeField(default=timezone.now)
    redelivered_as = models.UUIDField(null=True)  # the delivery that a dead letter was promised again as

    objects = FinishedDeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["subscriber", "sequence"],
                condition=Q(state="dead", redelivered_as=None),
                name="deliveries_dead_letters",
            ),
            models.Index(fields=["state", "finished_at"], name="deliveries_to_forget"),
        ]
        constraints = [models.UniqueConstraint(fields=["subscriber", "sequence"], name="delivery_is_finished_once")]

    def __str__(self) -> str:
        return f"{self.state} delivery {self.pk}"


class Attempt(models.Model):
    """One try at a delivery: `status` is the HTTP status, None where none came; `response_body` its first 16 kB."""

    id = models.BigAutoField(primary_key=True)
    delivery_id = models.UUIDField(db_index=True)  # of a pending or finished delivery
    url = models.CharField(max_length=LONGEST_URL, blank=True)  # that was called; empty for a handler
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField()
    error = models.CharField(max_length=500, blank=True)
    response_body = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="attempts_to_forget")]

    def __str__(self) -> str:
        return f"attempt {self.pk}"
