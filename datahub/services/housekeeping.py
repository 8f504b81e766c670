"""What the Datahub forgets in time: columns that were deleted long ago, old answers, uploads that never ended."""

from django.utils import timezone

from datahub.services.idempotency import delete_old_answers
from datahub.services.imports.upload import delete_abandoned_uploads
from datahub.services.purging import ask_for_purges


def keep_house() -> None:
    """Forget what has had its time; what takes long becomes a job."""
    now = timezone.now()
    delete_old_answers()
    delete_abandoned_uploads(now)
    ask_for_purges(now)
