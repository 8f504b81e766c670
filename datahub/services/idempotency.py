"""Requests that are sent again: with the same Idempotency-Key the same answer, and nothing done twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datahub.errors import AnswerTooLarge, KeyReused
from datahub.models import IdempotentAnswer
from fastgen_backend.errors import FieldError, InvalidInput

KEPT = timedelta(hours=24)
KEY_MAX = 255
ANSWER_MAX = 40_000_000  # bytes: the largest request, and 1,000 rows of 400 columns that were not sent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    body: bytes


def once(*, key: str, actor: str, fingerprint: bytes, work: Callable[[], Answer]) -> Answer:
    """The answer of `work`, or of an earlier request of this actor with this key, kept for 24 hours.

    The answer is stored in the transaction of the work; a refusal is not, and may be tried again. `fingerprint` tells
    the request from others: raises `KeyReused` where the key belongs to another one, `InvalidInput` for a bad key,
    `AnswerTooLarge` where there is too much to keep; nothing is done then.
    """
    name = _name(key, actor)
    if earlier := _earlier(name, lambda: fingerprint):
        return earlier
    with transaction.atomic():
        try:
            with transaction.atomic():  # one of two at once waits here for the other
                kept = IdempotentAnswer.objects.create(name=name, fingerprint=fingerprint)
        except IntegrityError:
            if earlier := _earlier(name, lambda: fingerprint):
                return earlier
            raise
        answer = work()
        if len(answer.body) > ANSWER_MAX:
            raise AnswerTooLarge(_("Send fewer rows at once, or leave out the Idempotency-Key."))
        kept.status, kept.body = answer.status, answer.body
        kept.save()
    return answer


def earlier_answer(*, key: str, actor: str, fingerprint: Callable[[], bytes]) -> Answer | None:
    """What `once` answered before; None where nothing was kept. Raises what it raises.

    The fingerprint is asked for only where there is one to compare it with: it may take long to find out.
    """
    return _earlier(_name(key, actor), fingerprint)


def delete_old_answers() -> int:
    """Forget what was kept for its time; tells how many."""
    old = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT)
    return old.delete()[0] if old.exists() else 0


def _name(key: str, actor: str) -> bytes:
    if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
        detail = _("An Idempotency-Key has 1 to %(count)d printable characters.") % {"count": KEY_MAX}
        raise InvalidInput([FieldError("/Idempotency-Key", "invalid", detail)])
    return sha256(f"{actor}\0{key}".encode()).digest()


def _earlier(name: bytes, fingerprint: Callable[[], bytes]) -> Answer | None:
    kept = IdempotentAnswer.objects.filter(name=name).first()
    if kept is None:
        return None
    if kept.created_at < timezone.now() - KEPT:
        kept.delete()
        return None
    if bytes(kept.fingerprint) != fingerprint():
        raise KeyReused(_("Use a new key for each new request."))
    return Answer(kept.status, bytes(kept.body))
