"""`manage.py backup FILE`: the whole installation in one file."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from fastgen_backend.errors import CannotStart
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.management.archives.saving import Saved, save


class Command(BaseCommand):
    help = (
        "Saves the whole installation, the Datahub's tables too, as it is at one moment, while everything goes on. "
        "The archive restores into SQLite and PostgreSQL alike. It does not hold SECRET_KEY, without which it is of no "
        "use: keep that apart."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="where to; it must not be there yet. - is standard output")
        parser.add_argument("--force", action="store_true", help="overwrite the file")

    def handle(self, *args: Any, file: str, force: bool, **options: Any) -> None:
        try:
            saved = save(sys.stdout.buffer) if file == "-" else _save_to(Path(file), force=force)
        except (Refused, CannotStart) as reason:
            sys.exit(str(reason))
        except OSError as error:
            sys.exit(f"{file} can’t be written: {(error.strerror or str(error)).lower()}.")
        tell = self.stderr if file == "-" else self.stdout
        tell.write(f"Saved {saved.rows:,} rows of {saved.tables} tables.")


def _save_to(file: Path, *, force: bool) -> Saved:
    """Make the file whole or not at all; its owner alone may read it."""
    if file.exists() and not force:
        raise Refused(f"{file} is there already; choose another name, or overwrite it with --force.")
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            saved = save(stream)
            stream.flush()
            os.fsync(stream.fileno())
        _put(Path(draft), file, force=force)
    finally:
        Path(draft).unlink(missing_ok=True)
    return saved


def _put(draft: Path, file: Path, *, force: bool) -> None:
    try:
        file.touch(mode=0o600, exist_ok=force)  # takes the name; a hard link would do it, but not every disk has them
    except FileExistsError:
        raise Refused(f"{file} is there by now; choose another name, or overwrite it with --force.") from None
    draft.replace(file)
