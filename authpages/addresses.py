"""E-mail addresses: which are usable, and when two are the same."""

import contextlib
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from fastgen_backend.limits import LONGEST_EMAIL

_is_email = EmailValidator()


def email_key(email: str) -> str:
    """The one spelling that stands for every spelling of an address: NFKC, case folded, domain as IDNA A-label.

    Computed here and not in the database, because SQLite folds ASCII only. Never fails: of something that is no address
    it makes a key that no account has.
    """
    local, _, domain = unicodedata.normalize("NFKC", email.strip()).casefold().rpartition("@")
    with contextlib.suppress(idna.IDNAError):
        domain = idna.encode(domain, uts46=True).decode()
    return f"{local}@{domain}"


def is_usable(email: str) -> bool:
    """Whether mail could be sent to `email`: one `@`, a sensible domain, printable, at most 254 characters."""
    if len(email) > LONGEST_EMAIL or len(email_key(email)) > LONGEST_EMAIL or not email.isprintable():
        return False
    try:
        _is_email(email_key(email))
    except ValidationError:
        return False
    return True
