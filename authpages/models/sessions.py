"""What stands behind a login: sessions, and the refresh tokens that carry some of them on."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from authpages.models.users import User, role_names_of
from fastgen_backend.ids import uuid7
from fastgen_backend.prepared import Moment


class EndReason(StrEnum):
    """Why a session ended, where that was not for its age; events and admins are told so."""

    LOGOUT = "logout"
    ENDED_BY_OWNER = "ended_by_owner"  # from another one of theirs
    ENDED_BY_ADMIN = "ended_by_admin"
    BLOCKED = "blocked"
    NOT_AN_ADMIN = "not_an_admin"  # any more; of the console alone
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 a reason, no password
    PASSWORD_RESET = "password_reset"  # noqa: S105 a reason, no password
    TOO_MANY = "too_many"  # began after it, and it was not used for longest
    TOKEN_REUSED = "token_reused"  # noqa: S105 a reason, no token
    CODE_REUSED = "code_reused"


class SessionQuerySet(models.QuerySet["Session"]):
    def alive(self, now: Moment, idle_since: Moment | None = None) -> Self:
        """Sessions that are neither ended nor over (absolute and idle limit), of people who are not blocked."""
        seen_after = idle_since or idle_limit(cast("datetime", now))
        return self.filter(ended_at=None, expires_at__gt=now, last_seen_at__gt=seen_after, user__blocked=False)

    def with_user(self) -> Self:
        """Sessions with their user and the names of their roles, in one query."""
        return self.select_related("user").annotate(user_roles=role_names_of("user_id"))


def idle_limit(now: datetime) -> datetime:
    """A session last seen then, or before, has been idle for too long."""
    return now - timedelta(days=settings.SESSION_IDLE_DAYS)


class Session(models.Model):
    """One login, behind a browser cookie and tokens alike, so that ending it ends both at once."""

    class Kind(models.TextChoices):
        END_USER = "end_user"
        CONSOLE = "console"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.END_USER)
    cookie_hash = models.BinaryField(max_length=32, null=True, unique=True)
    authentication = models.CharField(max_length=20, default="password")
    authenticated_at = models.DateTimeField(null=True)  # None: when it began, and not since
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=30, blank=True)
    user_roles: list[str] | None  # by `with_user`
    held_by: uuid.UUID | None = None  # the `AppSession` by which an app calls in this session just now

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="sessions_to_forget"),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="sessions_to_expire"),
            models.Index(fields=["user", "id"], name="sessions_of_a_person"),
            models.Index(fields=["user", "ended_at"], name="sessions_of_a_person_by_end"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | Q(ended_at__isnull=False),
                name="a_session_ends_for_a_reason",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_over(self, now: datetime) -> bool:
        """Whether its time was up by then: in any case, or without use."""
        return self.expires_at <= now or self.last_seen_at <= idle_limit(now)

    @property
    def auth_time(self) -> datetime:
        """When the person last showed who they are."""
        return self.authenticated_at or self.created_at

    @property
    def actor(self) -> str:
        """Who acts by this session, as events tell it."""
        return f"user:{self.user_id}"

    @property
    def role_names(self) -> list[str]:
        return self.user.role_names

    def allows(self, scope: str) -> bool:
        """An admin's console session may do everything; a person's own session has no scope."""
        return self.kind == self.Kind.CONSOLE and self.user.is_superuser


class RefreshToken(models.Model):
    """A link in a session's chain of refresh tokens; only its hash is kept, and the child is made from the parent."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    app_session = models.ForeignKey(
        "authpages.AppSession", on_delete=models.CASCADE, null=True, related_name="refresh_tokens"
    )  # None: of a session that a program began by itself
    hash = models.BinaryField(max_length=32, unique=True)
    parent = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="child")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"refresh token {self.pk}"
