"""Keys: those of programs, and those that sign tokens."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from authpages.models.users import User
from fastgen_backend.ids import uuid7
from fastgen_backend.prepared import Moment
from fastgen_backend.sealed import SealedField


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def alive(self, now: Moment) -> Self:
        """Keys that are not over, and whose maker, where there is one, still is an admin who may come in."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
        maker = Q(made_by=None) | Q(made_by__is_superuser=True, made_by__blocked=False)
        return self.filter(unexpired, maker)


class ApiKey(models.Model):
    """A program's credentials: 256 random bits of which only the hash is kept, and what they allow."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    hash = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="api_keys")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def actor(self) -> str:
        """What acts by this key, as events tell it."""
        return f"apiKey:{self.pk}"

    @property
    def user_id(self) -> None:
        """A program is no person, whoever made its key."""

    @property
    def role_names(self) -> list[str]:
        return []

    def allows(self, scope: str) -> bool:
        """Whether the key has `scope`, or `*`."""
        return scope in self.scopes or "*" in self.scopes


class SigningKey(models.Model):
    """A private key that signs tokens; its id is the token's `kid`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    algorithm = models.CharField(max_length=10, default="RS256")
    private_key = SealedField()  # PEM, sealed by the vault
    created_at = models.DateTimeField(default=timezone.now)
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=Q(is_current=True), name="one_key_of_an_algorithm_signs"
            )
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} {self.pk}"
