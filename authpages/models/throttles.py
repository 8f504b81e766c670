"""How often something was done by or to someone."""

from __future__ import annotations

from django.db import models


class Throttle(models.Model):
    """How often something was done by or to someone; `key` names what and, hashed, whom."""

    key = models.CharField(max_length=100, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)  # None: remembered until it is cleared

    class Meta:
        indexes = [models.Index(fields=["forgotten_at"], name="throttles_to_forget")]

    def __str__(self) -> str:
        return self.key
