"""Opens the secrets that deliveries need: tokens and links of events, signing keys of webhooks."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import cast

from cryptography.fernet import InvalidToken
from django.utils import timezone

from events.envelope import GONE, has_secret
from events.models import Event, EventSecret, Webhook
from fastgen_backend.targets import travels_unread
from fastgen_backend.vault import decrypt

Secrets = dict[str, str | None]


class Clearance(IntEnum):
    """Whose one-time links someone may see: an admin's open the whole house, so they take more than other people's."""

    NOBODYS = 0
    PEOPLES = 1
    ADMINS_TOO = 2


@dataclass(frozen=True, slots=True)
class Revealed:
    """The open secrets of some events by their `id`, and which of them are an admin's."""

    secrets: dict[int, Secrets]
    internal: frozenset[int]

    def to(self, event: Event, webhook: Webhook | None) -> Secrets | None:
        """What this webhook, or a handler where it is None, is shown in place of token and link; None: a mask."""
        return self.under(clearance_of_subscriber(webhook), event)

    def under(self, clearance: Clearance, event: Event) -> Secrets | None:
        """What is shown in place of token and link to whoever has this clearance; None: a mask."""
        needed = Clearance.ADMINS_TOO if event.pk in self.internal else Clearance.PEOPLES
        if clearance < needed or not has_secret(event.type, event.stage):
            return None
        return self.secrets.get(event.pk, GONE)


def reveal(events: Iterable[Event]) -> Revealed:
    """Open what is neither used nor expired of the secrets of `events`. What no key opens is as good as gone."""
    secretive = [event.pk for event in events if has_secret(event.type, event.stage)]
    if not secretive:
        return Revealed({}, frozenset())
    rows = list(EventSecret.objects.filter(event__in=secretive))
    now, opened = timezone.now(), dict[int, Secrets]()
    for row in rows:
        if row.expires_at > now:
            with suppress(InvalidToken):
                opened[row.pk] = open_secret(bytes(row.sealed))
    return Revealed(
        secrets=opened,
        internal=frozenset(row.pk for row in rows if row.internal_only),
    )


def open_secret(sealed: bytes) -> Secrets:
    """The token and link in `EventSecret.sealed`."""
    return cast("Secrets", json.loads(decrypt(sealed)))


def clearance_of_subscriber(webhook: Webhook | None) -> Clearance:
    """A handler (None) is our own code and sees all; a webhook leads out of the house, where no admin's link goes."""
    if webhook is None:
        return Clearance.ADMINS_TOO
    return Clearance.PEOPLES if is_confidential(webhook) else Clearance.NOBODYS


def clearance_of_caller(allows: Callable[[str], bool]) -> Clearance:
    """What credentials that allow these scopes may see: of admins only where they could reset an admin themselves."""
    if allows("*"):
        return Clearance.ADMINS_TOO
    return Clearance.PEOPLES if allows("events:secrets") else Clearance.NOBODYS


def is_confidential(webhook: Webhook) -> bool:
    """Whether one-time links may go to this webhook: it asked for them, and nobody on the way can read them."""
    return webhook.include_secrets and travels_unread(webhook.url)


def webhook_keys(webhook: Webhook) -> tuple[bytes, ...]:
    """What calls are signed with: the secret, and after a rotation for a while the one before.

    Raises `InvalidToken` where no key of ours opens the former.
    """
    keys = [_opened(bytes(webhook.sealed_secret))]
    if webhook.retired_secret and webhook.retired_until and webhook.retired_until > timezone.now():
        with suppress(InvalidToken):
            keys.append(_opened(bytes(webhook.retired_secret)))
    return tuple(keys)


@lru_cache(maxsize=4096)
def _opened(sealed: bytes) -> bytes:
    return decrypt(sealed)
