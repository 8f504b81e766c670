"""Columns that nobody can restore any more: their values are deleted, by a worker's job for each column."""

import logging
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from datahub.errors import NoSuchColumn, NoSuchTable, NotHidden
from datahub.models import Column, Job, Table
from datahub.services import jobs
from datahub.services.changes import alone_with
from datahub.services.column_lookups import hidden_column
from datahub.services.rebuilding import drop_physical_column, rebuild_if_worn

log = logging.getLogger("fastgen.worker")
ASKED_AT_ONCE = 500  # the others when these are done


def purge_column(*, table: Table, id_or_key: str, hidden_until: datetime | None = None) -> None:
    """Delete the values of a deleted column for good; that changes no version. Raises `NoSuchColumn`, `NotHidden`.

    The latter also for one that was deleted after `hidden_until`. Raises `SeveralColumns` for a key of more than one.
    """
    with alone_with(table) as definition:
        column = hidden_column(definition, id_or_key)
        if hidden_until and column.hidden_at and column.hidden_at > hidden_until:
            raise NotHidden
        drop_physical_column(definition.table, column)
        column.delete()
        rebuild_if_worn(definition.table)


def ask_for_purges(now: datetime) -> int:
    """Have a worker purge what is due, once each; tells for how many columns that was asked."""
    waiting = Job.objects.filter(kind=Job.Kind.PURGE).values("subject")
    due = Column.objects.purgeable(now).exclude(uid__in=waiting).values_list("uid", flat=True)[:ASKED_AT_ONCE]
    with transaction.atomic():
        asked = [Job(kind=Job.Kind.PURGE, subject=uid) for uid in due]
        Job.objects.bulk_create(asked, ignore_conflicts=True)
    return len(asked)


class Purging:
    """The purge of one column in a worker's hands. Who takes it over does it again, or finds it done."""

    def __init__(self, lease: jobs.Lease) -> None:
        self._lease = lease
        self._is_given_up = False

    def step(self) -> bool:
        """Do it, unless the column was restored meanwhile. Raises `jobs.LeaseLost` or `TableBusy`."""
        due = Column.objects.purgeable(timezone.now()).filter(uid=self._lease.subject)
        column = due.select_related("table").first()
        if column is not None and not self._is_given_up:
            with suppress(NoSuchTable, NoSuchColumn, NotHidden):  # its owner was quicker
                purge_column(table=column.table, id_or_key=str(column.uid), hidden_until=column.hidden_at)
        with jobs.portion(self._lease):
            jobs.finish(self._lease)
        return False

    def fail(self, detail: str) -> None:
        """Let go of it; it is asked for again as long as the column is due."""
        log.error("The column %s can’t be purged: %s", self._lease.subject, detail)
        self._is_given_up = True
