"""What belongs to an installation: the tables of its apps, and the tables that its users made."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from datahub.dynamic import field_of, named_system_fields
from datahub.models import Column, Table
from events.models import Worker
from fastgen_backend.management.archives.kinds import kind_of

OUR_APPS = ("fastgen_backend", "authpages", "datahub", "events")
OF_USERS = "dh_"
NOT_KEPT: tuple[type[models.Model], ...] = (Worker,)  # processes, which are no longer


@dataclass(frozen=True, slots=True)
class Contents:
    """A table and its columns, each with its kind; without those that the database computes."""

    table: str
    columns: tuple[tuple[str, str], ...]


def app_tables() -> list[Contents]:
    """The tables of our own apps, as the models of this version have them."""
    return [_contents(model._meta.db_table, model._meta.concrete_fields) for model in _models()]


def user_tables() -> list[Contents]:
    """The tables of the Datahub, with their hidden columns."""
    return [_contents(table.db_table, physical_fields(table)) for table in definitions()]


def definitions() -> list[Table]:
    """The Datahub's tables, of which nothing is read but what their physical tables are made by: so in any version."""
    return list(Table.objects.only("id", "generation").order_by("id"))


def physical_columns(table: Table) -> list[Column]:
    """Every column of a table, the hidden ones too; likewise."""
    needed = ("id", "number", "type", "options", "unique", "indexed", "hidden_at", "table_id")
    return list(Column.objects.only(*needed).filter(table=table.pk).order_by("id"))


def physical_fields(table: Table) -> "list[models.Field[Any, Any]]":
    """The fields of the physical table."""
    return [*named_system_fields(), *map(field_of, physical_columns(table))]


def numbered_tables() -> list[tuple[str, str]]:
    """The tables whose rows are numbered by the database, with the column that holds the number."""
    keys = ((model._meta.db_table, model._meta.pk) for model in _models())
    return [(table, str(key.column)) for table, key in keys if isinstance(key, models.AutoField | models.BigAutoField)]


def applied_migrations() -> list[tuple[str, str]]:
    """What the database was migrated by."""
    return sorted(MigrationLoader(connection).applied_migrations)


def existing_tables() -> set[str]:
    """The tables in the database that are an installation's."""
    prefixes = (*(f"{app}_" for app in OUR_APPS), OF_USERS)
    with connection.cursor() as cursor:
        return {name for name in connection.introspection.table_names(cursor) if name.startswith(prefixes)}


def existing_columns(table: str) -> set[str]:
    """The columns that the database has."""
    with connection.cursor() as cursor:
        return {each.name for each in connection.introspection.get_table_description(cursor, table)}


def _models() -> Iterator[type[models.Model]]:
    for app in OUR_APPS:
        for model in apps.get_app_config(app).get_models(include_auto_created=True):
            if model not in NOT_KEPT:
                yield model


def _contents(table: str, fields: "Iterable[models.Field[Any, Any]]") -> Contents:
    stored = [field for field in fields if not field.generated]
    return Contents(table, tuple((str(field.column), kind_of(field)) for field in stored))
