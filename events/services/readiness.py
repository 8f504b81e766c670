"""Whether this installation can do its work right now: each thing that it needs, looked at in milliseconds."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now

from events.models import Worker
from fastgen_backend.models import Installation
from fastgen_backend.vault import opens_check_value

log = logging.getLogger("fastgen.readiness")

WELL = "ok"
NO_ANSWER = "The database does not answer."
SILENT_AFTER = timedelta(seconds=30)


def is_ready(found: dict[str, str]) -> bool:
    """Whether all is well."""
    return all(finding == WELL for finding in found.values())


def check_readiness() -> dict[str, str]:
    """What each check finds: `ok`, or what is wrong in a sentence without secrets.

    Of the others nothing can be told without the database, nor while it is another version's.
    """
    found = {"database": _finding(_database)}
    if found["database"] == WELL:
        found["migrations"] = _finding(_migrations)
    if is_ready(found):
        found |= {"worker": _finding(_worker), "key": _finding(_key)}
    return found


def _finding(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, InterfaceError) as error:
        log.warning("The database does not answer: %s", " ".join(str(error).split()))
        return NO_ANSWER


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return WELL


def _migrations() -> str:
    """Those of a newer version do no harm here: it is being started beside this one."""
    missing = _known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    if not missing:
        return WELL
    app, name = sorted(missing)[0]
    return f"The database lacks {len(missing)} migrations, such as {app}.{name}; run ‘manage.py migrate’ or ‘up’."


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _worker() -> str:
    if Worker.objects.filter(heartbeat_at__gte=Now() - SILENT_AFTER).exists():
        return WELL
    seconds = round(SILENT_AFTER.total_seconds())
    return f"No worker has given a sign of life for {seconds} s; start ‘manage.py events_worker’."


def _key() -> str:
    installation = Installation.objects.first()
    if installation is None:
        return "Nothing was ever sealed here; start the installation by ‘manage.py up’ or ‘events_worker’."
    return WELL if opens_check_value(installation) else "SECRET_KEY does not open this database’s secrets."
