"""Holding apps, so that they and their party stay as they are. Who holds people or sessions too holds the app first.

`remove_access` holds no app: it holds the person, then their sessions, and voids codes in the order of `delete_app`.
"""

from django.db import connection, models

from authpages.models import App
from fastgen_backend.prepared import Parameter, Prepared

HOLD_APP = f'SELECT first_party FROM "{App._meta.db_table}" WHERE id = %s FOR KEY SHARE'  # noqa: S608  names of ours


def hold_app(app: App) -> bool:
    """Keep the app and its party as they are until the transaction ends; whether it is there. Others may do so too."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(HOLD_APP, [app.pk])
            found = cursor.fetchone()
    else:
        found = _party_by_id.row(id=app.pk)
    if found:
        app.first_party = found[0]
    return found is not None


_party_by_id = Prepared(lambda: App.objects.filter(pk=Parameter("id", models.UUIDField())).values_list("first_party"))
