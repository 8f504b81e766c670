"""Headers of a webhook's own, such as `Authorization`: checked, sealed, and never shown again."""

import json
import re
from collections.abc import Iterator, Mapping

from cryptography.fernet import InvalidToken
from django.utils.translation import gettext as _

from events.envelope import MASK
from fastgen_backend import vault
from fastgen_backend.errors import FieldError, InvalidInput

HEADERS_MAX = 20
NAME_MAX_LENGTH = 100
VALUE_MAX_LENGTH = 2000
TOTAL_MAX_LENGTH = 6000  # servers take 8 kB of headers in all (nginx), and ours come on top
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token (RFC 9110, 5.6.2)
VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")  # visible ASCII, blanks only inside (RFC 9110, 5.5)
OURS = {
    "accept-encoding",
    "connection",  # what is said hop by hop (RFC 9110, 7.6.1)
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}
OUR_PREFIXES = ("content-", "webhook-", "proxy-")


Sealed = bytes | memoryview | None  # as the databases give it


def seal_headers(given: Mapping[str, str], sealed: Sealed = None) -> bytes | None:
    """`given` sealed for the database; None where there are none.

    A value that is the mask, as they are shown, stays what it is in `sealed`. Raises `InvalidInput`.
    """
    kept = {name.lower(): value for name, value in _readable(sealed).items()}
    headers = {name: kept.get(name.lower(), MASK) if value == MASK else value for name, value in given.items()}
    if errors := list(_flaws(headers)):
        raise InvalidInput(errors)
    return vault.encrypt(json.dumps(headers).encode()) if headers else None


def open_headers(sealed: Sealed) -> dict[str, str]:
    """The headers with their values; raises `InvalidToken` where no key of ours opens them."""
    return dict(json.loads(vault.decrypt(bytes(sealed)))) if sealed else {}


def masked_headers(sealed: Sealed) -> dict[str, str]:
    """The headers as they are shown: their values may be secrets."""
    return dict.fromkeys(_readable(sealed), MASK)


def _readable(sealed: Sealed) -> dict[str, str]:
    """The headers, as far as they can be opened: otherwise none, so that new ones can be given."""
    try:
        return open_headers(sealed)
    except InvalidToken:
        return {}


def _flaws(headers: Mapping[str, str]) -> Iterator[FieldError]:
    if len(headers) > HEADERS_MAX:
        yield FieldError("/headers", "too-many", _("At most %(count)d headers.") % {"count": HEADERS_MAX})
    if sum(len(name) + len(value) for name, value in headers.items()) > TOTAL_MAX_LENGTH:
        detail = _("All headers together may have %(count)d characters at most.") % {"count": TOTAL_MAX_LENGTH}
        yield FieldError("/headers", "too-long", detail)
    seen: set[str] = set()
    for name, value in headers.items():
        if flaw := _flaw_of_name(name, seen) or _flaw_of_value(value):
            yield FieldError(f"/headers/{name.replace('~', '~0').replace('/', '~1')}", "invalid", flaw)
        seen.add(name.lower())


def _flaw_of_name(name: str, seen: set[str]) -> str:
    if len(name) > NAME_MAX_LENGTH or not NAME.fullmatch(name):
        return _("A header’s name has letters, digits and hyphens, %(count)d at most.") % {"count": NAME_MAX_LENGTH}
    if name.lower() in OURS or name.lower().startswith(OUR_PREFIXES):
        return _("This header is set by the call itself.")
    return _("This header is named twice.") if name.lower() in seen else ""


def _flaw_of_value(value: str) -> str:
    if value == MASK:
        return _("There is no value of this header to keep; give one.")
    if len(value) > VALUE_MAX_LENGTH or not VALUE.fullmatch(value):
        detail = _("A value has visible ASCII characters with blanks only between them, %(count)d at most.")
        return detail % {"count": VALUE_MAX_LENGTH}
    return ""
