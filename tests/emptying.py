"""A database without the rows that a test has committed."""

from django.apps import apps
from django.db import connection, transaction

KEPT = {"django_content_type", "auth_permission"}  # of Django's own, the same for every test


def empty_the_database(_case: object = None) -> None:
    """Take out all rows, whatever refers to them; the Datahub's own tables are not Django's and stay.

    Django's `flush` cuts off files, even of tables that are empty, and has all apps say their permissions anew:
    on PostgreSQL that takes longer than most tests.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no reference is looked after
        for model in apps.get_models(include_auto_created=True):
            name = model._meta.db_table
            if model._meta.managed and name not in KEPT:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608 - our own name
