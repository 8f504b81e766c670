"""`manage.py copy_database URL`: the whole installation in another database, such as from SQLite to PostgreSQL."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import suppress
from getpass import getpass
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand

from events.services.leases import living_workers
from fastgen_backend import startup
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.management.archives.saving import save


class Command(BaseCommand):
    help = (
        "Copies the whole installation, the Datahub's tables too, into the empty database that URL names: SQLite or "
        "PostgreSQL, from either to either. Stop the installation first: what happens during the copy, or after it, "
        "stays behind. Then start it with the new DATABASE_URL and the same SECRET_KEY: sessions and keys go on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        told = (
            "such as postgres://user:password@host:5432/name; - reads it from standard input, as ‘ps’ shows arguments"
        )
        parser.add_argument("url", help=told)
        parser.add_argument("--live", action="store_true", help="copy what there is at this moment, though workers run")

    def handle(self, *args: Any, url: str, live: bool, **options: Any) -> None:
        url = _asked_for() if url == "-" else url
        if not url.startswith(("sqlite://", "postgres://", "postgresql://")):
            sys.exit("The URL must be a sqlite:// or postgres:// address; these two are supported.")
        startup.check_installation()
        if not live and living_workers().exists():
            sys.exit(
                "The installation runs: what happens from now on would stay behind. Stop it and try again in 10 s, "
                "or copy what there is at this moment with --live."
            )
        with _restoring_into(url) as other:
            try:
                _send(other)
            except BaseException:  # it would tell of an archive that is cut off, and hide why
                other.kill()
                raise
        sys.exit(other.returncode)


def _asked_for() -> str:
    """A line of standard input; one that is typed is not shown."""
    return (getpass("URL: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()


def _restoring_into(url: str) -> subprocess.Popen[bytes]:
    """A process of its own, because one process has one database; the URL may hold a password, so it is no argument."""
    line = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", "-"]
    return subprocess.Popen(line, stdin=subprocess.PIPE, env={**os.environ, "DATABASE_URL": url})


def _send(other: subprocess.Popen[bytes]) -> None:
    """Write everything to it; where it refuses, it says why itself."""
    stream: IO[bytes] | None = other.stdin
    try:
        with suppress(BrokenPipeError):
            save(stream, compress=False)  # type: ignore[arg-type]  # a pipe is one
    except Refused as reason:
        sys.exit(str(reason))
    with suppress(BrokenPipeError):
        if stream:
            stream.close()
