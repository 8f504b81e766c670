"""API keys: credentials of programs."""

import secrets
from datetime import timedelta

from django.db import models
from django.utils import timezone

from authpages.models import ApiKey, User, token_hash
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.prepared import Parameter, Prepared

PREFIX = "fgk_"
USED_EVERY = timedelta(minutes=1)
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
    "*",
)


def create_api_key(
    *, name: str, scopes: list[str], expires_in_days: int | None = None, made_by: User | None = None
) -> tuple[ApiKey, str]:
    """A new key, told this once, and its row. Raises `InvalidInput` for an unknown scope, no scope or no name."""
    _check(name, scopes, expires_in_days)
    key = f"{PREFIX}{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        name=name,
        prefix=key[:12],
        hash=token_hash(key),
        scopes=sorted(set(scopes)),
        made_by=made_by,
        expires_at=timezone.now() + timedelta(days=expires_in_days) if expires_in_days else None,
    )
    return row, key


def find_api_key(key: str) -> ApiKey | None:
    """The living key, in one query; its last use is remembered to the minute."""
    now = timezone.now()
    found = _by_hash.first(now=now, hash=token_hash(key))
    if found and (found.last_used_at is None or now - found.last_used_at >= USED_EVERY):
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


_by_hash = Prepared(
    lambda: ApiKey.objects.alive(Parameter("now", models.DateTimeField())).filter(
        hash=Parameter("hash", models.BinaryField())
    )
)


def _check(name: str, scopes: list[str], expires_in_days: int | None) -> None:
    errors = []
    if not name.strip() or len(name) > 100 or not name.isprintable():
        errors.append(FieldError("/name", "invalid", "A key needs a name of 1 to 100 printable characters."))
    if not scopes:
        errors.append(FieldError("/scopes", "required", f"Name at least one scope: {', '.join(SCOPES)}."))
    for unknown in sorted(set(scopes) - set(SCOPES)):
        detail = f"There is no scope {unknown!r}; there are {', '.join(SCOPES)}."
        errors.append(FieldError("/scopes", "unknown-scope", detail))
    if expires_in_days is not None and not 1 <= expires_in_days <= 3650:
        errors.append(FieldError("/expires", "invalid", "A key may live from 1 to 3,650 days."))
    if errors:
        raise InvalidInput(errors)
