"""Known devices: the browsers that people log in with, each known again by a cookie for each account.

As OWASP describes it in “Slow down online guessing attacks with device cookies”. Each login hands out a new token, so
that none that was planted or stolen before is worth anything after it.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from authpages.devices import neighbourhood
from authpages.models import KnownDevice, User, token_hash
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import insert

KNOWN_FOR = timedelta(days=365)  # since the last login
MOST_DEVICES = 20  # of a person; the one that was not used for longest goes
MOST_ACCOUNTS = 5  # in one browser
A_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
RECENT_SESSIONS = 200  # that a login is compared with, however many a busy program leaves


@dataclass(frozen=True, slots=True)
class Browser:
    """What a login comes from: the cookie that was sent along, and the device by which the account knows it, if any."""

    cookie: str = ""
    device: KnownDevice | None = None


def recognise(*, email_key: str, cookie: str) -> Browser:
    """The browser that sent this cookie, to the account of this address, be there one or not.

    One query, the same for all addresses; none without a cookie.
    """
    hashes = [token_hash(token) for token in _tokens(cookie)]
    if not hashes:
        return Browser(cookie)
    known_since = timezone.now() - KNOWN_FOR
    devices = KnownDevice.objects.filter(hash__in=hashes, user__email_key=email_key, last_seen_at__gt=known_since)
    return Browser(cookie, devices.order_by("-last_seen_at").first())


def remember(*, browser: Browser, user: User, origin: Origin) -> str:
    """Make the browser one that the person is known by; answers its new cookie.

    It holds a new token for this account, and those for others as they were. Inside the caller's transaction.
    """
    token = secrets.token_urlsafe(32)
    device = browser.device
    seen = {
        "hash": token_hash(token),
        "user_agent": origin.user_agent,
        "network": neighbourhood(origin.ip_address),
        "last_seen_at": timezone.now(),
    }
    if device is None or not KnownDevice.objects.filter(pk=device.pk).update(**seen):
        insert(KnownDevice(user=user, **seen))
        user.devices.all().beyond(MOST_DEVICES).delete()
    others = [each for each in _tokens(browser.cookie) if device is None or token_hash(each) != bytes(device.hash)]
    return ".".join([token, *others][:MOST_ACCOUNTS])


def forget_devices(*, user: User, but: KnownDevice | None = None) -> None:
    """Know a person's devices no more, `but` one perhaps. Inside the caller's transaction.

    For every new password: who changes it may do so because somebody else came in, whose browser is among them.
    """
    devices = user.devices.all()
    (devices.exclude(pk=but.pk) if but else devices).delete()


def is_new(*, browser: Browser, user: User, origin: Origin) -> bool:
    """Whether this login is from where the person never was: another browser, or the same in another network.

    A program that logs in from its server keeps no cookie, and is at the same place all the same. The very first login
    is compared with nothing. At most two queries; none where the browser is known.
    """
    if browser.device or user.last_login_at is None:
        return False
    here = neighbourhood(origin.ip_address)
    recent = user.sessions.order_by("-pk").values_list("user_agent", "ip_address")[:RECENT_SESSIONS]
    addresses = {address for user_agent, address in recent if user_agent == origin.user_agent}
    if here in map(neighbourhood, addresses):
        return False
    return not user.devices.filter(user_agent=origin.user_agent, network=here).exists()


def _tokens(cookie: str) -> list[str]:
    """Those of a cookie that may be ours; what else a browser sends is not looked up, and not sent back."""
    return [token for token in cookie.split(".")[:MOST_ACCOUNTS] if A_TOKEN.fullmatch(token)]
