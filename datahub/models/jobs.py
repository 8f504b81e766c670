"""Work that is done in portions beside the requests, and who is at it."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone


class JobQuerySet(models.QuerySet["Job"]):
    def free_for(self, worker: Any, living: models.QuerySet[Any]) -> Self:
        """Jobs that are due and in nobody's hands: those of workers that are no longer alive are, too."""
        free = Q(worker=None) | Q(worker=worker) | ~Q(worker__in=living)
        return self.filter(free, due_at__lte=timezone.now()).order_by("due_at", "id")


class Job(models.Model):
    """Something a worker does in portions; each is one transaction with its progress. It is gone once it is done.

    `worker` and `fence` are the lease: only who holds both may write, and every claim raises the fence. `tries` counts
    the claims since the last portion that was done.
    """

    class Kind(models.TextChoices):
        IMPORT = "import"
        UNDO = "undo"
        CONVERSION = "conversion"
        PURGE = "purge"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.UUIDField()
    due_at = models.DateTimeField(default=timezone.now)
    worker = models.UUIDField(null=True)
    fence = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="job_is_done_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
