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
    """A key that signs tokens; its id is the token's `kid`.

    It is published before it becomes the current one of its algorithm, and after it was retired for as long as a token
    of it may be about. From then on it has its public half alone, and tells but who once had such a token.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    algorithm = models.CharField(max_length=10, default="RS256")
    private_key = SealedField(null=True)  # PEM, sealed by the vault
    public_key = SealedField(null=True)  # likewise, once the private half is gone; nobody else can seal one
    created_at = models.DateTimeField(default=timezone.now)
    is_current = models.BooleanField(default=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=Q(is_current=True), name="one_key_of_an_algorithm_signs"
            ),
            models.CheckConstraint(
                condition=Q(private_key__isnull=False, public_key=None)
                | Q(private_key=None, public_key__isnull=False, is_current=False),
                name="a_key_that_signs_has_its_private_half",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} {self.pk}"
