"""Makes rows of a file that was taken in: batch after batch, each in one transaction with how far it came.

Who takes a job over begins again after the last batch that was committed; a table that is still to be inferred is
inferred anew.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from datahub import signals
from datahub.dynamic import SYSTEM_MEMBERS, Definition, definition_now
from datahub.errors import NoSuchTable, RowTooLarge, TableBusy
from datahub.import_files import FILES, Batch, Cells, Flaw, NdjsonFile, RowFile, Unreadable
from datahub.import_values import CellReader
from datahub.inference import JsonGuess, TextGuess
from datahub.models import Import, ImportBatch, ImportChunk, ImportReject, Table
from datahub.services import jobs
from datahub.services.column_checks import COLUMNS_MAX, NewColumn
from datahub.services.imports.plan import REJECTS_MAX, Converted, NotPossible, Plan
from datahub.services.imports.upload import OWNER, SET_APART, is_export
from datahub.services.owners import known_people
from datahub.services.row_transactions import open_for_writing
from datahub.services.tables import create_table
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import origin_from

TOLD_MAX = 500  # characters of what is wrong
TRIES = 5  # of a batch, while others take its unique values
CHUNKS_AT_ONCE = 20  # deleted in one portion
[OWNER_MEMBER] = [member for member in SYSTEM_MEMBERS if member.key == OWNER]


class Loading:
    """An import in a worker's hands."""

    def __init__(self, lease: jobs.Lease) -> None:
        self._lease = lease
        self._file: RowFile | None = None
        self._guessing: _Guessing | None = None
        self._plan: Plan | None = None

    def step(self) -> bool:
        """Do one portion; tells whether there is more to do. Raises `jobs.LeaseLost`."""
        source = Import.objects.select_related("table").filter(pk=self._lease.subject).first()
        if source is None:
            return self._end()
        if source.state != Import.State.RUNNING:
            return self._clear(source)
        try:
            if source.makes_table and not source.targets:
                self._infer(source)
            else:
                self._load(source)
        except NoSuchTable:
            self.fail(_("The table was deleted meanwhile."))
        except (NotPossible, Unreadable) as reason:
            self.fail(str(reason))
        return True

    def fail(self, detail: str) -> None:
        """End the import, with what it has made so far."""
        with jobs.portion(self._lease):
            Import.objects.filter(pk=self._lease.subject).update(state=Import.State.FAILED, detail=detail)

    def _clear(self, source: Import) -> bool:
        """Delete the file; a part of it in each portion."""
        with jobs.portion(self._lease):
            chunks = ImportChunk.objects.filter(of=source)
            ids = list(chunks.order_by("number").values_list("pk", flat=True)[:CHUNKS_AT_ONCE])
            chunks.filter(pk__in=ids).delete()
            if len(ids) < CHUNKS_AT_ONCE:
                jobs.finish(self._lease)
                return False
        return True

    def _end(self) -> bool:
        with jobs.portion(self._lease):
            jobs.finish(self._lease)
        return False

    # A new table -----------------------------------------------------------------------------------------------------

    def _infer(self, source: Import) -> None:
        """Look at the next rows; after the last ones, make the table."""
        if self._guessing is None:
            self._guessing = _Guessing(source)
        if not self._guessing.see_next():
            return
        guessing, self._guessing = self._guessing, None
        guessing.check_owners()
        columns = guessing.columns()
        if not columns:
            self._refuse_without_columns(source, guessing)
            return
        with jobs.portion(self._lease):
            try:
                table = create_table(
                    name=source.table_key, key=source.table_key, columns=columns, origin=origin_from(source.origin)
                )
            except TableBusy:
                raise
            except DomainError as refusal:
                raise NotPossible(refusal.detail) from None
            made = iter(definition_now(table.pk).columns)
            source.headers, apart = guessing.headers, guessing.set_apart
            source.targets = [apart[each] if each in apart else str(next(made).uid) for each in source.headers]
            source.table = table
            source.save(update_fields=["table", "headers", "targets"])

    def _refuse_without_columns(self, source: Import, guessing: "_Guessing") -> None:
        with jobs.portion(self._lease):
            _keep_rejects(source, guessing.flaws)
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
            _write(source, plan, converted)

    def _plan_for(self, definition: Definition, source: Import) -> Plan:
        if self._plan is None or self._plan.definition is not definition:
            self._plan = Plan(definition, source)
        return self._plan


def _write(source: Import, plan: Plan, converted: Converted) -> None:
    """The rows of a batch, how far the import came, and after the last one its end."""
    plan.refuse_conflicts(converted)
    last = ImportBatch.objects.filter(of=source).order_by("-id").first()
    made = plan.insert(converted, last.tick + last.count if last else 0, _attempt)
    batch, imported = converted.batch, len(converted.fit)
    if imported:
        ImportBatch.objects.create(of=source, tick=made.tick, seed=made.seed, count=made.count)
    _keep_rejects(source, sorted([*batch.flaws, *converted.flaws], key=lambda flaw: flaw.line))
    source.rows_read += batch.read
    source.rows_imported += imported
    source.rows_rejected += batch.read - imported
    source.state = Import.State.DONE if batch.is_last else Import.State.RUNNING
    source.save(update_fields=["rows_read", "rows_imported", "rows_rejected", "state"])
    if batch.is_last:
        _tell(plan.definition.table, source)


def _tell(table: Table, source: Import) -> None:
    signals.table_imported.send(
        sender=Table,
        table_id=table.uid,
        name=table.name,
        description=table.description,
        import_id=source.pk,
        rows_imported=source.rows_imported,
        origin=origin_from(source.origin),
    )


class _Guessing:
    """The look through a whole file for what its columns are."""

    def __init__(self, source: Import) -> None:
        self._file = FILES[source.format](chunks_of(source.pk))
        self._guesses: dict[str, TextGuess | JsonGuess] = {}
        self._owners = CellReader(OWNER_MEMBER, is_text=source.format == Import.Format.CSV, wants_values=True)
        self._has_a_person = False
        self._first_owner: int | None = None  # the line that names one
        self.rows = 0
        self.flaws: list[Flaw] = []  # the first ones
        if source.format == Import.Format.CSV:
            self._guesses = {header: TextGuess() for header in source.headers}

    @property
    def headers(self) -> list[str]:
        """The headers of a CSV; of NDJSON the members that there are, as they first come."""
        return list(self._guesses)

    @property
    def set_apart(self) -> Mapping[str, str]:
        """The headers of which no columns are made, and where their cells go.

        What the system had set is passed over where the file has all of it, as exports of ours do; a foreign `id` is a
        column like others.
        """
        return SET_APART if is_export(self._guesses) else {OWNER: OWNER}

    def see_next(self) -> bool:
        """Look at the next rows; tells whether those were the last."""
        batch = self._file.batch()
        self.rows += batch.read
        self.flaws += batch.flaws[: REJECTS_MAX - len(self.flaws)]
        if isinstance(self._file, NdjsonFile):
            for record in batch.records:
                if not record.keys() <= self._guesses.keys():
                    self._expect(record.keys() - self._guesses.keys(), record)
        for (header, guess), cells in zip(self._guesses.items(), self._file.cells(batch, self.headers), strict=True):
            guess.see(cells)
            if header == OWNER:
                self._see_owners(batch, cells)
        return batch.is_last

    def _expect(self, members: AbstractSet[str], record: Mapping[str, Any]) -> None:
        if len(self._guesses) + len(members) > COLUMNS_MAX + len(SET_APART):
            raise NotPossible(_("A table may have %(max)d columns; here are more.") % {"max": COLUMNS_MAX})
        self._guesses |= {key: JsonGuess() for key in record if key in members}

    def _see_owners(self, batch: Batch, cells: Cells) -> None:
        """Look for a person among the owners, until there is one."""
        if self._has_a_person:
            return
        read = self._owners.read(cells)
        named = {index: value for index, value in enumerate(read.values) if value is not None}
        self._has_a_person = bool(named and known_people(set(named.values())))
        if self._first_owner is None and (named or read.flaws):
            self._first_owner = batch.lines[min([*named, *read.flaws])]

    def check_owners(self) -> None:
        """Raises `NotPossible` where no owner is a person of ours: their column would go with the rejected rows."""
        if self._first_owner is not None and not self._has_a_person:
            detail = _(
                "‘owner’ is for the ids of people of this installation, whom the rows belong to; line %(line)d has "
                "something else, and no other line has one. Leave the column out, or call it otherwise in the file."
            )
            raise NotPossible(detail % {"line": self._first_owner})

    def columns(self) -> list[NewColumn]:
        """What columns the table needs, beside those that every table has."""
        apart = self.set_apart
        found = {name: guess.guess() for name, guess in self._guesses.items() if name not in apart}
        return [NewColumn(name=name, type=each.type, options=each.options) for name, each in found.items()]


def chunks_of(id: UUID) -> Iterator[bytes]:
    """The file, piece by piece."""
    number = 0
    chunks = ImportChunk.objects.filter(of=id)
    while (content := chunks.filter(number=number).values_list("content", flat=True).first()) is not None:
        yield bytes(content)
        number += 1


def _attempt(work: Callable[[], None]) -> str:
    """Do it as a whole or not at all; tells why not, where the rows themselves are to blame."""
    try:
        with transaction.atomic():
            work()
    except (DataError, OperationalError) as error:
        state = getattr(error.__cause__, "sqlstate", None) or ""
        if state[:2] not in {"22", "54"}:  # data exception, program limit exceeded
            raise
        return str(RowTooLarge.title) if isinstance(error, OperationalError) else _("The database refuses this row.")
    return ""


def _keep_rejects(source: Import, flaws: list[Flaw]) -> None:
    if not flaws:
        return
    room = REJECTS_MAX - ImportReject.objects.filter(of=source).count()
    ImportReject.objects.bulk_create(
        ImportReject(of=source, line=flaw.line, pointer=_storable(flaw.pointer), detail=_storable(flaw.detail))
        for flaw in flaws[:room]
    )


def _storable(text: str) -> str:
    """The text without what no database keeps: a member of JSON may be called anything."""
    return text[:TOLD_MAX].replace("\0", "\ufffd").encode(errors="replace").decode()
