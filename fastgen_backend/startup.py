"""Makes sure that an installation can start, and says in one plain sentence why it can't."""

import errno
import fcntl
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from fastgen_backend.checks import mail_leaves_a_public_installation
from fastgen_backend.environment import is_loopback
from fastgen_backend.errors import CannotStart
from fastgen_backend.vault import verify_key

PORT_PATIENCE_SECONDS = 5.0  # the children of an `up` that was killed need up to 2 to end
MIGRATION_LOCK = 0x66617374  # "fast": any number, as long as every start of this product takes the same one


def listening_address(host: str, port: int) -> str:
    """The IP address that `host` stands for on this machine; raises `CannotStart` where there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise CannotStart(f"--host {host} is not an address of this machine.") from None
    return str(found[0][4][0])


def check_settings(host: str) -> None:
    """Refuse settings that would send links nowhere or keep nothing; raises `CannotStart`."""
    if not settings.BASE_URL_IS_SET and not is_loopback(host):
        raise CannotStart(f"--host {host} can be reached from outside, so BASE_URL has to say under which address.")
    if settings.DATABASES["default"]["NAME"] == ":memory:":
        raise CannotStart("DATABASE_URL has to name a file, because several processes work on one database.")
    for problem in mail_leaves_a_public_installation(None):
        raise CannotStart(problem.msg)


def check_port(address: str, port: int) -> None:
    """Wait until the port is free, for 5 seconds at most; raises `CannotStart` where it stays taken.

    The web server's processes share their port (SO_REUSEPORT), so it would join a stranger there without a word.
    """
    deadline = time.monotonic() + PORT_PATIENCE_SECONDS
    while error := _bind_error(address, port):
        if error.errno != errno.EADDRINUSE:
            raise CannotStart(f"Nothing can listen on {address} port {port}: {_reason(error)}.")
        if time.monotonic() > deadline:
            raise CannotStart(f"Port {port} is taken by another program; stop that one or choose another --port.")
        time.sleep(0.2)


def check_folders() -> None:
    """Make the folders we write to, and try that we can; raises `CannotStart`."""
    database = Path(settings.DATABASES["default"]["NAME"]) if connection.vendor == "sqlite" else None
    for folder in {settings.VAR_DIR, database.parent} if database else {settings.VAR_DIR}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise CannotStart(f"The folder {folder} can't be written to: {_reason(error)}.") from None
    if database and database.exists() and not os.access(database, os.R_OK | os.W_OK):
        raise CannotStart(f"The database file {database} can't be written to.")


def check_database() -> None:
    """Reach the database; raises `CannotStart` where that fails."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise _unusable(error) from None


def check_installation() -> None:
    """Reach the database, and find in it what this version works with; raises `CannotStart`."""
    check_database()
    if not is_of_this_version():
        raise CannotStart(
            f"The database {_database_name()} is not of this version; "
            "start ‘manage.py up’ of the version it belongs to first."
        )


def is_of_this_version() -> bool:
    """Whether the database was migrated by what this version knows, and all of that."""
    executor = MigrationExecutor(connection)
    loader = executor.loader
    ahead = set(loader.applied_migrations) - set(loader.disk_migrations)
    return not ahead and not executor.migration_plan(loader.graph.leaf_nodes())


def prepare_database(and_then: Callable[[], None] = lambda: None) -> None:
    """Migrate the database, make sure that our key opens its secrets, `and_then` give it what it starts with.

    Raises `CannotStart` where it can't be used, and `ImproperlyConfigured` where SECRET_KEY is not its key.
    """
    try:
        connection.ensure_connection()
        with one_at_a_time():
            _refuse_newer_database()
            call_command("migrate", interactive=False, verbosity=0)
            verify_key()
            and_then()
    except DatabaseError as error:
        raise _unusable(error) from None


def _unusable(error: DatabaseError) -> CannotStart:
    return CannotStart(f"The database {_database_name()} can't be used: {_reason(error)}.")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold off other starts on this database. Both locks end with this process, so none is ever left behind."""
    if connection.vendor == "sqlite":
        folder = os.open(Path(settings.DATABASES["default"]["NAME"]).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield
        cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _refuse_newer_database() -> None:
    """Old code on a newer database would write rows that its constraints and readers don't expect."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    ours = {app for app in settings.INSTALLED_APPS if "." not in app}
    unknown = sorted(f"{app}.{name}" for app, name in set(loader.applied_migrations) - known if app in ours)
    if unknown:
        raise CannotStart(
            f"The database was made by a newer version of Fastgen backend (it has {unknown[-1]}); start that version."
        )


def _bind_error(address: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that linger are no obstacle
        try:
            probe.bind((address, port))
        except OSError as error:
            return error
    return None


def _database_name() -> str:
    """Where the database is, without the user's name and password."""
    database = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        return str(database["NAME"])
    return f"{database['NAME']} at {database['HOST'] or 'the local socket'}:{database['PORT'] or 5432}"


def _reason(error: Exception) -> str:
    """The reason alone, of all that the operating system or the database said."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    first = str(error).partition("\n")[0]
    return re.split(r"FATAL:\s*|failed:\s*", first)[-1].strip().rstrip(".") or type(error).__name__
