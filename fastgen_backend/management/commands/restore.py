"""`manage.py restore FILE`: an installation from an archive, in an empty database."""

import io
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand

from events.services.inspection import inspect
from fastgen_backend import startup
from fastgen_backend.errors import CannotStart
from fastgen_backend.management.archives.archive import Reader
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.management.archives.restoring import Restored, restore


class Command(BaseCommand):
    help = (
        "Restores an archive that ‘backup’ made into an empty database: the one that DATABASE_URL names, SQLite or "
        "PostgreSQL, whichever it came from. All of it or nothing: the archive is verified first. SECRET_KEY, or one "
        "of SECRET_KEY_FALLBACKS, has to be the one it was made with."
    )
    requires_system_checks = []  # those are for an installation that runs

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the archive; - is standard input")

        parser.add_argument(
            "--webhooks-off",
            action="store_true",
            help="switch every webhook off, so that a copy calls nobody beside the original",
        )

    def handle(self, *args: Any, file: str, webhooks_off: bool, **options: Any) -> None:
        begins_at = time.monotonic()
        try:
            startup.check_folders()
            startup.check_database()
            restored = _from_input(webhooks_off) if file == "-" else _from_file(Path(file), webhooks_off)
        except (Refused, CannotStart) as reason:
            sys.exit(str(reason))
        except OSError as error:
            sys.exit(f"{file} can’t be read: {(error.strerror or str(error)).lower()}.")
        for flaw in inspect(at_rest=True).flaws:
            self.stderr.write(f"It is as it was saved, with this flaw: {flaw}")
        seconds = time.monotonic() - begins_at
        self.stdout.write(f"Restored {restored.rows:,} rows of {restored.tables} tables in {seconds:.1f} s.")
        if webhooks_off:
            self.stdout.write(f"Webhooks switched off: {restored.switched_off:,}.")


def _from_input(webhooks_off: bool) -> Restored:
    """Verify it on the way: what was written is taken back where the end does not hold what it should."""
    return restore(Reader(cast("io.BufferedReader", sys.stdin.buffer)), webhooks_off=webhooks_off)


def _from_file(file: Path, webhooks_off: bool) -> Restored:
    """Read it twice: nothing is written before all of it was seen."""
    with file.open("rb") as stream:
        Reader(stream).verify()
        stream.seek(0)
        return restore(Reader(stream), webhooks_off=webhooks_off)
