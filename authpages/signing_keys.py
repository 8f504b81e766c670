"""The keys that sign tokens, shared by all processes: each reads them from the database, and looks again and again."""

import logging
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils import timezone
from joserfc.jwk import ECKey, RSAKey

from authpages.models import SigningKey
from fastgen_backend import vault

log = logging.getLogger("fastgen.signing_keys")

RS256, ES256 = "RS256", "ES256"
ALGORITHMS = [RS256, ES256]  # all that is signed with, and all that is believed (RFC 8725, 3.1)
KEY_BITS = 2048  # NIST SP 800-57: good to 2030
LOOK_AGAIN_SECONDS = 10  # so long may a process sign with a key that was retired, and believe one that was taken back
UNKNOWN_SECONDS = 1  # how often an unknown `kid`, which anyone can send, may make us look before that
SLOW_CLOCKS_SECONDS = 60  # of those who verify
LONGEST_TOKEN = timedelta(days=1)  # the most that ACCESS_TOKEN_SECONDS can be, or could when a token was signed
# So long are tokens of a key believed after it was retired: until the last that it signed is over.
BELIEVED_FOR = LONGEST_TOKEN + timedelta(seconds=LOOK_AGAIN_SECONDS + SLOW_CLOCKS_SECONDS)
CLOSED = (
    "No SECRET_KEY that is given opens the signing key %s; add the one it was sealed with to SECRET_KEY_FALLBACKS. "
    "Where that is lost and no tokens can be signed, ‘manage.py rotate_signing_keys --now’ replaces all keys."
)

Key = RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class _Found:
    """What there was when somebody looked: keys by their `kid`, and the `kid` of the current one by algorithm.

    What is `closed` no `SECRET_KEY` of this process opens. That is no key to it: it neither signs, nor is believed.
    """

    at: float = float("-inf")
    every: Mapping[str, Key] = field(default_factory=dict)
    believed: Mapping[str, Key] = field(default_factory=dict)
    current: Mapping[str, str] = field(default_factory=dict)
    closed: Collection[str] = frozenset()


class _Keys:
    """The signing keys as this process knows them, by a look that was begun at most `LOOK_AGAIN_SECONDS` ago."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew, as in a new process."""
        self._found = _Found()
        self._looked_for_unknown_at = float("-inf")
        self._keeping, self._looking_for_unknown = threading.Lock(), threading.Lock()

    def current(self, algorithm: str = RS256) -> Key:
        """The key that signs with this algorithm; raises `ImproperlyConfigured` where it can't be opened.

        Nobody makes another one instead: where it can be opened, that one would be as unknown.
        """
        found = self._with_current(self.look(), algorithm)
        kid = found.current[algorithm]
        if kid in found.closed:
            raise ImproperlyConfigured(CLOSED % kid)
        return found.believed[kid]

    def published(self) -> list[Key]:
        """All keys that are believed, or will be soon, by a look that was begun at most `UNKNOWN_SECONDS` ago.

        So whoever learns of them here knows a new one before it signs, be it that a key got into other hands.
        """
        found = self._look_after(time.monotonic() - UNKNOWN_SECONDS)
        for algorithm in ALGORITHMS:
            found = self._with_current(found, algorithm)
        return list(found.believed.values())

    def having(self, kid: str) -> _Found:
        """What there is, looked for anew where this process knows no such key; there may still be none.

        Whoever comes while somebody looks so gets what is found: it may be the same key. A look that fails counts for
        nobody else, and one that takes too long is waited for no longer.
        """
        found, now = self.look(), time.monotonic()
        if kid in found.every:
            return found
        alone = self._looking_for_unknown.acquire(timeout=UNKNOWN_SECONDS)
        try:
            if alone and now - self._looked_for_unknown_at <= UNKNOWN_SECONDS:
                return self._found
            found = self._look_after(now)
            self._looked_for_unknown_at = max(self._looked_for_unknown_at, found.at)
            return found
        finally:
            if alone:
                self._looking_for_unknown.release()

    def look(self) -> _Found:
        """What there is."""
        return self._look_after(time.monotonic() - LOOK_AGAIN_SECONDS)

    def _with_current(self, found: _Found, algorithm: str) -> _Found:
        """What there is, with a current key of this algorithm; the very first is made here."""
        if algorithm in found.current:
            return found
        make_first_key(algorithm)
        return self._look_after(time.monotonic())

    def _look_after(self, moment: float) -> _Found:
        """What there was at a look after `moment`. Each thread makes its own: it is one short query.

        One that takes longer than another that began later is not kept.
        """
        if self._found.at < moment:
            found = _read_all(self._found)
            with self._keeping:
                if found.at > self._found.at:
                    self._found = found
        return self._found


_keys = _Keys()


def current_key(algorithm: str = RS256) -> Key:
    """The key that signs with this algorithm; raises `ImproperlyConfigured` where no `SECRET_KEY` opens it."""
    return _keys.current(algorithm)


def find_key(kid: str) -> Key:
    """The key with this id, if its tokens are believed; raises `KeyError` where there is none."""
    return _keys.having(kid).believed[kid]


def find_past_key(kid: str) -> Key:
    """The key with this id, be it that its tokens are believed no more; raises `KeyError` where there is none.

    It tells whom a token that is over was about, and must open nothing.
    """
    return _keys.having(kid).every[kid]


def published_keys() -> list[dict[str, Any]]:
    """The public halves of all keys whose tokens are believed, or will be soon, as JWKs (RFC 7517), oldest first."""
    return [dict(key.as_dict(private=False)) for key in _keys.published()]


def forget_keys() -> None:
    """Read the signing keys anew at the next use."""
    _keys.forget()


def read_key(row: SigningKey) -> Key:
    """The key itself, opened: with its private half, or what is left of it.

    Raises `cryptography.fernet.InvalidToken` where no `SECRET_KEY` opens it.
    """
    kind = RSAKey if row.algorithm == RS256 else ECKey
    pem = vault.decrypt(bytes(row.private_key or row.public_key or b""))
    return kind.import_key(pem, {"kid": str(row.pk), "use": "sig", "alg": row.algorithm})


def make_first_keys() -> None:
    """Make the first key of each algorithm that has none, so that no request has to, nor waits for it."""
    signing = set(SigningKey.objects.filter(is_current=True).values_list("algorithm", flat=True))
    for algorithm in ALGORITHMS:
        if algorithm not in signing:
            make_first_key(algorithm)


def make_first_key(algorithm: str) -> None:
    """Make the first key of an algorithm; where another process was quicker, its key is the one."""
    sealed = seal_new_key(algorithm)
    try:
        with transaction.atomic():
            SigningKey.objects.create(algorithm=algorithm, private_key=sealed)
    except IntegrityError:
        pass


def seal_new_key(algorithm: str) -> bytes:
    """A new private key, sealed; to make one takes a while, so it is done before a transaction."""
    pem = _generate(algorithm).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return vault.encrypt(pem)


def _generate(algorithm: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if algorithm == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _read_all(before: _Found) -> _Found:
    """All keys of the database; what was opened before is not opened again, unless its private half has gone."""
    at, believed_since = time.monotonic(), timezone.now() - BELIEVED_FOR
    every: dict[str, Key] = {}
    believed: dict[str, Key] = {}
    current: dict[str, str] = {}
    closed: set[str] = set()
    for row in SigningKey.objects.order_by("pk"):
        kid = str(row.pk)
        if row.is_current:
            current[row.algorithm] = kid
        known = before.every.get(kid)
        try:
            every[kid] = known if known and known.is_private == bool(row.private_key) else read_key(row)
        except InvalidToken:
            closed.add(kid)
            continue
        if row.retired_at is None or row.retired_at > believed_since:
            believed[kid] = every[kid]
    for kid in closed - set(before.closed):
        log.error(CLOSED, kid)
    return _Found(at, every, believed, current, closed)
