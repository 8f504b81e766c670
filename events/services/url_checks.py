"""A look at a URL before it becomes a webhook's: says in words what stands in the way, and sends no event."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import aiohttp
from django.utils.translation import gettext as _

from authpages.throttles import Limit, count
from fastgen_backend.origin import Origin
from fastgen_backend.targets import TargetRefused, check_url, guarded_session, is_refusal, travels_unread

TIMEOUT_SECONDS = 5  # somebody waits for it before a form
CHECKS_PER_HOUR = 120  # of one person: enough to try, too few to search a network with
LONGEST_LOCATION = 200


@dataclass(frozen=True, slots=True)
class UrlCheck:
    """What was found: all well, something to think of, or a URL that no event will reach; `words` say it to people."""

    verdict: Literal["good", "warn", "bad"]
    words: str


def check_endpoint(*, url: str, origin: Origin) -> UrlCheck:
    """Connect to `url` as a delivery would, guarded alike, and ask for its head (RFC 9110, 9.3.2); no event is sent.

    Takes 5 s at most. Raises `TooManyRequests`; what is wrong with the URL is the answer.
    """
    count([Limit("url-check", CHECKS_PER_HOUR, origin.actor)])
    try:
        check_url(url)
        status, location = asyncio.run(_ask(url))
    except TargetRefused as refusal:
        return UrlCheck("bad", refusal.detail)
    except TimeoutError:
        return UrlCheck("bad", _("Nobody answers within %(count)d seconds.") % {"count": TIMEOUT_SECONDS})
    except (aiohttp.ClientError, OSError, ValueError) as problem:
        return UrlCheck("bad", _explain(problem))
    return _judge(url, status, location)


async def _ask(url: str) -> tuple[int, str]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        guarded_session(timeout=timeout, headers={"User-Agent": "Fastgen-Webhooks/1"}) as session,
        session.head(url, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("Location", "")


def _judge(url: str, status: int, location: str) -> UrlCheck:
    """What an answer means for calls by POST; most receivers refuse anything else, so a refusal is no bad sign."""
    if 300 <= status < 400:
        words = _("It redirects to %(location)s. Webhooks follow no redirects: give the URL where it ends.")
        return UrlCheck("bad", words % {"location": location[:LONGEST_LOCATION] or _("somewhere else")})
    if status >= 500:
        return UrlCheck("warn", _("A server answers, but with the error %(status)d.") % {"status": status})
    if not travels_unread(url):
        words = _("A server answers. Use https if you can: others may read what is sent, so no tokens and links are.")
        return UrlCheck("warn", words)
    return UrlCheck("good", _("A server answers. Send a test to see whether it takes events."))


def _explain(problem: Exception) -> str:
    if is_refusal(problem):
        return _("The host is not on the public internet, so it is not called.")
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return _("The host’s name can’t be resolved: look for a slip in it.")
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        return _("Its certificate is not valid for this host, has expired, or is signed by nobody we trust.")
    if isinstance(problem, aiohttp.ClientSSLError):
        return _("It does not speak https on this port.")
    if isinstance(problem, aiohttp.ClientConnectorError):
        return _("No connection could be made: is the server up, and is this its port?")
    return _("A connection was made, but the answer was not HTTP.")
