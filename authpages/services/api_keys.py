"""API keys: credentials of programs."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages.models import ApiKey, User, token_hash
from fastgen_backend.errors import FieldError, InvalidInput, NotFound
from fastgen_backend.prepared import Parameter, Prepared

PREFIX = "fgk_"
LONGEST_NAME = 100
LONGEST_LIFE_DAYS = 3650
USED_EVERY = timedelta(minutes=1)
EVERYTHING = "*"
SCOPES = (
    "users:read",
    "users:write",
    "tables:read",
    "tables:write",
    "rows:read",
    "rows:write",
    "events:read",
    "events:write",
    "events:secrets",
    "webhooks:read",
    "webhooks:write",
    "settings:read",
    "settings:write",
    "metrics:read",
    EVERYTHING,
)


def create_api_key(
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None = None,
    made_by: User | None = None,
    made_with: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """A new key, told this once, and its row; without `expires_at` it lives until it is deleted.

    It ends with the admin whom it is `made_by`. One that is `made_with` another key belongs to that key's admin, and
    lives no longer than that key: else whoever finds a key that is soon over could make one that stays. Raises
    `InvalidInput` for an unknown scope, no scope, no name, or a time that can't be.
    """
    latest = made_with.expires_at if made_with else None
    admin_id = made_with.made_by_id if made_with else made_by.pk if made_by else None
    _check(name, scopes, expires_at, latest)
    key = f"{PREFIX}{secrets.token_urlsafe(32)}"
    row = ApiKey(
        name=name,
        prefix=key[:12],
        hash=token_hash(key),
        scopes=sorted(set(scopes)),
        made_by_id=admin_id,
        expires_at=expires_at or latest,
    )
    with transaction.atomic():
        row.save(force_insert=True)
    return row, key


def delete_api_key(*, id: uuid.UUID) -> None:
    """End a key at once, for good; raises `NotFound`."""
    with transaction.atomic():
        deleted, _each = ApiKey.objects.filter(pk=id).delete()
    if not deleted:
        raise NotFound(_("There is no such API key."))


def find_api_key(key: str) -> ApiKey | None:
    """The living key, in one query; its last use is remembered to the minute."""
    now = timezone.now()
    found = _by_hash.first(now=now, hash=token_hash(key))
    if found and (found.last_used_at is None or now - found.last_used_at >= USED_EVERY):
        with transaction.atomic():  # so that on SQLite it waits in the queue of writers
            ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


_by_hash = Prepared(
    lambda: ApiKey.objects.alive(Parameter("now", models.DateTimeField())).filter(
        hash=Parameter("hash", models.BinaryField())
    )
)


def _check(name: str, scopes: list[str], expires_at: datetime | None, latest: datetime | None) -> None:
    errors = []
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        errors.append(FieldError("/name", "invalid", _("A key needs a name of 1 to 100 printable characters.")))
    if not scopes:
        detail = _("Name at least one scope: %(known)s.") % {"known": ", ".join(SCOPES)}
        errors.append(FieldError("/scopes", "required", detail))
    for unknown in sorted(set(scopes) - set(SCOPES)):
        detail = _("There is no scope ‘%(unknown)s’; there are %(known)s.")
        words = {"unknown": unknown[:40], "known": ", ".join(SCOPES)}
        errors.append(FieldError("/scopes", "unknown-scope", detail % words))
    if reason := _why_not_then(expires_at, latest):
        errors.append(FieldError("/expiresAt", "invalid", reason))
    if errors:
        raise InvalidInput(errors)


def _why_not_then(expires_at: datetime | None, latest: datetime | None) -> str:
    """Why a key can't live until `expires_at`, in a sentence; empty where it can."""
    now = timezone.now()
    if expires_at is None:
        return ""
    if expires_at <= now:
        return _("A key must expire in the future.")
    if expires_at > now + timedelta(days=LONGEST_LIFE_DAYS, minutes=1):
        return _("A key may live for 3,650 days at most; without an expiry it lives until it is deleted.")
    if latest and expires_at > latest:
        moment = latest.strftime("%Y-%m-%dT%H:%M:%SZ")
        return _("The key that makes it expires at %(moment)s; this one can’t live longer.") % {"moment": moment}
    return ""
