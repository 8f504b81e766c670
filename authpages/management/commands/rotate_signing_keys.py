"""`manage.py rotate_signing_keys`: new keys for tokens, in good time, or at once where one got into other hands."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from authpages.services.signing_keys import (
    JWKS_SECONDS,
    PUBLISHED_AHEAD,
    publish_new_keys,
    publish_next_key,
    replace_keys,
    take_back_keys,
)
from authpages.signing_keys import ALGORITHMS, LOOK_AGAIN_SECONDS, UNKNOWN_SECONDS, make_first_keys
from fastgen_backend.startup import check_installation
from fastgen_backend.vault import verify_key

NOW = (
    "Done. Every key from before is deleted. Access tokens of theirs are believed no more, by us within %(seconds)d s, "
    "by APIs that verify them themselves as soon as they read /.well-known/jwks.json anew (ours may be kept for "
    "%(minutes)d minutes), which is also when they learn of the new ones. ID tokens of theirs tell nothing any more. "
    "Clients refresh, and nobody is logged out."
)
UNDER_WAY_SECONDS = 5  # so long what was signed at the last moment may take to where it is used first
SOMEBODY_ELSE = "Somebody else replaced the keys at the same moment. Run this again."


class Command(BaseCommand):
    help = (
        "Publishes new keys, with which tokens are signed ten minutes later, so that no token becomes bad. The worker "
        "does so by itself every SIGNING_KEY_DAYS. With --now, for a key that got into other hands, new ones sign "
        "within seconds and no token of the old ones is believed: by us within seconds, by APIs that verify themselves "
        "as soon as they read the JWKS anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="believe no token that was signed before")

    def handle(self, *args: Any, **options: Any) -> None:
        check_installation()
        verify_key()
        make_first_keys()  # which are followed
        if options["now"]:
            self._replace()
            return
        for algorithm in ALGORITHMS:
            self._publish(algorithm)

    def _publish(self, algorithm: str) -> None:
        key = publish_next_key(algorithm)
        if key is None:
            self.stdout.write(f"{algorithm}: another key has begun to sign just now.")
            return
        begins = timezone.localtime(key.created_at + PUBLISHED_AHEAD)
        signs = f"It signs as soon after {begins:%H:%M} UTC as the events worker runs."
        self.stdout.write(f"{algorithm}: the key {key.pk} is published. {signs}")

    def _replace(self) -> None:
        keys = publish_new_keys()
        self.stdout.write("New keys are published. If you stop this before it says that it is done, run it again.")
        time.sleep(UNKNOWN_SECONDS + 1)
        if not replace_keys(keys):
            raise CommandError(SOMEBODY_ELSE)
        for key in keys:
            self.stdout.write(f"{key.algorithm}: the key {key.pk} signs from now on.")
        self.stdout.write("Waiting until no process signs with a former one.")
        time.sleep(LOOK_AGAIN_SECONDS + UNDER_WAY_SECONDS)
        if not take_back_keys(keys):
            raise CommandError(SOMEBODY_ELSE)
        self.stdout.write(NOW % {"seconds": LOOK_AGAIN_SECONDS, "minutes": JWKS_SECONDS // 60})
