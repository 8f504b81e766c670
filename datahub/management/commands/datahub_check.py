"""`manage.py datahub_check`: whether the physical tables are what the Datahub believes."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from datahub.services.inspection import inspect
from fastgen_backend.startup import check_installation


class Command(BaseCommand):
    help = "Compares the database's own catalogue with the tables of the Datahub; exits 1 where they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        check_installation()
        found = inspect()
        for flaw in found.flaws:
            self.stdout.write(flaw)
        if found.flaws:
            sys.exit(1)
        self.stdout.write(f"All is well: {found.tables} tables, {found.columns} columns and {found.indexes} indexes.")
