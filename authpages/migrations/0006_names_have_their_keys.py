"""The names that were there before have their keys, too; in small transactions, beside which the product could run."""

from typing import Any

from django.db import migrations, transaction
from django.db.models import Q

from authpages.models.search_keys import search_key

AT_ONCE = 1000


def fill(apps: Any, schema_editor: Any) -> None:
    named = apps.get_model("authpages", "User").objects.exclude(Q(first_name="") & Q(last_name="")).order_by("pk")
    people = list(named[:AT_ONCE])
    while people:
        for person in people:
            person.name_key = search_key(f"{person.first_name} {person.last_name}")
            person.last_name_key = search_key(person.last_name)
        with transaction.atomic():
            named.bulk_update(people, ["name_key", "last_name_key"])
        people = list(named.filter(pk__gt=people[-1].pk)[:AT_ONCE])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("authpages", "0005_people_are_found_by_keys")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
