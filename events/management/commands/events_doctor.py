"""`manage.py events_doctor`: whether the log and the deliveries are what they promise to be."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from events.services.inspection import inspect
from fastgen_backend.startup import check_installation


class Command(BaseCommand):
    help = (
        "Checks the invariants of the log and the deliveries, as they are at one moment, while everything goes on; "
        "exits 1 where one is broken. Changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        check_installation()
        found = inspect()
        for note in found.notes:
            self.stdout.write(f"Note: {note}")
        for flaw in found.flaws:
            self.stdout.write(flaw)
        if found.flaws:
            sys.exit(1)
        self.stdout.write(
            f"All is well: {found.events} events, {found.deliveries} deliveries, {found.subscribers} subscribers."
        )
