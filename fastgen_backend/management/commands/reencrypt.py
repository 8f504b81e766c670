"""`manage.py reencrypt`: the second of three steps from one SECRET_KEY to another."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from fastgen_backend.reencryption import reencrypt
from fastgen_backend.startup import check_installation

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Seals every secret in the database anew with SECRET_KEY. First give all processes the new SECRET_KEY and put "
        "the old one into SECRET_KEY_FALLBACKS; then run this, while they work; then take the old one out."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        check_installation()
        done = reencrypt()
        if done.closed:
            for which in done.closed[:SHOWN]:
                self.stderr.write(f"No key opens {which}.")
            self.stderr.write(
                f"{done.number} secrets were sealed anew; {len(done.closed)} open with no key. "
                "Add the key they were sealed with to SECRET_KEY_FALLBACKS and run this again."
            )
            sys.exit(1)
        self.stdout.write(
            f"{done.number} secrets were sealed anew; SECRET_KEY alone opens everything. "
            "Older keys can be taken out of SECRET_KEY_FALLBACKS."
        )
