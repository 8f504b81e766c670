"""Cursors of rows: where a page ended, signed, so that nobody can make one up."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson
from django.conf import settings

from datahub.column_types import Unfit
from datahub.dynamic import Definition
from datahub.row_queries import Ordering
from fastgen_backend.keyset import invalid_cursor

SIGNATURE_BYTES = 16
SALT = b"datahub.cursor"


def make_cursor(definition: Definition, order: Sequence[Ordering], values: Sequence[Any]) -> str:
    """An opaque text of `[A-Za-z0-9_-]` for the row that has these values in the members of `order`."""
    shown = [None if v is None else each.member.type.show(v) for each, v in zip(order, values, strict=True)]
    content = orjson.dumps(shown)
    signature = _signature(settings.SECRET_KEY, _purpose(definition, order), content)
    return base64.urlsafe_b64encode(signature + content).decode().rstrip("=")


def open_cursor(definition: Definition, order: Sequence[Ordering], cursor: str) -> list[Any]:
    """The values that `make_cursor` was given, for the same table in the same order. Raises a refusal for any other."""
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise invalid_cursor() from None
    signature, content = sealed[:SIGNATURE_BYTES], sealed[SIGNATURE_BYTES:]
    purpose = _purpose(definition, order)
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(signature, _signature(key, purpose, content)) for key in keys):
        raise invalid_cursor()
    try:
        shown = orjson.loads(content)
        types = [each.member.type for each in order]
        return [None if v is None else type.operand("eq", v) for type, v in zip(types, shown, strict=True)]
    except Unfit:  # a column changed its type since
        raise invalid_cursor() from None


def _purpose(definition: Definition, order: Sequence[Ordering]) -> bytes:
    parts = [f"{'-' if each.descending else ''}{each.member.key}" for each in order]
    return f"{definition.table.uid} {','.join(parts)}".encode()


def _signature(key: str, purpose: bytes, content: bytes) -> bytes:
    message = b"\0".join([SALT, purpose, content])
    return hmac.new(key.encode(), message, sha256).digest()[:SIGNATURE_BYTES]
