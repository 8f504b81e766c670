"""Rows of an import as they go in: those that fit, and by which ids they can be found again."""

from collections.abc import Callable

from django.db import DataError, OperationalError, transaction
from django.utils.translation import gettext as _

from datahub import signals
from datahub.errors import RowTooLarge
from datahub.models import Import, ImportBatch, Table
from datahub.services.imports.plan import Converted, Plan
from fastgen_backend.origin import Origin


def write_rows(source: Import, plan: Plan, converted: Converted) -> int:
    """Insert those that fit beside the rows there are, such that an undo finds them; tells how many.

    In the transaction of the caller, who writes to the table. What does not fit is told by `converted`.
    """
    plan.refuse_conflicts(converted)
    last = ImportBatch.objects.filter(of=source).order_by("-id").first()
    made = plan.insert(converted, last.tick + last.count if last else 0, _attempt)
    imported = len(converted.fit)
    if imported:
        ImportBatch.objects.create(of=source, tick=made.tick, seed=made.seed, count=made.count)
    return imported


def tell_import(table: Table, source: Import, origin: Origin) -> None:
    """Say how many rows the import has made by now."""
    signals.table_imported.send(
        sender=Table,
        table_id=table.uid,
        name=table.name,
        description=table.description,
        import_id=source.pk,
        rows_imported=source.rows_imported,
        origin=origin,
    )


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
