"""How signing keys follow each other, so that no token that was good becomes bad (OpenID Connect Core, 10.1.1).

A new key is published for a while before it signs, so that whoever keeps our JWKS knows it by then. The one before it
stays published, and is believed, until the last token that it signed is over. Then its private half is deleted, and the
public one kept as long as somebody may come to log out with an ID token of it.
"""

from contextlib import suppress
from datetime import timedelta

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from authpages.models import SigningKey
from authpages.signing_keys import ALGORITHMS, BELIEVED_FOR, read_key, seal_new_key
from fastgen_backend import vault
from fastgen_backend.retention import delete_some

JWKS_SECONDS = 300  # how long others may keep our JWKS
PUBLISHED_AHEAD = timedelta(minutes=10)  # more than that, and what clocks and our own looks may add


def keep_signing_keys() -> None:
    """Take each step whose time has come, every `SIGNING_KEY_DAYS`; any number of workers may do so at once."""
    for algorithm in ALGORITHMS:
        if old := _old_key(algorithm):
            publish_next_key(algorithm, after=old)
        let_next_key_sign(algorithm)
    drop_private_halves()
    forgotten = timezone.now() - BELIEVED_FOR - timedelta(days=settings.SESSION_DAYS)
    delete_some(SigningKey.objects.filter(retired_at__lt=forgotten).order_by("retired_at"))


def publish_next_key(algorithm: str, after: SigningKey | None = None) -> SigningKey | None:
    """The key that signs next, published from now on if none was; None where there is no key yet to follow.

    Or, with `after`, where that one signs no more: another worker has let the next one sign meanwhile.
    """
    if waiting := _first_open(_waiting(algorithm)):
        return waiting
    sealed = seal_new_key(algorithm)
    with transaction.atomic():
        current = _lock_current(algorithm)
        if current is None or (after and after != current):
            return None
        following = {"algorithm": algorithm, "private_key": sealed, "is_current": False}
        return _first_open(_waiting(algorithm)) or SigningKey.objects.create(**following)


def let_next_key_sign(algorithm: str) -> bool:
    """Let the next key sign, if everyone can know it by now, and retire the one before it; whether it was so."""
    known_by_all = _waiting(algorithm).filter(created_at__lte=timezone.now() - PUBLISHED_AHEAD)
    if not known_by_all.exists():
        return False
    with transaction.atomic():
        current = _lock_current(algorithm)
        following = _first_open(known_by_all) if current else None
        if current is None or following is None:
            return False
        _retire(SigningKey.objects.filter(pk=current.pk))
        SigningKey.objects.filter(pk=following.pk).update(is_current=True)
    return True


def drop_private_halves() -> None:
    """Delete the private halves of keys that sign no more and whose last token is over, as far as we can open them."""
    over = SigningKey.objects.filter(private_key__isnull=False, retired_at__lt=timezone.now() - BELIEVED_FOR)
    if not over.exists():
        return
    with transaction.atomic():
        for row in over.select_for_update(skip_locked=True):
            with suppress(InvalidToken):  # whoever looks for keys tells of it
                row.public_key, row.private_key = _sealed_public_half(row), None
                row.save(update_fields=["public_key", "private_key"])


def publish_new_keys() -> list[SigningKey]:
    """New keys, unknown to anybody, published beside those there are; `replace_keys` lets them sign."""
    sealed = {algorithm: seal_new_key(algorithm) for algorithm in ALGORITHMS}
    with transaction.atomic():
        return [
            SigningKey.objects.create(algorithm=algorithm, private_key=key, is_current=False)
            for algorithm, key in sealed.items()
        ]


def replace_keys(new: list[SigningKey]) -> bool:
    """Let these keys sign from now on, and retire all others; whether that was so, and nobody took one back meanwhile.

    For when a key got into other hands. That is to be more than `UNKNOWN_SECONDS` after they were published: any
    process finds them then, when it looks for what was signed with them. Once no process can sign with the former ones
    any more, which takes `LOOK_AGAIN_SECONDS`, `take_back_keys` is to follow.
    """
    ids = {key.pk for key in new}
    with transaction.atomic():
        living = SigningKey.objects.select_for_update().filter(retired_at=None).order_by("pk")
        found = set(living.values_list("pk", flat=True))
        if not ids <= found:
            return False
        _retire(SigningKey.objects.filter(pk__in=found - ids))
        SigningKey.objects.filter(pk__in=ids).update(is_current=True)
    return True


def take_back_keys(new: list[SigningKey]) -> bool:
    """Delete all keys but those that sign: whatever others signed is believed no more; whether all the `new` ones do.

    Where somebody else replaced them meanwhile, nothing is deleted: processes may sign with them still.
    """
    with transaction.atomic():
        rows = SigningKey.objects.select_for_update().order_by("pk").values_list("pk", "is_current")
        signs = dict(rows)
        if not all(signs.get(key.pk) for key in new):
            return False
        SigningKey.objects.filter(pk__in=[pk for pk in signs if not signs[pk]]).delete()
    return True


def _old_key(algorithm: str) -> SigningKey | None:
    """The key that signs, where it is older than `SIGNING_KEY_DAYS`; none ever is, where that is 0."""
    if not settings.SIGNING_KEY_DAYS:
        return None
    since = timezone.now() - timedelta(days=settings.SIGNING_KEY_DAYS)
    return SigningKey.objects.filter(algorithm=algorithm, is_current=True, created_at__lt=since).first()


def _waiting(algorithm: str) -> "models.QuerySet[SigningKey]":
    """What is published and has not signed yet; of several, the oldest is the next one."""
    return SigningKey.objects.filter(algorithm=algorithm, is_current=False, retired_at=None).order_by("pk")


def _first_open(keys: "models.QuerySet[SigningKey]") -> SigningKey | None:
    """The first of these that our `SECRET_KEY` opens; the others we can neither publish nor sign with."""
    for row in keys:
        with suppress(InvalidToken):
            read_key(row)
            return row
    return None


def _lock_current(algorithm: str) -> SigningKey | None:
    """The key that signs, locked until the transaction ends: whoever lets another one sign holds it."""
    return SigningKey.objects.select_for_update().filter(algorithm=algorithm, is_current=True).first()


def _retire(keys: "models.QuerySet[SigningKey]") -> None:
    keys.update(is_current=False, retired_at=timezone.now())


def _sealed_public_half(row: SigningKey) -> bytes:
    public = read_key(row).public_key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return vault.encrypt(pem)
