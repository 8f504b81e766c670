"""The browsers that people log in with."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone

from authpages.models.users import User
from fastgen_backend.ids import uuid7


class KnownDeviceQuerySet(models.QuerySet["KnownDevice"]):
    def beyond(self, most: int) -> Self:
        """Those that were used before the newest `most` of these."""
        return self.filter(pk__in=self.order_by("-last_seen_at", "-pk").values("pk")[most:])


class KnownDevice(models.Model):
    """A browser in which a person has logged in, known again by a cookie of it, of which only the hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    hash = models.BinaryField(max_length=32, unique=True)
    user_agent = models.CharField(max_length=400, blank=True)
    network = models.CharField(max_length=43, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    objects = KnownDeviceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["last_seen_at"], name="devices_to_forget")]

    def __str__(self) -> str:
        return f"known device {self.pk}"
