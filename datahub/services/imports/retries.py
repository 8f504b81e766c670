"""Imports that are asked for again with the same Idempotency-Key: the file is compared while it comes in."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from datahub.errors import BodyCutShort
from datahub.models import Import
from datahub.services.idempotency import Answer, earlier_answer, once
from datahub.services.imports.upload import CHUNK_BYTES, Stream, Upload, ask_for_import, forget_upload


def import_once(
    *,
    key: str,
    actor: str,
    asked: str,
    upload: Upload,
    take_in: Callable[[Upload], Import],
    show: Callable[[Import], bytes],
) -> Answer:
    """Store a file by `take_in`, and ask for its import; or give the answer of the first request with this key.

    `asked` is what was asked for beside the file. Raises what `take_in` and `idempotency.once` raise; a file that was
    stored for nothing is deleted.
    """
    stream = _Fingerprinted(upload.stream, asked)

    def rest() -> bytes:
        stream.exhaust()
        if stream.taken < upload.size:
            raise BodyCutShort
        return stream.fingerprint

    if earlier := earlier_answer(key=key, actor=actor, fingerprint=rest):
        return earlier
    found = take_in(replace(upload, stream=stream))
    answer = None

    def work() -> Answer:
        nonlocal answer
        ask_for_import(found)
        answer = Answer(202, show(found))
        return answer

    try:
        given = once(key=key, actor=actor, fingerprint=stream.fingerprint, work=work)
    except BaseException:
        forget_upload(found)
        raise
    if given is not answer:  # another was quicker with the same
        found.delete()
    return given


class _Fingerprinted:
    """A stream that tells a fingerprint of what was read of it so far."""

    def __init__(self, stream: Stream, asked: str) -> None:
        self._stream = stream
        self._hash = sha256(f"{asked}\0".encode())
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        self._hash.update(piece)
        self.taken += len(piece)
        return piece

    def exhaust(self) -> None:
        while self.read(CHUNK_BYTES):
            pass

    @property
    def fingerprint(self) -> bytes:
        return self._hash.digest()
