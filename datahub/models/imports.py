"""Imports: the file, what it is to become, what of it was made, and what was rejected."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from datahub.models.tables import KEY_MAX, NAME_MAX, Column, Table
from fastgen_backend.ids import uuid7

FILE_NAME_MAX = 255


class ImportQuerySet(models.QuerySet["Import"]):
    def asked_for(self) -> Self:
        """Those that run or ran: their file is complete, and nobody has still to say what it becomes."""
        before = (Import.State.UPLOADING, Import.State.LOOKING, Import.State.WAITING)
        return self.exclude(state__in=[*before, Import.State.FORGOTTEN])

    def shown(self) -> Self:
        """These, and those whose file is looked through, or waits for somebody to confirm what it becomes."""
        return self.exclude(state__in=[Import.State.UPLOADING, Import.State.FORGOTTEN])

    def abandoned(self, now: datetime) -> Self:
        """Those whose file never became complete, because the process that received it died."""
        return self.filter(state=Import.State.UPLOADING, created_at__lt=now - timedelta(days=1))

    def unconfirmed(self, now: datetime) -> Self:
        """Those that have waited for a day."""
        return self.filter(state=Import.State.WAITING, created_at__lt=now - timedelta(days=1))


class Import(models.Model):
    """A file that becomes rows of a table.

    uploading → running → done | failed. While it runs, a new table is first inferred from the whole file and made,
    then batch after batch is loaded. Where somebody wants to see first what the table would be: uploading → looking →
    waiting → running | forgotten. What is done or failed can be undone: undo is "" → running → done.
    `headers` names the cells of a row in the file, `targets` says where each goes: the id of a column, `owner`, or
    nowhere.
    """

    class State(models.TextChoices):
        UPLOADING = "uploading"
        LOOKING = "looking"
        WAITING = "waiting"
        FORGOTTEN = "forgotten"
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
    file_name = models.CharField(max_length=FILE_NAME_MAX, blank=True)
    size = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
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


class ImportPreview(models.Model):
    """What a new table would be, as far as the file tells, until somebody has confirmed or corrected it.

    `columns` tells of each header `{name, type, options, longest, choices}`, or `{target}` where its cells go elsewhere
    than to a column. `sample` holds the cells of the first rows. `chosen` is what was confirmed: of each header the
    column as it is asked for, or the target.
    """

    of = models.OneToOneField(Import, on_delete=models.CASCADE, primary_key=True, related_name="preview")
    name = models.CharField(max_length=NAME_MAX)
    key = models.CharField(max_length=KEY_MAX, blank=True)
    rows = models.BigIntegerField(default=0)
    rows_flawed = models.BigIntegerField(default=0)
    columns = models.JSONField(default=list)
    sample = models.JSONField(default=list)
    chosen = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"preview of {self.of_id}"


class RejectedRow(models.Model):
    """A row of the file that was not imported, to be mended.

    `cells` are its texts in the order of the import's headers; there may be fewer, or more. None where they are too
    large to be kept.
    """

    id = models.BigAutoField(primary_key=True)
    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejected_rows", db_index=False)
    line = models.BigIntegerField()
    cells = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "line"], name="row_is_rejected_once")]

    def __str__(self) -> str:
        return f"line {self.line}"


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
