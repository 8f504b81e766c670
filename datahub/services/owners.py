"""People who own rows: those that are named must be there, and stay while a row is given to them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils.translation import gettext as _

from datahub.access import Caller
from datahub.dynamic import Definition
from datahub.models import Table
from datahub.row_shapes import Row
from fastgen_backend.errors import FieldError, InvalidInput


def refuse_unknown_owners(definition: Definition, rows: Sequence[Row], places: Sequence[str], caller: Caller) -> None:
    """Raise `InvalidInput` where a row is to belong to nobody we know.

    The caller is known; and yet looked at where the table does something with the rows of a person who is deleted,
    lest a row come when that is done.
    """
    named = {row["owner"] for row in rows if row.get("owner")}
    if definition.table.on_owner_delete == Table.OnOwnerDelete.KEEP:
        named.discard(caller.user_id)
    if not named:
        return
    unknown = named - known_people(named)
    detail = _("There is no such person.")
    errors = [
        FieldError(f"{place}/owner", "no-such-person", detail)
        for row, place in zip(rows, places, strict=True)
        if row.get("owner") in unknown
    ]
    if errors:
        raise InvalidInput(errors)


def known_people(ids: Collection[UUID]) -> set[UUID]:
    """Those who are there; they can't be deleted until the transaction ends."""
    users = get_user_model()
    if connection.vendor != "postgresql":
        return set(users._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT id FROM "{users._meta.db_table}" WHERE id = ANY(%s) FOR KEY SHARE',  # noqa: S608  ours
            [list(ids)],
        )
        return {id for (id,) in cursor.fetchall()}
