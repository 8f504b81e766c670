"""Passwords: which are good enough, and how they are hashed without a storm of logins taking every thread."""

import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.contrib.auth import hashers, password_validation
from django.utils.translation import gettext as _

from authpages.errors import WeakPassword
from fastgen_backend.errors import TooBusy

MAX_BYTES = 1024
CONTEXT_MIN_LENGTH = 4
Result = TypeVar("Result")


class Argon2idHasher(hashers.Argon2PasswordHasher):
    """argon2id (RFC 9106) with the parameters of the settings; the default is OWASP's floor: 19 MiB, t=2, p=1."""

    @property
    def time_cost(self) -> int:  # type: ignore[override]  # Django keeps one instance; settings are read anew
        return int(settings.ARGON2_TIME_COST)

    @property
    def memory_cost(self) -> int:  # type: ignore[override]
        return int(settings.ARGON2_MEMORY_KIB)

    @property
    def parallelism(self) -> int:  # type: ignore[override]
        return int(settings.ARGON2_PARALLELISM)


def normalise(password: str) -> str:
    """NFKC, once, so that every keyboard's spelling of a password is the same (NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_password_is_good(password: str, *, email: str = "", product_name: str = "") -> None:
    """Raise `WeakPassword`, saying why, unless `password` may be used.

    8 code points at least (a setting), 1,024 bytes at most and never truncated, no rules of composition; not among the
    common ones (OWASP ASVS 6.2.4), not built from the address or the product's name (6.2.11).
    """
    if any("\ud800" <= character <= "\udfff" or character == "\0" for character in password):
        raise WeakPassword(_("A password must not hold NUL or lone surrogates."))
    normal = normalise(password)
    if len(normal) < settings.PASSWORD_MIN_LENGTH:
        raise WeakPassword(_("Use at least %(count)d characters.") % {"count": settings.PASSWORD_MIN_LENGTH})
    if len(normal.encode()) > MAX_BYTES:
        raise WeakPassword(_("Use at most %(count)d bytes.") % {"count": MAX_BYTES})
    folded = normal.casefold()
    if folded.strip() in _common() or len(set(folded)) == 1:
        raise WeakPassword(_("This password is among the most common ones; attackers try those first."))
    if _is_built_from(folded, _context_words(email, product_name)):
        raise WeakPassword(_("Don’t build the password from your e-mail address or the product’s name."))


def hash_password(password: str) -> str:
    """The argon2id hash of `password`, about 20 ms; raises `TooBusy` where too many wait already."""
    return _in_turn(lambda: hashers.make_password(normalise(password)))


def verify_password(password: str, stored: str | None) -> bool:
    """Whether `password` is the one that was stored; with nothing stored it takes the same time and is false."""
    if any("\ud800" <= character <= "\udfff" for character in password) or len(password.encode()) > MAX_BYTES * 4:
        password, stored = "", None
    dummy = _dummy_hash(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME_COST, settings.ARGON2_PARALLELISM)
    right = _in_turn(lambda: hashers.check_password(normalise(password), stored or dummy))
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether `stored` was made with other parameters than those of the settings."""
    hasher = hashers.identify_hasher(stored)
    return hasher.algorithm != Argon2idHasher.algorithm or hasher.must_update(stored)


class _HashThreads:
    """Lets `HASH_CONCURRENCY` hashes run and four times as many wait; turns the rest away at once.

    Hashes have threads of their own, because each thread keeps the 19 MiB it hashed in: what is used again at once is
    still in the processor's cache, and few threads keep any.
    """

    def __init__(self, running: int) -> None:
        self.threads = ThreadPoolExecutor(running, thread_name_prefix="hash")
        self.present = threading.BoundedSemaphore(running * 5)

    def run(self, work: Callable[[], Result]) -> Result:
        if not self.present.acquire(blocking=False):
            raise TooBusy(_("Too many people are logging in right now; please try again."), retry_after=1)
        try:
            return self.threads.submit(work).result()
        finally:
            self.present.release()


@cache
def _hash_threads(running: int) -> _HashThreads:
    return _HashThreads(running)


def _in_turn(work: Callable[[], Result]) -> Result:
    return _hash_threads(settings.HASH_CONCURRENCY).run(work)


@cache
def _dummy_hash(*parameters: int) -> str:
    """What an unknown address is checked against: of today's parameters, made once per process."""
    return hashers.make_password("nobody has this password")


@cache
def _common() -> frozenset[str]:
    """Django's list of the 20,000 most common passwords."""
    return frozenset(password_validation.CommonPasswordValidator().passwords)


def _context_words(email: str, product_name: str) -> set[str]:
    local, _at, domain = normalise(email).casefold().partition("@")
    words = {email.casefold(), local, domain, domain.partition(".")[0], normalise(product_name).casefold()}
    return {word for word in words if len(word) >= CONTEXT_MIN_LENGTH}


def _is_built_from(password: str, words: set[str]) -> bool:
    """Whether so little is left of `password` without one of `words` that the word is the password."""
    return any(word in password and len(password.replace(word, "")) < CONTEXT_MIN_LENGTH for word in words)
