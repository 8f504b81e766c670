"""The names that were there before have their keys, too; in small transactions, beside which the product could run."""

from typing import Any

from django.db import migrations, transaction
from django.db.models import Q

from authpages.models.search_keys import search_key

AT_ONCE = 1000
UPDATE = "UPDATE authpages_user SET name_key = %s, last_name_key = %s WHERE id = %s"  # `bulk_update` takes much longer


def fill(apps: Any, schema_editor: Any) -> None:
    people = apps.get_model("authpages", "User").objects.using(schema_editor.connection.alias)
    named = people.exclude(Q(first_name="") & Q(last_name="")).order_by("pk")
    newest = _fill_some(named, schema_editor.connection)
    while newest:
        newest = _fill_some(named.filter(pk__gt=newest), schema_editor.connection)


def _fill_some(named: Any, connection: Any) -> Any:
    """Fill in the keys of the first of these people, locked meanwhile; the id of the last, None without any."""
    id = named.model._meta.pk
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        people = list(named.select_for_update(no_key=True).values_list("first_name", "last_name", "pk")[:AT_ONCE])
        keys = [
            (search_key(f"{first} {last}"), search_key(last), id.get_db_prep_value(pk, connection))
            for first, last, pk in people
        ]
        cursor.executemany(UPDATE, keys)
    return people[-1][2] if people else None


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("authpages", "0005_people_are_found_by_keys")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
