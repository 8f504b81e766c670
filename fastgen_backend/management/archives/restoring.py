"""Restoring an installation into an empty database: all of it or nothing."""

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from datahub import ddl
from datahub.dynamic import forget_definitions
from datahub.models import Job
from datahub.services.indexes import create_indexes, create_owner_index
from datahub.services.inspection import inspect as inspect_tables
from events.models import Delivery, Trial, Webhook
from events.services.switching import begin_outages, switch_all_off
from events.services.trials import drop_trials
from fastgen_backend import startup
from fastgen_backend.management.archives import contents, loading
from fastgen_backend.management.archives.archive import NOT_WHOLE, Reader
from fastgen_backend.management.archives.contents import Contents
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.models import Installation
from fastgen_backend.vault import opens_check_value


@dataclass(frozen=True, slots=True)
class Restored:
    """How much was restored, and how many webhooks were switched off."""

    tables: int
    rows: int
    switched_off: int


def restore(reader: Reader, *, webhooks_off: bool = False) -> Restored:
    """Fill the database from an archive; raises `Refused` where it can't be, and has changed nothing then.

    An archive of an older version is restored as that, and migrated afterwards. Meanwhile nobody else can start on this
    database. What it makes beforehand are the tables of the apps, and they stay empty until everything is there.
    With `webhooks_off` nobody ever finds one that is on.
    """
    with startup.one_at_a_time():
        _check(reader.manifest)
        _migrate_to(reader.manifest)
        try:
            with transaction.atomic():  # in which rows may come before those they refer to
                restored = _load(reader, webhooks_off)
        except (DatabaseError, ValueError, LookupError) as error:
            raise Refused(f"The database does not take it: {_first_line(error)}. Nothing was restored.") from None
        call_command("migrate", interactive=False, verbosity=0)
        if webhooks_off:
            begin_outages()
    forget_definitions()
    return restored


def _check(manifest: dict[str, Any]) -> None:
    sealed = Installation(check_value=base64.b64decode(manifest["checkValue"]))
    if not opens_check_value(sealed):
        raise Refused(
            "SECRET_KEY does not open the archive’s secrets; give the key it was made with, "
            "or add that one to SECRET_KEY_FALLBACKS. Nothing was restored."
        )
    known = MigrationExecutor(connection).loader.disk_migrations
    if unknown := [(app, name) for app, name in manifest["migrations"] if (app, name) not in known]:
        app, name = unknown[-1]
        raise Refused(
            f"The archive was made by a newer version of Fastgen backend, {manifest['version']} (it has {app}.{name}); "
            "restore it with that one. Nothing was restored."
        )
    if taken := _taken():
        raise Refused(
            f"The database is not empty: there is something in {taken}. "
            "Restore into a new one; nothing is ever overwritten."
        )


def _taken() -> str:
    """A table of an installation that is there and has rows, or is a user's; empty where there is none."""
    with connection.cursor() as cursor:
        for table in sorted(contents.existing_tables()):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608  told by the database
            if table.startswith(contents.OF_USERS) or cursor.fetchone():
                return table
    return ""


def _migrate_to(manifest: dict[str, Any]) -> None:
    """Make the tables as the archive’s version had them."""
    executor = MigrationExecutor(connection)
    names = {(app, name) for app, name in manifest["migrations"]}
    graph = executor.loader.graph
    inner = {parent.key for name in names for parent in graph.node_map[name].parents if parent.key[0] == name[0]}
    executor.migrate(sorted(names - inner))


def _load(reader: Reader, webhooks_off: bool) -> Restored:
    told = [Contents(each["table"], tuple(map(tuple, each["columns"]))) for each in reader.manifest["tables"]]
    of_apps = {each.table: each for each in told if not each.table.startswith(contents.OF_USERS)}
    of_users = {each.table: each for each in told if each.table not in of_apps}
    known = _checked(of_apps)
    loaded: Counter[str] = Counter()
    for table, rows in reader.parts():
        if table in of_users and table not in known:  # what defines them came before
            known |= _make_user_tables(of_users)
        loading.load(known[table], rows)
        loaded[table] += len(rows)
    if not of_users.keys() & known.keys():
        known |= _make_user_tables(of_users)
    _finish(reader.manifest, loaded, known)
    switched_off = _switch_off(of_apps) if webhooks_off else 0
    return Restored(len(known), loaded.total(), switched_off)


def _switch_off(told: dict[str, Contents]) -> int:
    """Have no webhook called, by trials neither, which are made of those that are off, too; tells how many were on."""
    if Trial._meta.db_table in told:  # older versions have none
        drop_trials()
    return switch_all_off(reason=Webhook.OFF_IN_A_COPY)


def _checked(told: dict[str, Contents]) -> dict[str, Contents]:
    """The same, so that no name from the archive gets into a statement that the database does not have itself."""
    if told.keys() - contents.existing_tables():
        raise Refused(NOT_WHOLE)
    for each in told.values():
        if {name for name, _kind in each.columns} - contents.existing_columns(each.table):
            raise Refused(NOT_WHOLE)
    return told


def _make_user_tables(told: dict[str, Contents]) -> dict[str, Contents]:
    """The physical tables of the definitions that were just loaded; their indexes come when their rows are there."""
    for table in contents.definitions():
        ddl.create_table(table.db_table, contents.physical_fields(table))
    return _checked(told)


def _finish(manifest: dict[str, Any], loaded: Counter[str], known: Iterable[str]) -> None:
    """What belongs to the rows; then look whether it all is as it was."""
    for definition in contents.definitions():
        create_owner_index(definition)
        for column in contents.physical_columns(definition):
            if column.hidden_at is None:
                create_indexes(definition, column)
    loading.go_on_numbering(manifest["numbers"])
    Delivery.objects.filter(worker__isnull=False).update(worker=None)  # those who held them are no longer
    Job.objects.filter(worker__isnull=False).update(worker=None)
    for table in known:
        if loading.count(table) != loaded[table]:
            raise Refused(f"Not every row of {table} arrived. Nothing was restored.")
    if startup.is_of_this_version() and (flaws := inspect_tables().flaws):
        raise Refused(f"{flaws[0]} Nothing was restored.")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
