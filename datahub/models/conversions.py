"""Changes of type that are too large for one transaction."""

from django.db import models
from django.utils import timezone

from datahub.models.tables import Column
from fastgen_backend.ids import uuid7


class Conversion(models.Model):
    """A column whose values are being copied into another: `column` is the one that is seen, `into` what it becomes.

    running → gone, once the column has changed its type, or done where that left values out, which it tells; or
    failed, which changes nothing and says why.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    column = models.OneToOneField(Column, on_delete=models.CASCADE, related_name="conversion")
    into = models.OneToOneField(Column, on_delete=models.CASCADE, null=True, related_name="arrival")
    type = models.CharField(max_length=20)
    nulls_unconvertible = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    detail = models.TextField(blank=True)
    origin = models.JSONField(default=dict)
    errors = models.JSONField(default=list)  # the first hundred values in the way or left out, as a problem names them
    passes = models.PositiveIntegerField(default=0)
    pass_began_at = models.DateTimeField(default=timezone.now)
    looks_since = models.DateTimeField(null=True)  # what was not written since was tried by the pass before
    last_id = models.UUIDField(null=True)  # of this pass
    converted_in_pass = models.BigIntegerField(default=0)
    rows_converted = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.column} becomes {self.type}: {self.state}"
