"""Makes one signed call to a webhook."""

import os
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.connector import Connection
from django.conf import settings
from django.utils import timezone

from events.services.claims import Claim, Target
from events.services.outcomes import Outcome
from events.services.redaction import redact
from events.signing import signed_headers
from fastgen_backend.targets import guarded_session, is_refusal

ANSWER_BYTES = 16_384
HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "Fastgen-Webhooks/1",
    "Accept-Encoding": "identity",
}


still_ours: ContextVar[Callable[[], bool]] = ContextVar("still_ours")  # each call is made in a task of its own


class LeaseLapsed(Exception):
    """The delivery may belong to another worker by now."""


class FencedRequest(aiohttp.ClientRequest):
    """A request that looks once more whether it may be made, when there is a connection: that can take a while."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if not still_ours.get()():
            raise LeaseLapsed
        return await super().send(conn)


def open_session() -> aiohttp.ClientSession:
    """The session that all calls share; it keeps connections, and no call takes longer than the setting allows."""
    timeout = aiohttp.ClientTimeout(total=settings.WEBHOOK_TIMEOUT_SECONDS)
    return guarded_session(timeout=timeout, headers=HEADERS, read_bufsize=ANSWER_BYTES, request_class=FencedRequest)


def _always(claim: Claim) -> bool:
    return True


async def send(
    session: aiohttp.ClientSession, claim: Claim, target: Target, vouch: Callable[[Claim], bool] = _always
) -> Outcome:
    """Call the webhook once. Any 2xx delivers; all else, a redirect too, is a failure.

    `vouch` tells, right before the request leaves, whether the claim still holds; raises `LeaseLapsed` where it does
    not, and nothing else.
    """
    if target.flaw:
        return Outcome(claim, timezone.now(), 0, delivered=False, error=target.flaw)
    still_ours.set(lambda: vouch(claim))
    at, start = timezone.now(), time.perf_counter()
    status, retry_after, answer, error = None, 0.0, b"", ""
    signed = signed_headers(claim.public_id, int(time.time()), claim.body, target.keys)
    headers = {**target.headers, **signed}
    try:
        async with session.post(target.url, data=claim.body, headers=headers, allow_redirects=False) as response:
            status, retry_after = response.status, seconds_to_wait(response.headers)
            answer = await _beginning(response)
    except TimeoutError:
        error = f"No full answer within {settings.WEBHOOK_TIMEOUT_SECONDS} s"
    except (aiohttp.ClientError, OSError, ValueError) as problem:
        error = _explain(problem)
    if status is not None and not error and not 200 <= status < 300:
        error = f"Answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
    return Outcome(
        claim=claim,
        at=at,
        duration_ms=round((time.perf_counter() - start) * 1000),
        delivered=status is not None and not error,
        status=status,
        error=redact(error, claim.hidden),
        response_body=redact(answer.decode(errors="replace"), claim.hidden),
        retry_after=retry_after,
    )


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """What `Retry-After` asks for, in seconds or by an HTTP date (RFC 9110, 10.2.3); 0 where nothing readable."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a time zone of many digits
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, (moment - datetime.now(UTC)).total_seconds())


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The first 16 kB of the answer; where there is more, the connection is closed."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) >= ANSWER_BYTES:
            response.close()
            break
    return bytes(body[:ANSWER_BYTES])


def _explain(problem: Exception) -> str:
    if is_refusal(problem):
        return "Refused: the host is not on the public internet"
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return "The host name can't be resolved"
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        reason = getattr(problem.certificate_error, "verify_message", "") or "it can't be verified"
        return f"The certificate is refused: {reason}"
    if isinstance(problem, aiohttp.ClientConnectorSSLError):
        return "No TLS connection: the host answers otherwise than TLS does"
    if isinstance(problem, aiohttp.ClientConnectorError):
        number = problem.os_error.errno
        return f"No connection: {os.strerror(number) if number else 'failed'}"
    return f"{type(problem).__name__}: the call broke off"
