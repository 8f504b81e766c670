"""Work that is done in portions beside the requests: imports, and who is at them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from datahub.models.tables import KEY_MAX, Column, Table
from fastgen_backend.ids import uuid7


class JobQuerySet(models.QuerySet["Job"]):
    def free_for(self, worker: Any, living: models.QuerySet[Any]) -> Self:
        """Jobs that are due and in nobody's hands: those of workers that are no longer alive are, too."""
        free = Q(worker=None) | Q(worker=worker) | ~Q(worker__in=living)
        return self.filter(free, due_at__lte=timezone.now()).order_by("due_at", "id")


class Job(models.Model):
    """Something a worker does in portions; each is one transaction with its progress. It is gone once it is done.

    `worker` and `fence` are the lease: only who holds both may write, and every claim raises the fence. `tries` counts
    the claims since the last portion that was done.
    """

    class Kind(models.TextChoices):
        IMPORT = "import"
        UNDO = "undo"
        CONVERSION = "conversion"
        PURGE = "purge"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.UUIDField()
    due_at = models.DateTimeField(default=timezone.now)
    worker = models.UUIDField(null=True)
    fence = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="job_is_done_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class ImportQuerySet(models.QuerySet["Import"]):
    def uploaded(self) -> Self:
        """Those whose file is complete."""
        return self.exclude(state=Import.State.UPLOADING)

    def abandoned(self, now: datetime) -> Self:
        """Those whose file never became complete, because the process that received it died."""
        return self.filter(state=Import.State.UPLOADING, created_at__lt=now - timedelta(days=1))


class Import(models.Model):
    """A file that becomes rows of a table.

    uploading → running → done | failed. While it runs, a new table is first inferred from the whole file and made,
    then batch after batch is loaded. What is done or failed can be undone: undo is "" → running → done.
    `headers` names the cells of a row in the file, `targets` says where each goes: the id of a column, `owner`, or
    nowhere.
    """

    class State(models.TextChoices):
        UPLOADING = "uploading"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    class Format(models.TextChoices):
        CSV = "csv"
        NDJSON = "ndjson"

    class Undo(models.TextChoices):
        NO = "", "no"
        RUNNING = "running"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    table = models.ForeignKey(Table, on_delete=models.SET_NULL, null=True, related_name="imports")
    table_key = models.CharField(max_length=KEY_MAX)
    makes_table = models.BooleanField(default=False)
    format = models.CharField(max_length=10, choices=Format)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADING)
    detail = models.TextField(blank=True)
    origin = models.JSONField(default=dict)
    owner = models.UUIDField(null=True)
    headers = models.JSONField(default=list)
    targets = models.JSONField(default=list)
    rows_read = models.BigIntegerField(default=0)
    rows_imported = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    undo = models.CharField(max_length=10, choices=Undo, default=Undo.NO, blank=True)
    undo_origin = models.JSONField(default=dict)
    rows_deleted = models.BigIntegerField(default=0)
    rows_kept = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ImportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.state} import {self.pk}"

    def filled_columns(self) -> list[Column]:
        """The columns that cells of the file go to, in its order; none while they are not known."""
        places = {target: place for place, target in enumerate(self.targets)}
        visible = Column.objects.filter(table=self.table).visible() if self.table else Column.objects.none()
        return sorted((each for each in visible if str(each.uid) in places), key=lambda column: places[str(column.uid)])

    def ignored_headers(self) -> list[str] | None:
        """Those whose cells go nowhere: each row has its own id and moments. None while, or where, they are not known.

        The members of NDJSON are looked at for a new table only.
        """
        if not self.targets or (self.format == Import.Format.NDJSON and not self.makes_table):
            return None
        return [header for header, target in zip(self.headers, self.targets, strict=True) if not target]


class ImportChunk(models.Model):
    """A megabyte of the file, until the import has ended."""

    id = models.BigAutoField(primary_key=True)
    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "number"], name="chunk_is_there_once")]

    def __str__(self) -> str:
        return f"chunk {self.number}"


class ImportReject(models.Model):
    """Why a row of the file was not imported."""

    id = models.BigAutoField(primary_key=True)
    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejects")
    line = models.BigIntegerField()
    pointer = models.TextField()
    detail = models.TextField()

    def __str__(self) -> str:
        return f"line {self.line}"


class ImportBatch(models.Model):
    """Rows that were made in one transaction; their ids can be made again from `tick` and `seed`.

    `tick` counts the 4096ths of a millisecond since 1970 that the first id tells; each of the others tells one more.
    """

    id = models.BigAutoField(primary_key=True)
    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="batches")
    tick = models.BigIntegerField()
    seed = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.count} rows"
