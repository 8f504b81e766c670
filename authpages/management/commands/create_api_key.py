"""Makes an API key without an admin, for the first program that is to come in."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from authpages.services.api_keys import LONGEST_LIFE_DAYS, SCOPES, create_api_key
from fastgen_backend.errors import DomainError


class Command(BaseCommand):
    help = "Make an API key and print it, once, alone on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the key is for")
        parser.add_argument("--scope", action="append", default=[], dest="scopes", help=", ".join(SCOPES))
        parser.add_argument(
            "--expires",
            type=_in_days,
            metavar="DAYS",
            dest="expires_at",
            help="how many days it lives (default: for ever)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _, key = create_api_key(name=options["name"], scopes=options["scopes"], expires_at=options["expires_at"])
        except DomainError as refusal:
            raise CommandError(" ".join(error.detail for error in refusal.errors) or refusal.detail) from None
        self.stdout.write(key)


def _in_days(text: str) -> datetime:
    if not text.isdecimal() or not 1 <= len(text) <= 5 or not 1 <= int(text) <= LONGEST_LIFE_DAYS:
        raise ArgumentTypeError(f"a key may live from 1 to {LONGEST_LIFE_DAYS:,} days")
    return timezone.now() + timedelta(days=int(text))
