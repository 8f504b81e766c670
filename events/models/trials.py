"""Trial calls: an example of an event, sent to a webhook because somebody wants to see what it answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from fastgen_backend.ids import uuid7

if TYPE_CHECKING:
    from django.db.models.query import QuerySet


class TrialQuerySet(models.QuerySet["Trial"]):
    def made_since(self, moment: datetime) -> Self:
        """Those that were asked for at this time or later."""
        return self.filter(created_at__gte=moment)

    def free(self, living: QuerySet[Any] | Collection[UUID]) -> Self:
        """Those to be made that no living worker is at, the oldest first."""
        return self.filter(Q(worker=None) | ~Q(worker__in=living), delivered=None).order_by("created_at")


class Trial(models.Model):
    """One call with an event that never happened. It is in no log, has no place in any sequence, and is made once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    webhook = models.ForeignKey("events.Webhook", on_delete=models.CASCADE, related_name="trials")
    event_uid = models.UUIDField(default=uuid7, editable=False)
    event_type = models.CharField(max_length=120)
    event_stage = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=10)
    data = models.JSONField()
    made_by = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    worker = models.UUIDField(null=True)
    delivered = models.BooleanField(null=True)  # None until the call is made

    objects = TrialQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], condition=Q(delivered=None), name="trials_to_make"),
            models.Index(fields=["created_at"], name="trials_by_time"),
        ]

    def __str__(self) -> str:
        return f"trial {self.pk} of {self.event_type}"
