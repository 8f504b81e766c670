"""What the tables of users are: their columns, their rules. Their rows are in tables of their own, `dh_<n>`."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from fastgen_backend.ids import uuid7

NAME_MAX = 200
KEY_MAX = 50
DESCRIPTION_MAX = 2000


class Verb(models.TextChoices):
    """What a caller may be allowed to do with the rows of a table."""

    LIST = "list"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


def closed_to_all() -> dict[str, Any]:
    """The access of a new table: nobody but admins and API keys."""
    return dict.fromkeys(Verb.values, "admin")


def uid_of(id_or_key: str) -> uuid.UUID | None:
    """The id that this is; None for what can only be a key, as a key of 32 hexadecimal digits is."""
    try:
        return uuid.UUID(id_or_key) if "-" in id_or_key else None
    except ValueError:
        return None


def folded_key_of(id_or_key: str) -> str:
    """How keys are compared; empty for what is none, such as a text with NUL, which PostgreSQL does not take."""
    return id_or_key.lower() if id_or_key.isascii() and id_or_key.isprintable() else ""


class TableQuerySet(models.QuerySet["Table"]):
    def named(self, id_or_key: str) -> Self:
        """The table with this id or, whatever its letter case, this key."""
        uid = uid_of(id_or_key)
        return self.filter(uid=uid) if uid else self.filter(folded_key=folded_key_of(id_or_key))

    def called_like(self, text: str) -> Self:
        """Tables whose name or key holds the text, in any letter case; all where it is empty."""
        return self.filter(Q(name__icontains=text) | Q(key__icontains=text)) if text else self

    def with_column_counts(self) -> Self:
        """Each with the number of its visible columns, as `column_count`."""
        return self.annotate(column_count=models.Count("columns", Q(columns__hidden_at=None)))


class Table(models.Model):
    """A table of users. `id` names the physical table and never leaves the database; `version` counts its changes."""

    class OnOwnerDelete(models.TextChoices):
        """What becomes of a person's rows when the person is deleted."""

        KEEP = "keep"
        CLEAR = "clear"
        DELETE = "delete"

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=uuid7, editable=False)
    key = models.CharField(max_length=KEY_MAX)
    folded_key = models.GeneratedField(
        expression=Lower("key"), output_field=models.CharField(max_length=KEY_MAX), db_persist=True, unique=True
    )
    name = models.CharField(max_length=NAME_MAX)
    description = models.CharField(max_length=DESCRIPTION_MAX, blank=True)
    version = models.PositiveIntegerField(default=1)
    access = models.JSONField(default=closed_to_all)
    on_owner_delete = models.CharField(max_length=10, choices=OnOwnerDelete, default=OnOwnerDelete.KEEP)
    row_events = models.BooleanField(default=False)
    columns_made = models.PositiveIntegerField(default=0)  # ever, so that no physical name comes twice
    attributes_used = models.PositiveIntegerField(default=0)  # of the physical table, those of dropped columns too
    generation = models.PositiveIntegerField(default=0)  # of the physical table: it is rebuilt when these run out
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TableQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key

    @property
    def db_table(self) -> str:
        """The physical table that holds the rows."""
        return f"dh_{self.pk}_{self.generation}" if self.generation else f"dh_{self.pk}"


class ColumnQuerySet(models.QuerySet["Column"]):
    def visible(self) -> Self:
        """Columns that are not deleted, in their order."""
        return self.filter(hidden_at=None).order_by("position", "id").select_related("conversion__into")

    def referring_to(self, table: Table) -> Self:
        """Visible columns of other tables that name its rows, with their tables."""
        return self.filter(target=table, hidden_at=None).exclude(table=table).select_related("table")

    def hidden(self) -> Self:
        """Deleted columns that still can be restored, and the originals of changed types; the newest first."""
        found = self.exclude(hidden_at=None).filter(is_arriving=False).order_by("-hidden_at", "-id")
        return found.select_related("original_of", "conversion")

    def named(self, id_or_key: str) -> Self:
        """The columns with this id or, whatever its letter case, this key."""
        uid = uid_of(id_or_key)
        return self.filter(uid=uid) if uid else self.filter(key__iexact=folded_key_of(id_or_key))

    def purgeable(self, now: datetime) -> Self:
        """Columns that were hidden for so long that nobody can restore them any more."""
        return self.filter(is_arriving=False, hidden_at__lte=now - timedelta(days=settings.COLUMN_RETENTION_DAYS))


class Column(models.Model):
    """A column of a table of users: physically `c<number>`, in the type that its kind and options ask for.

    A deleted column is hidden and keeps its values until it is purged. After a change of type the column goes on
    in a new physical column; the values of before are kept by a hidden column, its `original_of`.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=uuid7, editable=False)
    table = models.ForeignKey(Table, on_delete=models.CASCADE, related_name="columns")
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=KEY_MAX)
    name = models.CharField(max_length=NAME_MAX)
    type = models.CharField(max_length=20)
    options = models.JSONField(default=dict)
    target = models.ForeignKey(Table, on_delete=models.SET_NULL, null=True, related_name="referring_columns")
    required = models.BooleanField(default=False)
    unique = models.BooleanField(default=False)
    indexed = models.BooleanField(default=False)
    position = models.PositiveIntegerField()
    hidden_at = models.DateTimeField(null=True)
    is_arriving = models.BooleanField(default=False)  # into which another is being converted; hidden until it is done
    original_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="originals")

    objects = ColumnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                F("table"), Lower("key"), condition=Q(hidden_at=None), name="column_keys_are_unique_in_a_table"
            ),
            models.UniqueConstraint(fields=["table", "number"], name="physical_columns_are_unique_in_a_table"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def copied_to(self) -> str:
        """The physical column that its values are being converted into; empty where they are not."""
        conversion = getattr(self, "conversion", None)
        return conversion.into.db_column if conversion and conversion.into else ""

    @property
    def db_column(self) -> str:
        """The physical column that holds the values."""
        return f"c{self.number}"
