"""How what has had its time is deleted: in bites, each a short transaction, so that others write between them."""

from typing import Any

from django.db import models, transaction

BITE = 200  # rows: some ten milliseconds of the only write lock of SQLite


def delete_some(rows: "models.QuerySet[Any]", at_once: int = BITE) -> bool:
    """Delete the first `at_once` of `rows`, in their order; tells whether there may be more.

    What someone else holds is left to them. Where there is nothing, no lock is taken.
    """
    if not rows.exists():
        return False
    with transaction.atomic():
        ids = lock_some(rows, at_once)
        rows.model._default_manager.filter(pk__in=ids).delete()
    return len(ids) == at_once


def lock_some(rows: "models.QuerySet[Any]", at_once: int = BITE) -> list[Any]:
    """The ids of the first `at_once` of `rows`, without those that someone else holds. Inside a transaction."""
    return list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:at_once])
