"""What the Datahub does when a person is deleted: their rows go the way that each table says."""

from typing import Any

from django.dispatch import receiver

from authpages import signals
from datahub.services.ownership import treat_rows_of
from fastgen_backend.origin import Origin


@receiver(signals.user_deleted)
def on_user_deleted(*, user: Any, origin: Origin, **_: Any) -> None:
    treat_rows_of(user_id=user.pk, origin=origin)
