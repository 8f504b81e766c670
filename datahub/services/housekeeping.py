"""What the Datahub forgets in time: columns that were deleted long ago, old answers, uploads that never ended."""

import logging

from django.utils import timezone

from datahub.errors import NoSuchColumn, NoSuchTable, NotHidden, TableBusy
from datahub.models import Column
from datahub.services.columns import purge_column
from datahub.services.idempotency import delete_old_answers
from datahub.services.imports.upload import delete_abandoned_uploads

log = logging.getLogger("fastgen.worker")


def keep_house() -> None:
    """Forget what has had its time; what can't be now is left for the next time."""
    delete_old_answers()
    delete_abandoned_uploads(timezone.now())
    purge_columns()


def purge_columns() -> int:
    """Delete the values of columns that nobody can restore any more; tells how many columns."""
    purged = 0
    for column in Column.objects.purgeable(timezone.now()).select_related("table"):
        try:
            purge_column(table=column.table, id_or_key=str(column.uid))
            purged += 1
        except (NoSuchTable, NoSuchColumn, NotHidden):
            continue  # another worker, or its owner, was quicker
        except TableBusy:
            log.info("The column %s can’t be purged now; it is tried again.", column.uid)
    return purged
