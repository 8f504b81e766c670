"""`manage.py rotate_signing_keys`: new keys for tokens, in good time, or at once where one got into other hands."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from authpages.services.signing_keys import (
    PUBLISHED_AHEAD,
    publish_new_keys,
    publish_next_key,
    replace_keys,
    take_back_keys,
)
from authpages.signing_keys import ALGORITHMS, LOOK_AGAIN_SECONDS, UNKNOWN_SECONDS, current_key
from fastgen_backend.startup import check_installation

NOW = (
    "Done. Every key from before is deleted. Access tokens of theirs are void within %(seconds)d s, and ID tokens tell "
    "nothing any more: clients refresh, and nobody is logged out. Who verifies tokens elsewhere has to fetch "
    "/.well-known/jwks.json anew; most do so by themselves when they see an unknown kid."
)


class Command(BaseCommand):
    help = (
        "Publishes new keys, with which tokens are signed ten minutes later, so that no token becomes bad. The worker "
        "does so by itself every SIGNING_KEY_DAYS. With --now, for a key that got into other hands, new ones sign "
        "within seconds and no token of the old ones is believed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="believe no token that was signed before")

    def handle(self, *args: Any, **options: Any) -> None:
        check_installation()
        for algorithm in ALGORITHMS:
            current_key(algorithm)  # the one that is followed
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
        self.stdout.write(f"{algorithm}: the key {key.pk} is published. It signs from {begins:%H:%M} UTC on.")

    def _replace(self) -> None:
        keys = publish_new_keys()
        self.stdout.write("New keys are published. If you stop this before it says that it is done, run it again.")
        time.sleep(UNKNOWN_SECONDS + 1)
        if not replace_keys(keys):
            raise CommandError("Somebody else replaced the keys at the same moment. Run this again.")
        for key in keys:
            self.stdout.write(f"{key.algorithm}: the key {key.pk} signs from now on.")
        self.stdout.write("Waiting until no process signs with a former one.")
        time.sleep(LOOK_AGAIN_SECONDS + 1)
        take_back_keys()
        self.stdout.write(NOW % {"seconds": LOOK_AGAIN_SECONDS})
