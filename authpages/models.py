"""Who people are, what proves it, and how the hosted pages look and behave."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from authpages.addresses import MAX_LENGTH, email_key
from fastgen_backend.ids import uuid7


def token_hash(token: str) -> bytes:
    """How a random token of 256 bits is kept: its SHA-256; it needs no slow hash, because it can't be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class JSONGroup(models.Aggregate):
    """The values of a group as one JSON array."""

    output_field = models.JSONField()
    template = "%(function)s(%(expressions)s ORDER BY %(expressions)s)"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "%(function)s(%(expressions)s)"  # ORDER BY inside came with SQLite 3.44
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", template=template, **extra)


class Role(models.Model):
    """A name that access rules and tokens speak of; unique whatever the letter case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, unique=True)
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class UserQuerySet(models.QuerySet["User"]):
    def by_email(self, email: str) -> Self:
        return self.filter(email_key=email_key(email))

    def with_roles(self) -> Self:
        """Each user with the names of their roles, in the same query."""
        return self.annotate(loaded_roles=role_names_of("pk"))

    def locked(self) -> Self:
        """Each user with roles, locked until the transaction ends; every change of an account begins here."""
        return self.with_roles().select_for_update(of=("self",))

    def admins(self) -> Self:
        return self.filter(is_superuser=True)


UserManagerFromQuerySet = models.Manager.from_queryset(UserQuerySet)


class UserManager(UserManagerFromQuerySet["User"]):
    """What Django's `createsuperuser` asks of a user model."""

    def get_by_natural_key(self, email: str) -> User:
        return self.get(email_key=email_key(email))

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        from authpages.services.users import create_user  # the one door of a model into a service: Django's contract
        from fastgen_backend.origin import COMMAND_LINE

        return create_user(
            email=email, password=password, admin=True, email_verified=True, origin=COMMAND_LINE, **fields
        )


class User(AbstractBaseUser):
    """A person. `email` is shown and written to as stored; every look-up goes by `email_key`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.CharField(max_length=MAX_LENGTH, unique=True)
    email_key = models.CharField(max_length=MAX_LENGTH, unique=True)
    email_verified = models.BooleanField(default=False)
    password = models.CharField(max_length=200, null=True)  # type: ignore[assignment]  # Django's is never null
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    roles = models.ManyToManyField(Role, related_name="users", blank=True)
    blocked = models.BooleanField(default=False)
    is_superuser = models.BooleanField(default=False)
    locale = models.CharField(max_length=35, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    app_metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_login_at = models.DateTimeField(null=True)
    last_login = None

    loaded_roles: list[str] | None  # by `with_roles`

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        indexes = [
            models.Index(fields=["is_superuser"], condition=Q(is_superuser=True), name="users_who_are_admins"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def role_names(self) -> list[str]:
        """The names of this person's roles, sorted; from the same query where `with_roles` was asked."""
        if not hasattr(self, "loaded_roles"):
            self.loaded_roles = list(self.roles.order_by("name").values_list("name", flat=True))
        return sorted(self.loaded_roles or [])


def role_names_of(user_reference: str) -> Subquery:
    """The names of the roles of the user whose id the outer query has at `user_reference`, as a JSON array."""
    through = User.roles.through.objects.filter(user_id=OuterRef(user_reference)).order_by().values("user_id")
    names = through.annotate(names=JSONGroup("role__name")).values("names")  # type: ignore[misc]  # an annotation
    return Subquery(names, output_field=models.JSONField())


class SessionQuerySet(models.QuerySet["Session"]):
    def alive(self, now: datetime) -> Self:
        """Sessions that are neither ended nor over (absolute and idle limit), of people who are not blocked."""
        idle_since = now - timedelta(days=settings.SESSION_IDLE_DAYS)
        alive = self.filter(ended_at=None, expires_at__gt=now, last_seen_at__gt=idle_since)
        return alive.filter(user__blocked=False)

    def with_user(self) -> Self:
        """Sessions with their user and the names of their roles, in one query."""
        return self.select_related("user").annotate(user_roles=role_names_of("user_id"))


class Session(models.Model):
    """One login, behind a browser cookie and tokens alike, so that ending it ends both at once."""

    class Kind(models.TextChoices):
        END_USER = "end_user"
        CONSOLE = "console"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.END_USER)
    cookie_hash = models.BinaryField(max_length=32, null=True, unique=True)
    authentication = models.CharField(max_length=20, default="password")
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=30, blank=True)
    user_roles: list[str] | None  # by `with_user`

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | Q(ended_at__isnull=False),
                name="a_session_ends_for_a_reason",
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def actor(self) -> str:
        """Who acts by this session, as events tell it."""
        return f"user:{self.user_id}"

    def allows(self, scope: str) -> bool:
        """An admin's console session may do everything; a person's own session has no scope."""
        return self.kind == self.Kind.CONSOLE and self.user.is_superuser


class RefreshToken(models.Model):
    """A link in a session's chain of refresh tokens; only its hash is kept, and the child is made from the parent."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    hash = models.BinaryField(max_length=32, unique=True)
    parent = models.OneToOneField("self", on_delete=models.CASCADE, null=True, related_name="child")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"refresh token {self.pk}"


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
    email_key = models.CharField(max_length=MAX_LENGTH, blank=True)
    hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
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
    email = models.CharField(max_length=MAX_LENGTH, blank=True)
    password = models.CharField(max_length=200, blank=True)
    profile = models.JSONField(default=dict)
    source = models.CharField(max_length=10)
    request_id = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    locale = models.CharField(max_length=35, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # later, where resolving it failed
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(resolved_at=None), name="requests_to_resolve")]

    def __str__(self) -> str:
        return f"{self.kind} request {self.pk}"


class HostedAuthSettings(models.Model):
    """How the hosted pages look and behave: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    pages_enabled = models.BooleanField(default=True)
    callback_url = models.CharField(max_length=2000, blank=True)
    allowed_redirect_urls = models.JSONField(default=list)
    allowed_origins = models.JSONField(null=True)  # None: the origins of the URLs above
    allow_signups = models.BooleanField(default=True)
    require_verified_email = models.BooleanField(default=False)
    builtin_mailer = models.BooleanField(default=True)
    product_name = models.CharField(max_length=60, default="Fastgen")
    logo_url = models.CharField(max_length=2000, blank=True)
    logo = models.BinaryField(null=True)
    logo_type = models.CharField(max_length=20, blank=True)
    accent_color = models.CharField(max_length=7, default="#4f46e5")
    support_email = models.CharField(max_length=MAX_LENGTH, blank=True)
    terms_url = models.CharField(max_length=2000, blank=True)
    privacy_url = models.CharField(max_length=2000, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_hosted_auth_settings")]

    def __str__(self) -> str:
        return "hosted authentication settings"

    @property
    def accent_ink(self) -> str:
        """White, or black where white would not reach 4.5:1 on the accent (WCAG 2.2, 1.4.3); one always does."""
        channels = [int(self.accent_color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#ffffff" if 1.05 / (luminance + 0.05) >= 4.5 else "#000000"

    @classmethod
    def load(cls) -> HostedAuthSettings:
        """The settings as they are now; the defaults where nobody has changed any. The logo's bytes stay behind."""
        return cls.objects.defer("logo").filter(pk=1).first() or cls()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def alive(self, now: datetime) -> Self:
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

    def allows(self, scope: str) -> bool:
        """Whether the key has `scope`, or `*`."""
        return scope in self.scopes or "*" in self.scopes


class SigningKey(models.Model):
    """A private key that signs tokens; its id is the token's `kid`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    algorithm = models.CharField(max_length=10, default="RS256")
    private_key = models.BinaryField()  # PEM, sealed by the vault
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
