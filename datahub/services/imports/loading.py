"""Makes rows of a file that was taken in: batch after batch, each in one transaction with how far it came.

Who takes a job over begins again after the last batch that was committed; a table that is still to be inferred is
inferred anew.
"""

from collections.abc import Sequence

from django.db import IntegrityError
from django.utils.translation import gettext as _

from datahub.dynamic import Definition, definition_now
from datahub.errors import NoSuchTable, TableBusy
from datahub.import_files import FILES, Batch, RowFile, Unreadable
from datahub.models import Import, ImportChunk, ImportPreview, Table
from datahub.services import jobs
from datahub.services.column_checks import NewColumn
from datahub.services.imports.guessing import Guessing, chunks_of
from datahub.services.imports.looking import Looking
from datahub.services.imports.plan import Converted, NotPossible, Plan
from datahub.services.imports.rejects import keep_rejects, shift_lines
from datahub.services.imports.writing import tell_import, write_rows
from datahub.services.row_transactions import open_for_writing
from datahub.services.tables import create_table
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import origin_from

TRIES = 5  # of a batch, while others take its unique values
CHUNKS_AT_ONCE = 20  # deleted in one portion


class Loading:
    """An import in a worker's hands."""

    def __init__(self, lease: jobs.Lease) -> None:
        self._lease = lease
        self._file: RowFile | None = None
        self._guessing: Guessing | None = None
        self._looking: Looking | None = None
        self._plan: Plan | None = None

    def step(self) -> bool:
        """Do one portion; tells whether there is more to do. Raises `jobs.LeaseLost`."""
        source = Import.objects.select_related("table").filter(pk=self._lease.subject).first()
        if source is None:
            return self._end()
        if source.state not in {Import.State.LOOKING, Import.State.RUNNING}:
            return self._clear(source)
        try:
            return self._go_on(source)
        except NoSuchTable:
            self.fail(_("The table was deleted meanwhile."))
        except (NotPossible, Unreadable) as reason:
            self.fail(str(reason))
        return True

    def fail(self, detail: str) -> None:
        """End the import, with what it has made so far."""
        with jobs.portion(self._lease):
            found = Import.objects.filter(pk=self._lease.subject).exclude(state=Import.State.FORGOTTEN)
            found.update(state=Import.State.FAILED, detail=detail)

    def _go_on(self, source: Import) -> bool:
        if source.state == Import.State.LOOKING:
            return self._look(source)
        if not source.makes_table or source.targets:
            self._load(source)
        elif preview := ImportPreview.objects.filter(of=source).first():
            self._make_confirmed(source, preview)
        else:
            self._infer(source)
        return True

    def _clear(self, source: Import) -> bool:
        """Delete the file; a part of it in each portion."""
        with jobs.portion(self._lease):
            chunks = ImportChunk.objects.filter(of=source)
            ids = list(chunks.order_by("number").values_list("pk", flat=True)[:CHUNKS_AT_ONCE])
            chunks.filter(pk__in=ids).delete()
            if len(ids) < CHUNKS_AT_ONCE:
                ImportPreview.objects.filter(of=source).delete()
                if source.state == Import.State.FORGOTTEN:
                    source.delete()
                jobs.finish(self._lease)
                return False
        return True

    def _end(self) -> bool:
        with jobs.portion(self._lease):
            jobs.finish(self._lease)
        return False

    # A new table -----------------------------------------------------------------------------------------------------

    def _look(self, source: Import) -> bool:
        """Look at the next rows; after the last ones, wait for somebody to confirm what they would become."""
        if self._looking is None:
            self._looking = Looking(source)
        looking, still = self._looking, Import.objects.filter(pk=source.pk, state=Import.State.LOOKING)
        if not looking.see_next():
            still.update(bytes_read=looking.bytes_seen)
            return True
        with jobs.portion(self._lease):
            looking.keep()
            if not still.update(state=Import.State.WAITING, headers=looking.headers, bytes_read=0):
                return True  # it was forgotten meanwhile
            jobs.finish(self._lease)
        return False

    def _make_confirmed(self, source: Import, preview: ImportPreview) -> None:
        chosen = preview.chosen or []
        columns = [NewColumn(**each["column"]) for each in chosen if "column" in each]
        places = [each.get("target") for each in chosen]
        self._make(source, name=preview.name, key=preview.key, columns=columns, places=places)

    def _infer(self, source: Import) -> None:
        """Look at the next rows; after the last ones, make the table."""
        if self._guessing is None:
            self._guessing = Guessing(source)
        if not self._guessing.see_next():
            return
        guessing, self._guessing = self._guessing, None
        guessing.check_owners()
        columns = guessing.columns()
        if not columns:
            self._refuse_without_columns(source, guessing)
            return
        source.headers = guessing.headers
        places = [guessing.set_apart.get(each) for each in source.headers]
        self._make(source, name=source.table_key, key=source.table_key, columns=columns, places=places)

    def _make(
        self, source: Import, *, name: str, key: str, columns: Sequence[NewColumn], places: Sequence[str | None]
    ) -> None:
        """Make the table; `places` tells where the cells of each header go, None to the next of its columns."""
        with jobs.portion(self._lease):
            try:
                table = create_table(name=name, key=key or None, columns=columns, origin=origin_from(source.origin))
            except TableBusy:
                raise
            except DomainError as refusal:
                raise NotPossible(refusal.detail) from None
            made = iter(definition_now(table.pk).columns)
            source.targets = [str(next(made).uid) if place is None else place for place in places]
            source.table, source.table_key = table, table.key
            source.save(update_fields=["table", "table_key", "headers", "targets"])

    def _refuse_without_columns(self, source: Import, guessing: Guessing) -> None:
        with jobs.portion(self._lease):
            keep_rejects(source, guessing.flaws)
            source.rows_read = source.rows_rejected = guessing.rows
            source.state, source.detail = Import.State.FAILED, _("The file names no column that could be made.")
            source.save(update_fields=["rows_read", "rows_rejected", "state", "detail"])

    # Its rows --------------------------------------------------------------------------------------------------------

    def _load(self, source: Import) -> None:
        if source.table is None:
            raise NoSuchTable
        if self._file is None:
            self._file = FILES[source.format](chunks_of(source.pk))
            self._file.skip(source.rows_read)
        batch = self._file.batch()
        for tries_left in reversed(range(TRIES)):
            try:
                self._commit(source, source.table, self._file, batch)
                return
            except IntegrityError:  # another was quicker with a unique value; now it can be seen
                if not tries_left:
                    raise

    def _commit(self, source: Import, table: Table, file: RowFile, batch: Batch) -> None:
        plan = self._plan_for(definition_now(table.pk), source)
        converted = plan.convert(file, batch)
        with open_for_writing(table) as definition:
            if definition is not plan.definition:  # the table was changed meanwhile
                plan = self._plan_for(definition, source)
                converted = plan.convert(file, batch)
            jobs.hold(self._lease)
            source.bytes_read = file.bytes_taken
            _write(source, plan, converted)

    def _plan_for(self, definition: Definition, source: Import) -> Plan:
        if self._plan is None or self._plan.definition is not definition:
            self._plan = Plan(definition, source)
        return self._plan


def _write(source: Import, plan: Plan, converted: Converted) -> None:
    """The rows of a batch, how far the import came, and after the last one its end."""
    imported, batch = write_rows(source, plan, converted), converted.batch
    if source.format == Import.Format.NDJSON:
        shift_lines(source, batch.flaws)
    keep_rejects(source, sorted([*batch.flaws, *converted.flaws], key=lambda flaw: flaw.line))
    source.rows_read += batch.read
    source.rows_imported += imported
    source.rows_rejected += batch.read - imported
    source.state = Import.State.DONE if batch.is_last else Import.State.RUNNING
    source.save(update_fields=["rows_read", "rows_imported", "rows_rejected", "bytes_read", "state"])
    if batch.is_last:
        tell_import(plan.definition.table, source, origin_from(source.origin))
