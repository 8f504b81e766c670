"""What the Datahub forgets in time: columns deleted long ago, old answers, uploads without an end or a
confirmation, what rejected rows held."""

from django.utils import timezone

from datahub.services.idempotency import delete_old_answers
from datahub.services.imports.mending import forget_old_cells
from datahub.services.imports.previews import forget_unconfirmed
from datahub.services.imports.upload import delete_abandoned_uploads
from datahub.services.purging import ask_for_purges


def keep_house() -> None:
    """Forget what has had its time; what takes long becomes a job."""
    now = timezone.now()
    delete_old_answers()
    delete_abandoned_uploads(now)
    forget_unconfirmed(now)
    forget_old_cells(now)
    ask_for_purges(now)
