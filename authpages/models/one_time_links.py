"""Links that are sent by mail, and the requests that lead to them."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from authpages.models.users import User
from fastgen_backend.ids import uuid7
from fastgen_backend.limits import LONGEST_EMAIL

LONGEST_NEXT = 200  # characters; of a longer way nothing is kept, and the person lands where they would without one


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    def open(self) -> Self:
        return self.filter(spent_at=None, voided_at=None)

    def void(self) -> int:
        """Make every open one of these links useless."""
        return self.open().update(voided_at=timezone.now())


class OneTimeLink(models.Model):
    """A secret sent by mail, good once, for one purpose, one person and the address it was sent to."""

    class Purpose(models.TextChoices):
        VERIFICATION = "verification"
        RESET = "reset"
        ADMIN_SETUP = "admin_setup"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="links")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    email_key = models.CharField(max_length=LONGEST_EMAIL, blank=True)
    next_path = models.CharField(max_length=LONGEST_NEXT, blank=True)  # where the person was going
    hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="links_to_forget")]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="admin_setup", user=None) | Q(user__isnull=False), name="a_link_belongs_to_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} link {self.pk}"


class AuthRequest(models.Model):
    """What someone asked for an address that may or may not have an account; the worker finds out which.

    The door does the same work for both, so neither its answer nor its time tells them apart. Emptied once resolved.
    """

    class Kind(models.TextChoices):
        SIGN_UP = "sign_up"
        VERIFICATION = "verification"
        RESET = "reset"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    email = models.CharField(max_length=LONGEST_EMAIL, blank=True)
    password = models.CharField(max_length=200, blank=True)
    profile = models.JSONField(default=dict)
    source = models.CharField(max_length=10)
    request_id = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    locale = models.CharField(max_length=35, blank=True)
    next_path = models.CharField(max_length=LONGEST_NEXT, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # later, where resolving it failed
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(resolved_at=None), name="requests_to_resolve"),
            models.Index(fields=["resolved_at"], condition=Q(resolved_at__isnull=False), name="requests_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} request {self.pk}"
