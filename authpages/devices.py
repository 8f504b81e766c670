"""What tells devices apart: the words that their owners know them by, and the networks that they are in."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple

import ua_parser
from django.utils.translation import gettext as _

SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
HANDHELDS = {"iPhone", "iPad", "iPod"}
LONGEST = 40  # of each; a name is taken from what was sent, and mails to other people hold it
VARIANT = re.compile(r"\b(Mobile|WebView|iOS)\b")  # `Mobile Safari`, `Chrome Mobile iOS`: the system says it better


class _Device(NamedTuple):
    program: str
    system: str


def device_name(user_agent: str) -> str:
    """Such as “Firefox on Linux”, “Safari on iPhone” or “curl”; never fails, whatever was sent.

    It is what the client says of itself: good for recognising one’s own devices, proof of nothing.
    """
    device = _parsed(user_agent)
    if device.program and device.system:
        return _("%(program)s on %(system)s") % device._asdict()
    return device.program or device.system or _("Unknown device")


def is_handheld(user_agent: str) -> bool:
    """Whether it is a phone or a tablet, for the picture beside its name."""
    return _parsed(user_agent).system in HANDHELDS | {"Android"}


def neighbourhood(ip_address: str | None) -> str:
    """The network around an address, within which a device is still at the same place: /24, or /64 where IPv6."""
    if not ip_address:
        return ""
    address = ipaddress.ip_address(ip_address)
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))


@lru_cache(maxsize=4096)
def _parsed(user_agent: str) -> _Device:
    """Remembered, because a list of sessions names few of them often, and one costs up to a millisecond."""
    found = ua_parser.parse(user_agent)
    program = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    if found.device and found.device.family in HANDHELDS:
        system = found.device.family
    program = " ".join(VARIANT.sub("", program).split()) or program
    return _Device(program[:LONGEST], SYSTEMS.get(system, system)[:LONGEST])
