"""Who may be called from here: the guard against server-side request forgery (OWASP SSRF Prevention Cheat Sheet)."""

import ipaddress
import itertools
import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from yarl import URL

from fastgen_backend.environment import is_loopback
from fastgen_backend.errors import DomainError
from fastgen_backend.limits import LONGEST_URL
from fastgen_backend.look_ups import Resolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FETCH_TIMEOUT_SECONDS = 10
PRIVATE = [  # reachable from this machine or its network only; allowed by WEBHOOK_ALLOW_PRIVATE_TARGETS
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
    )
]
NEVER = [  # what `is_global` lets through although it leads elsewhere, or nowhere
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "::/3",  # all but 2000::/3, of which alone there is global unicast: NAT64, IPv4 within IPv6, site-local …
        "4000::/2",
        "8000::/1",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]


class TargetRefused(DomainError):
    """This URL is not one that the server may call."""

    code = "target-refused"
    title = gettext_lazy("This URL can’t be called")
    field = "url"


class TargetUnreachable(DomainError):
    """The URL may be called, but gave no usable answer."""

    code = "target-unreachable"
    title = gettext_lazy("This URL gives no usable answer")
    field = "url"


class AddressRefused(OSError):
    """A connection to a non-public address was refused before its socket was made."""


def check_url(url: str) -> None:
    """Refuse what can be refused without a look-up: form, scheme, user information, fragment, non-public literals.

    Names are looked up, and their addresses judged, when the connection is made. Raises `TargetRefused`.
    """
    for problem in itertools.chain(_flaws_of_text(url), _flaws_of_target(url)):
        raise TargetRefused(problem)


def is_allowed(address: str) -> bool:
    """Whether a connection to this literal IP address may be made."""
    ip: Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if any(ip in network for network in PRIVATE):
        return bool(settings.WEBHOOK_ALLOW_PRIVATE_TARGETS)
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in NEVER)


def travels_unread(url: str) -> bool:
    """Whether nobody on the way can read what is sent to `url`: by https, or within this machine."""
    target = _parsed(url)
    return target is not None and (target.scheme == "https" or is_loopback(target.host or ""))


def is_same_origin(url: str, other: str) -> bool:
    """Whether both have one scheme, host and port (RFC 6454, 5)."""
    origins = [(target.scheme, target.host, target.port) for target in map(_parsed, (url, other)) if target]
    return len(origins) == 2 and origins[0] == origins[1]


def guarded_connector(**options: Any) -> aiohttp.TCPConnector:
    """A connector that makes no socket to an address that is not allowed, be it a literal or an answer of the DNS."""
    return aiohttp.TCPConnector(socket_factory=_guarded_socket, resolver=Resolver(), **options)


def guarded_session(**options: Any) -> aiohttp.ClientSession:
    """A session for calls to strangers: guarded, without cookies, proxies from the environment or decompression."""
    return aiohttp.ClientSession(
        connector=guarded_connector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        **options,
    )


async def fetch(url: str, max_bytes: int) -> bytes:
    """The body of a 200 answer to GET, at most `max_bytes` long; redirects are not followed.

    Raises `TargetRefused`, and `TargetUnreachable` where the answer is another one, too long, or takes over 10 s.
    """
    check_url(url)
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_SECONDS)
    try:
        async with (
            guarded_session(timeout=timeout, headers={"Accept-Encoding": "identity"}) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise TargetUnreachable(_("The answer has the status %(status)d, not 200.") % {"status": answer.status})
            return await _read(answer, max_bytes)
    except TimeoutError:
        detail = _("No full answer came within %(count)d s.") % {"count": FETCH_TIMEOUT_SECONDS}
        raise TargetUnreachable(detail) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # the last two: from below aiohttp, unwrapped
        if is_refusal(error):
            raise TargetRefused(_("The host is not on the public internet.")) from None
        raise TargetUnreachable(_("No connection could be made.")) from None


def is_refusal(error: BaseException) -> bool:
    """Whether an error of aiohttp came from the guard."""
    return isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused)


async def _read(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > max_bytes:
            raise TargetUnreachable(_("The answer is longer than %(count)d bytes.") % {"count": max_bytes})
    return bytes(body)


def _guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _name, address = info
    if not is_allowed(address[0]):
        raise AddressRefused(f"{address[0]} is not a public address")
    return socket.socket(family, kind, protocol)


def _flaws_of_text(url: str) -> Iterator[str]:
    if len(url) > LONGEST_URL:
        yield _("The URL is longer than %(count)d characters.") % {"count": LONGEST_URL}
    if not url.isprintable() or " " in url or "\\" in url:
        yield _("The URL holds a space, a backslash or a control character.")
    if "#" in url:
        yield _("The URL must not have a fragment (#…): it would never be sent.")


def _flaws_of_target(url: str) -> Iterator[str]:
    target = _parsed(url)
    if target is None:
        yield _("The URL can’t be read.")
        return
    host, usable_port = target.host, target.port != 0
    if target.scheme not in {"http", "https"}:
        yield _("The URL must begin with https:// or http://.")
    if not host or not usable_port:
        yield _("The URL names no host, or a port that can’t be used.")
        return
    if target.user is not None or target.password is not None or "@" in url.split("/")[2]:
        yield _("The URL must not hold a user name or password.")
    if not _may_name(host):
        yield _("%(host)s is not on the public internet.") % {"host": host}
    if not _can_be_asked_for(target):
        yield _("%(host)s can’t be a host’s name.") % {"host": host}


def _parsed(url: str) -> URL | None:
    """As the parser sees it that the call itself will use; None where it can't be read."""
    try:
        target = URL(url)
        _decoded = target.host, target.port
    except (ValueError, IndexError):  # the latter where brackets stand before an @
        return None
    return target


def _may_name(host: str) -> bool:
    """Whether `host` may be looked up; a literal address is judged at once."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return bool(settings.WEBHOOK_ALLOW_PRIVATE_TARGETS)
    try:
        return is_allowed(host)
    except ValueError:
        return not _is_odd_address(host)


def _can_be_asked_for(target: URL) -> bool:
    """Whether the host's name, as it would be looked up, has labels of 1 to 63 characters (RFC 1035, 2.3.4)."""
    try:
        (target.raw_host or "").encode("idna")
    except UnicodeError:
        return False
    return True


def _is_odd_address(host: str) -> bool:
    """Whether `host` is an address in another than the usual form: IPv4 such as 2130706433 or 0x7f.1, or something in
    brackets that is no IPv6."""
    try:
        socket.inet_aton(host)
    except OSError:
        return ":" in host
    return True
