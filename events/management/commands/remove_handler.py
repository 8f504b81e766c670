"""`manage.py remove_handler PATH`: takes out a handler whose function is gone."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from events.handlers import load_handlers, registered
from events.services.gone_handlers import count_pending, gone_handlers, remove_handler
from fastgen_backend.errors import DomainError
from fastgen_backend.startup import check_installation


class Command(BaseCommand):
    help = (
        "Takes out a handler whose function is gone, with all it was still to be told of, so that the log is kept for "
        "it no longer. It says first how much that is, and does it with --yes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="the dotted path of the function that was")
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, path: str, yes: bool, **options: Any) -> None:
        check_installation()
        load_handlers()
        if path in registered:
            sys.exit(f"{path} is registered. Take the function out first, and restart the workers.")
        try:
            untold = remove_handler(path) if yes else count_pending(path)
        except DomainError as refusal:
            gone = ", ".join(handler.handler or "" for handler in gone_handlers()) or "none"
            sys.exit(f"{refusal.detail} Those whose functions are gone: {gone}.")
        if not yes:
            sys.exit(f"{path} has still to be told of {untold:,} events. With --yes it is taken out, and never is.")
        self.stdout.write(f"{path} is taken out. It was never told of {untold:,} events.")
