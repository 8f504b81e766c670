"""Who people are, and the roles they have."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from authpages.addresses import email_key
from authpages.models.search_keys import KeyField, SearchKeyField, any_begins, search_key
from fastgen_backend.counting import CountUpTo
from fastgen_backend.ids import uuid7
from fastgen_backend.limits import LONGEST_EMAIL

MANY = 1000
COUNTED_MAX = 10_000  # people with a role


class JSONGroup(models.Aggregate):
    """The values of a group as one JSON array."""

    output_field = models.JSONField()
    template = "%(function)s(%(expressions)s ORDER BY %(expressions)s)"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "%(function)s(%(expressions)s)"  # ORDER BY inside came with SQLite 3.44
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", template=template, **extra)


class JSONLength(models.Func):
    """How many bytes a text takes as a string of JSON in UTF-8, with its quotes."""

    template = "OCTET_LENGTH(TO_JSON(%(expressions)s)::text)"
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "LENGTH(CAST(JSON_QUOTE(%(expressions)s) AS BLOB))"  # OCTET_LENGTH came with SQLite 3.43
        return self.as_sql(compiler, connection, template=template, **extra)


class RoleQuerySet(models.QuerySet["Role"]):
    def with_counts(self) -> Self:
        """Each role with how many people have it, `COUNTED_MAX` at most."""
        holders = UserRole.objects.filter(role_id=OuterRef("pk")).order_by().values("pk")
        return self.annotate(holders=CountUpTo(holders[:COUNTED_MAX]))


class Role(models.Model):
    """A name that access rules and tokens speak of; unique whatever the letter case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, unique=True)
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    holders: int  # by `with_counts`

    objects = RoleQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class UserQuerySet(models.QuerySet["User"]):
    def by_email(self, email: str) -> Self:
        return self.filter(email_key=email_key(email))

    def with_roles(self) -> Self:
        """Each user with the names of their roles, in the same query."""
        return self.annotate(loaded_roles=role_names_of("pk"))

    def locked(self) -> Self:
        """Each user, locked until the transaction ends; every change of an account begins here.

        Without roles: PostgreSQL would read those that there were before the wait for the lock. Rows can be given to
        them meanwhile: whoever gives some would wait, and be waited for by others, in a ring.
        """
        return self.select_for_update(no_key=True)

    def found_by(self, text: str) -> Self:
        """People whose address, first or last name, or both names in this order, begin with `text`; or with this id."""
        key = search_key(text)
        if not key:
            return self
        keys = {
            "email_key": email_key(key) if "@" in key else key,
            "name_key": key,
            "last_name_key": key,
        }
        found = any_begins(keys)
        with suppress(ValueError):
            found |= Q(pk=uuid.UUID(key))
        if _are_many(self.model.objects.filter(found)):
            return self.filter(any_begins(keys, by_index=False))
        return self.filter(found)

    def having(self, role: Role) -> Self:
        """People who have this role."""
        held = UserRole.objects.filter(role=role)
        if _are_many(held):
            return self.filter(Exists(held.filter(user=OuterRef("pk"))))
        return self.filter(pk__in=held.values("user"))

    def whose_roles_take(self, most: int, *, role: Role) -> Self:
        """People who have this role, and the names of whose roles take more than `most` bytes in a JSON array."""
        held = UserRole.objects.filter(user__in=UserRole.objects.filter(role=role).values("user")).values("user")
        sizes = held.annotate(size=Sum(JSONLength("role__name") + len(",")))
        return self.filter(pk__in=sizes.filter(size__gt=most).values("user"))

    def matching(
        self,
        *,
        text: str = "",
        role: Role | None = None,
        verified: bool | None = None,
        blocked: bool | None = None,
        admin: bool | None = None,
    ) -> Self:
        """People whom `text` finds and whom all else that is given is true of; each is asked of an index of its own."""
        found = self.found_by(text) if role is None else self.found_by(text).having(role)
        states = {"email_verified": verified, "blocked": blocked, "is_superuser": admin}
        return found.filter(**{name: value for name, value in states.items() if value is not None})

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
    email_key = KeyField(max_length=LONGEST_EMAIL, unique=True)
    email_verified = models.BooleanField(default=False)
    password = models.CharField(max_length=200, null=True)  # type: ignore[assignment]  # Django's is never null
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    name_key = SearchKeyField(of=["first_name", "last_name"])
    last_name_key = SearchKeyField(of=["last_name"])
    roles = models.ManyToManyField(Role, related_name="users", blank=True, through="UserRole")
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
            models.Index(fields=["id"], condition=Q(is_superuser=True), name="users_who_are_admins"),
            models.Index(fields=["id"], condition=Q(email_verified=True), name="users_who_are_verified"),
            models.Index(fields=["id"], condition=Q(email_verified=False), name="users_who_are_unverified"),
            models.Index(fields=["id"], condition=Q(blocked=True), name="users_who_are_blocked"),
            models.Index(fields=["name_key"], name="users_by_name"),
            models.Index(fields=["last_name_key"], name="users_by_last_name"),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """As Django's; where a name is saved, its keys are saved with it."""
        if update_fields is not None and {"first_name", "last_name"} & set(update_fields):
            update_fields = {*update_fields, "name_key", "last_name_key"}
        super().save(update_fields=update_fields, **options)

    @property
    def role_names(self) -> list[str]:
        """The names of this person's roles, sorted; from the same query where `with_roles` was asked."""
        if not hasattr(self, "loaded_roles"):
            self.loaded_roles = list(self.roles.order_by("name").values_list("name", flat=True))
        return sorted(self.loaded_roles or [])


class UserRole(models.Model):
    """That a person has a role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.ForeignKey(Role, on_delete=models.CASCADE, db_index=False)

    class Meta:
        db_table = "authpages_user_roles"
        unique_together = [("user", "role")]
        indexes = [models.Index(fields=["role", "user"], name="users_of_a_role")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


def _are_many(found: models.QuerySet[Any, Any]) -> bool:
    """Whether, on SQLite, the newest of those found are found sooner among all people than by sorting them.

    It can't know how many a condition is true of, and would sort half the table. PostgreSQL knows, and decides itself.
    """
    return connection.vendor == "sqlite" and found[MANY : MANY + 1].exists()


def role_names_of(user_reference: str) -> Subquery:
    """The names of the roles of the user whose id the outer query has at `user_reference`, as a JSON array."""
    held = UserRole.objects.filter(user_id=OuterRef(user_reference)).order_by().values("user_id")
    names = held.annotate(names=JSONGroup("role__name")).values("names")
    return Subquery(names, output_field=models.JSONField())
