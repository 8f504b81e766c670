"""Access tokens: JWTs (RFC 9068) signed with keys that all processes share."""

import threading
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from authpages.errors import TokenInvalid
from authpages.models import Session, SigningKey
from fastgen_backend import vault
from fastgen_backend.ids import uuid7

ALGORITHM = "RS256"
KEY_BITS = 2048  # NIST SP 800-57: good to 2030
LEEWAY_SECONDS = 30
RELOAD_SECONDS = 5  # how often an unknown `kid` may make us look into the database


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says: whose session it belongs to, and until when (Unix seconds)."""

    session_id: uuid.UUID
    user_id: uuid.UUID
    issued_at: float
    expires_at: float


def issue_access_token(session: Session) -> str:
    """A token for `session`, whose user must be loaded; good for `ACCESS_TOKEN_SECONDS`."""
    key = _keys.current()
    now = int(time.time())
    user = session.user
    claims = {
        "iss": settings.BASE_URL,
        "aud": settings.BASE_URL,
        "sub": str(user.pk),
        "sid": str(session.pk),
        "jti": uuid7().hex,
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_SECONDS,
        "roles": user.role_names,
        "email": user.email,
        "email_verified": user.email_verified,
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt", "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def read_access_token(token: str) -> Claims:
    """The claims of a token that is ours, meant for our API and not over; raises `TokenInvalid` for any other.

    The algorithm comes from our list and the key from our table, never from the token's header (RFC 8725, 3.1).
    """
    try:
        claims, now = _verified(token, settings.BASE_URL), time.time()
        if claims.expires_at + LEEWAY_SECONDS < now or claims.issued_at - LEEWAY_SECONDS > now:
            raise ValueError("not now")
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenInvalid(
            _("The access token is malformed, expired or not ours; refresh it or log in again.")
        ) from None
    return claims


@lru_cache(maxsize=4096)
def _verified(token: str, issuer: str) -> Claims:
    """The claims of a token that `issuer` signed for its own API, be it over or not.

    Remembered, because a program sends the same token for 15 minutes; what raises is not.
    """
    decoded = jwt.decode(token, _find_key, algorithms=[ALGORITHM])
    claims = decoded.claims
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if decoded.header["typ"] != "at+jwt" or claims["iss"] != issuer or issuer not in audience:
        raise ValueError("not ours")
    return Claims(
        session_id=uuid.UUID(claims["sid"]),
        user_id=uuid.UUID(claims["sub"]),
        issued_at=float(claims["iat"]),
        expires_at=float(claims["exp"]),
    )


def _find_key(guest: Any) -> RSAKey:
    return _keys.find(str(guest.headers().get("kid", "")))


class _Keys:
    """The signing keys, read from the database once per process and again when a token names an unknown one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start anew, as in a new process."""
        self._by_id: dict[str, RSAKey] = {}
        self._current = ""
        self._loaded_at = 0.0

    def current(self) -> RSAKey:
        """The key that signs; the very first is made here."""
        if not self._current:
            with self._lock:
                self._load()
                if not self._current:
                    _make_key()
                    self._load()
        return self._by_id[self._current]

    def find(self, kid: str) -> RSAKey:
        """The key with this id; raises `KeyError` where there is none."""
        if kid not in self._by_id and time.monotonic() - self._loaded_at > RELOAD_SECONDS:
            with self._lock:
                self._load()
        return self._by_id[kid]

    def _load(self) -> None:
        for row in SigningKey.objects.filter(algorithm=ALGORITHM):
            kid = str(row.pk)
            if kid not in self._by_id:
                pem = vault.decrypt(bytes(row.private_key))
                self._by_id[kid] = RSAKey.import_key(pem, {"kid": kid, "use": "sig", "alg": ALGORITHM})
            if row.is_current:
                self._current = kid
        self._loaded_at = time.monotonic()


_keys = _Keys()


def forget_keys() -> None:
    """Read the signing keys anew at the next use, and believe no token that was verified with those of before."""
    _keys.forget()
    _verified.cache_clear()


def _make_key() -> None:
    """Make the first key; where another process was quicker, its key is the one."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        with transaction.atomic():
            SigningKey.objects.create(algorithm=ALGORITHM, private_key=vault.encrypt(pem))
    except IntegrityError:
        pass
