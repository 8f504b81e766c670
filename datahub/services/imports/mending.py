"""Rows of an import that were rejected are mended, taken in as the others were, or left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from datahub.dynamic import Definition
from datahub.errors import ImportRunning, ImportUndone, NoSuchImport, NotMendable
from datahub.import_files import Batch
from datahub.import_flaws import Flaw
from datahub.models import Import, ImportReject, RejectedRow, Table
from datahub.services.imports.plan import NotPossible, Plan
from datahub.services.imports.rejects import storable, tell_flaws
from datahub.services.imports.writing import tell_import, write_rows
from datahub.services.row_transactions import open_for_writing
from fastgen_backend.origin import Origin

TRIES = 5  # while others take unique values


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of rows: how many were taken in, and how many are still rejected."""

    taken_in: int
    still_rejected: int


def mend_rows(*, id: UUID, rows: Mapping[int, Sequence[str]], origin: Origin) -> Mended:
    """Take in rejected rows with these cells, by their lines, as the import took in others; an undo takes them out.

    Cells are in the order of the import's headers; those beyond must be empty. Rows that still have flaws stay as they
    are now, with the reasons of now; those that are not rejected any more, because somebody else was quicker, are
    passed over. Raises `NoSuchImport`, `ImportRunning`, `ImportUndone`, or `NotMendable`.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            return _mend(_table_of(id), id, rows, origin)
        except IntegrityError:  # another was quicker with a unique value; now it can be seen
            if not tries_left:
                raise
        except NotPossible as reason:
            raise NotMendable(str(reason)) from None
    raise AssertionError("unreachable")


def can_be_mended(source: Import) -> bool:
    """Whether its rejected rows have a place to go."""
    is_over = source.state in {Import.State.DONE, Import.State.FAILED} and not source.undo
    return is_over and source.table is not None and bool(source.targets)


def keep_cells(*, id: UUID, rows: Mapping[int, Sequence[str]]) -> None:
    """Keep what was typed into rejected rows, without a look at it. Raises `NoSuchImport`."""
    with transaction.atomic():
        source = _locked(id)
        for row in _rejected(source, rows):
            row.cells = _clean(rows[row.line])
            row.save(update_fields=["cells"])


def leave_out(*, id: UUID, lines: Collection[int]) -> int:
    """Forget the rejected rows of these lines; tells how many. They stay counted. Raises `NoSuchImport`."""
    with transaction.atomic():
        source = _locked(id)
        ImportReject.objects.filter(of=source, line__in=lines).delete()
        return RejectedRow.objects.filter(of=source, line__in=lines).delete()[0]


def forget_old_cells(now: datetime) -> int:
    """Forget the cells of rejected rows as late as those of deleted columns; tells of how many rows."""
    long_ago = now - timedelta(days=settings.COLUMN_RETENTION_DAYS)
    return RejectedRow.objects.filter(of__created_at__lte=long_ago).delete()[0]


def _mend(table: Table, id: UUID, rows: Mapping[int, Sequence[str]], origin: Origin) -> Mended:
    with open_for_writing(table) as definition:
        source = _locked(id)
        _refuse_undone(source)
        rejected = _rejected(source, rows)
        for row in rejected:
            row.cells = _clean(rows[row.line])
        mending = _Mending(definition, source, rejected)
        taken_in = mending.take_in()
        if taken_in:
            source.rows_imported += taken_in
            source.rows_rejected -= taken_in
            source.save(update_fields=["rows_imported", "rows_rejected"])
            tell_import(definition.table, source, origin)
    return Mended(taken_in, len(rejected) - taken_in)


class _Mending:
    """Rejected rows with the cells they have by now, in the transaction that writes them."""

    def __init__(self, definition: Definition, source: Import, rows: Sequence[RejectedRow]) -> None:
        self._plan = Plan(definition, source, is_text=True)
        self._source = source
        self._width = len(source.headers)
        self._rows = rows

    def take_in(self) -> int:
        """Insert those without a flaw; keep the others with theirs. Tells how many were inserted."""
        flaws = [flaw for row in self._rows for flaw in self._flaws_of_width(row)]
        wrong = {flaw.line for flaw in flaws}
        whole = [row for row in self._rows if row.line not in wrong]
        cells = [self._padded(row) for row in whole]
        batch = Batch(lines=[row.line for row in whole])
        columns = [[row[place] for row in cells] for place in range(self._width)]
        converted = self._plan.convert_cells(columns, batch)
        taken_in = write_rows(self._source, self._plan, converted)
        self._keep({batch.lines[index] for index in converted.fit}, [*flaws, *converted.flaws])
        return taken_in

    def _padded(self, row: RejectedRow) -> list[str]:
        cells = list(row.cells or [])[: self._width]
        return cells + [""] * (self._width - len(cells))

    def _flaws_of_width(self, row: RejectedRow) -> list[Flaw]:
        beyond = [cell for cell in (row.cells or [])[self._width :] if cell]
        detail = _("Cells beyond the headers go nowhere: move what you need to its column, and empty them.")
        return [Flaw(row.line, "", detail)] if beyond else []

    def _keep(self, taken_in: Collection[int], flaws: Sequence[Flaw]) -> None:
        """Of rows that were taken in nothing; of the others what they are now, and why."""
        ImportReject.objects.filter(of=self._source, line__in=[row.line for row in self._rows]).delete()
        RejectedRow.objects.filter(pk__in=[row.pk for row in self._rows if row.line in taken_in]).delete()
        RejectedRow.objects.bulk_update([row for row in self._rows if row.line not in taken_in], ["cells"])
        tell_flaws(self._source, sorted(flaws, key=lambda flaw: flaw.line))


def _table_of(id: UUID) -> Table:
    source = Import.objects.asked_for().filter(pk=id).select_related("table").first()
    if source is None:
        raise NoSuchImport
    if source.table is None:
        raise NotMendable(_("The table is not there any more."))
    return source.table


def _locked(id: UUID) -> Import:
    """The import, kept from others who mend its rows, until the commit."""
    source = Import.objects.asked_for().filter(pk=id).select_for_update().first()
    if source is None:
        raise NoSuchImport
    if source.state == Import.State.RUNNING:
        raise ImportRunning
    return source


def _refuse_undone(source: Import) -> None:
    if source.undo:
        raise ImportUndone(_("The rows of this import were taken out again; import what you mended as a file."))
    if len(source.targets) != len(source.headers) or not source.targets:
        raise NotMendable(_("It failed before it was known where the cells go."))


def _rejected(source: Import, lines: Collection[int]) -> list[RejectedRow]:
    return list(RejectedRow.objects.filter(of=source, line__in=lines).exclude(cells=None).order_by("line"))


def _clean(cells: Sequence[str]) -> list[str]:
    return [storable(cell) for cell in cells]
