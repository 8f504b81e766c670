"""Secrets at rest: encrypted with a key made from SECRET_KEY; SECRET_KEY_FALLBACKS still open older ones."""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from fastgen_backend.models import Installation

CHECK_VALUE = b"fastgen"


def encrypt(plain: bytes) -> bytes:
    """Encrypt with the key of today (Fernet: AES-128-CBC and HMAC-SHA-256)."""
    return _vault(*_secret_keys()).encrypt(plain)


def decrypt(sealed: bytes) -> bytes:
    """Decrypt what `encrypt` made with any of our keys; raises `cryptography.fernet.InvalidToken` if none opens it."""
    return _vault(*_secret_keys()).decrypt(sealed)


def is_of_today(sealed: bytes) -> bool:
    """Whether the key of today alone opens this."""
    try:
        _vault(settings.SECRET_KEY).decrypt(sealed)
    except InvalidToken:
        return False
    return True


def reseal(sealed: bytes) -> bytes:
    """The same secret, sealed with the key of today; raises `InvalidToken` if none of our keys opens it."""
    return _vault(*_secret_keys()).rotate(sealed)


def keyed_hashes(purpose: str, value: bytes) -> list[bytes]:
    """HMAC-SHA-256 of `value` under the key of today first, then under each older one; keys differ by `purpose`."""
    return [hmac.digest(_derive(key, purpose), value, hashlib.sha256) for key in _secret_keys()]


def verify_key() -> None:
    """Make sure that SECRET_KEY opens what this database holds; the first call on a new database seals the check value.

    Raises `ImproperlyConfigured`, in one plain sentence, where it does not.
    """
    installation, _ = Installation.objects.get_or_create(pk=1, defaults={"check_value": encrypt(CHECK_VALUE)})
    if not opens_check_value(installation):
        raise ImproperlyConfigured(
            "SECRET_KEY does not open this database's secrets; give the key it was made with, "
            "or add that one to SECRET_KEY_FALLBACKS."
        )


def opens_check_value(installation: Installation) -> bool:
    """Whether one of our keys opens what this installation was sealed with."""
    try:
        return decrypt(bytes(installation.check_value)) == CHECK_VALUE
    except InvalidToken:
        return False


def _secret_keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _vault(*keys: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "vault"))) for key in keys])


@lru_cache(maxsize=32)
def _derive(key: str, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF, RFC 5869)."""
    return HKDF(SHA256(), length=32, salt=None, info=f"fastgen {purpose}".encode()).derive(key.encode())
