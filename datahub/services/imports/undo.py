"""Takes the rows of an import out again. Those that were changed since stay, and those that others need."""

from dataclasses import asdict
from uuid import UUID

from django.db import transaction

from datahub import signals
from datahub.access import Caller
from datahub.errors import ImportRunning, NoSuchImport, NoSuchTable
from datahub.models import Import, ImportBatch, Job, Table
from datahub.row_ids import ids_of
from datahub.services import jobs, references
from datahub.services.bulk import delete_untouched
from datahub.services.row_transactions import open_for_deletion
from datahub.services.row_writing import delete_ids
from fastgen_backend.origin import Origin, origin_from

WORKER = Caller(reads_all=True, writes_all=True, is_program=True)


def undo_import(*, id: UUID, origin: Origin) -> Import:
    """Ask for the rows of an import that has ended to be deleted; once is enough.

    The table itself stays. Raises `NoSuchImport` or `ImportRunning`.
    """
    with transaction.atomic():
        found = Import.objects.asked_for().filter(pk=id).select_related("table")
        source = found.select_for_update(of=["self"]).first()
        if source is None:
            raise NoSuchImport
        if source.undo:
            return source
        if source.state == Import.State.RUNNING:
            raise ImportRunning
        source.undo, source.undo_origin = Import.Undo.RUNNING, asdict(origin)
        source.save(update_fields=["undo", "undo_origin"])
        jobs.ask_for(Job.Kind.UNDO, source.pk)
    return source


class Undoing:
    """An undo in a worker's hands: the rows of one batch in each portion, the newest first."""

    def __init__(self, lease: jobs.Lease) -> None:
        self._lease = lease

    def step(self) -> bool:
        """Do one portion; tells whether there is more to do. Raises `jobs.LeaseLost`."""
        source = Import.objects.select_related("table").filter(pk=self._lease.subject).first()
        batch = ImportBatch.objects.filter(of=source).order_by("-id").first() if source and source.table else None
        if source is None or source.table is None or batch is None:
            self._finish(source)
            return False
        try:
            self._take_out(source, source.table, batch)
        except NoSuchTable:
            return True  # and next time there is none to look for
        return True

    def fail(self, detail: str) -> None:
        """Leave the rest of the rows where they are."""
        with jobs.portion(self._lease):
            Import.objects.filter(pk=self._lease.subject).update(undo=Import.Undo.NO, detail=detail)
            jobs.finish(self._lease)

    def _finish(self, source: Import | None) -> None:
        with jobs.portion(self._lease):
            table = Table.objects.filter(imports=self._lease.subject).select_for_update(of=["self"]).first()
            Import.objects.filter(pk=self._lease.subject).update(undo=Import.Undo.DONE)
            if source is not None and table is not None:
                _tell(table, source)
            jobs.finish(self._lease)

    def _take_out(self, source: Import, table: Table, batch: ImportBatch) -> None:
        ids = ids_of(batch.tick, bytes(batch.seed), batch.count)
        with open_for_deletion(table, WORKER) as (definition, referring):
            jobs.hold(self._lease)
            if referring:
                rows = definition.rows().filter(pk__in=ids, revision=1).select_for_update().order_by("pk")
                untouched = list(rows.values_list("pk", flat=True))
                needed = references.needed(definition, untouched, referring)
                going = [id for id in untouched if id not in needed]
                references.let_go(definition, going, referring, origin_from(source.undo_origin))
                delete_ids(definition, going)
                source.rows_deleted += len(going)
            else:
                source.rows_deleted += delete_untouched(definition.table.db_table, ids)
            source.rows_kept += definition.rows().filter(pk__in=ids).count()
            batch.delete()
            source.save(update_fields=["rows_deleted", "rows_kept"])


def _tell(table: Table, source: Import) -> None:
    signals.table_import_undone.send(
        sender=Table,
        table_id=table.uid,
        name=table.name,
        description=table.description,
        import_id=source.pk,
        rows_deleted=source.rows_deleted,
        rows_kept=source.rows_kept,
        origin=origin_from(source.undo_origin),
    )
