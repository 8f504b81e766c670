"""Who people are, and the roles they have."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from authpages.addresses import email_key
from fastgen_backend.ids import uuid7
from fastgen_backend.limits import LONGEST_EMAIL


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
    email = models.CharField(max_length=LONGEST_EMAIL, unique=True)
    email_key = models.CharField(max_length=LONGEST_EMAIL, unique=True)
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
