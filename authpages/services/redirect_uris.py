"""Where an app may send people: byte for byte where it said it would (RFC 9700, 2.1; OWASP ASVS 10.4.1)."""

import ipaddress
import re
from urllib.parse import unquote_plus, urlsplit

from django.utils.translation import gettext as _

from authpages.models import App, HostedAuthSettings
from fastgen_backend.environment import is_loopback
from fastgen_backend.limits import LONGEST_URL

LOOPBACK_PORT = re.compile(r"^(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::\d{1,5})?(?=[/?]|$)", re.ASCII)
DOTTED_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+-]*(?:\.[A-Za-z0-9+-]+)+:", re.ASCII)
PLAIN_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+-]*:/", re.ASCII)
AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?", re.ASCII)  # it goes into headers of ours
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
OWN_MACHINE = {"localhost", "localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}
OF_ANSWERS = {"code", "state", "iss", "error", "error_description", "error_uri", "response", "session_state"}
UNUSABLE = re.compile(r'[\s\\<>"{}|^`]')


def redirect_uris_of(app: App, hosted: HostedAuthSettings | None = None) -> list[str]:
    """The redirect URIs of an app; those of the default app are what the hosted authentication settings say.

    `hosted` are these settings, where the caller has loaded them.
    """
    if not app.is_default:
        return list(app.redirect_uris)
    hosted = hosted or HostedAuthSettings.load()
    return [uri for uri in [hosted.callback_url, *hosted.allowed_redirect_urls] if uri]


def accepts(app: App, uri: str, hosted: HostedAuthSettings | None = None) -> bool:
    """Whether people may be sent to `uri` by this app; a loopback address may have any port (RFC 8252, 7.3)."""
    return _is_one_of(uri, redirect_uris_of(app, hosted))


def accepts_after_logout(app: App, uri: str) -> bool:
    """Whether people may be sent to `uri` when this app has logged them out."""
    return _is_one_of(uri, list(app.post_logout_redirect_uris))


def place_of(uri: str) -> str:
    """Whose a redirect URI is: its host, or its own scheme with the colon."""
    scheme = DOTTED_SCHEME.match(uri)
    return scheme[0] if scheme else urlsplit(uri).hostname or ""


def why_not_a_redirect_of(app: App, uri: str) -> str:
    """Why this app can't send people to `uri`, in a sentence; empty where it can.

    As `why_not_a_redirect`, and a public app may have a scheme of its own: a domain turned round, so that it has a dot
    (RFC 8252, 7.1), which leaves out `javascript:` and the like.
    """
    scheme = DOTTED_SCHEME.match(uri)
    if scheme is None and app.type == App.Type.PUBLIC and PLAIN_SCHEME.match(uri):
        return _("A scheme of your own is a domain turned round, so that it has a dot: com.example.app:/callback.")
    if scheme is None:
        return why_not_a_redirect(uri)
    if app.type != App.Type.PUBLIC:
        return _("Only a public app may have a scheme of its own; a server has an https address.")
    if reason := _why_not_plain(uri):
        return reason
    if not uri[scheme.end() :].startswith("/") or scheme[0] != scheme[0].lower():
        return _("A scheme of your own is a domain turned round, in small letters: com.example.app:/callback.")
    return _why_not_exact(uri) or _why_not_read(uri)


def why_not_a_redirect(url: str) -> str:
    """Why people can't be sent to `url`, in a sentence; empty where they can.

    https, or http to a loopback address (RFC 8252, 7.3); absolute; no credentials, no fragment (RFC 6749, 3.1.2). Its
    query has no parameter of our answers, of which an app might take the first one for ours.
    """
    if reason := _why_not_plain(url) or _why_not_exact(url) or why_not_a_url(url):
        return reason
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return _("Use https; http is accepted for localhost only.")
    return ""


def why_not_a_url(url: str) -> str:
    """Why this is no address of the web, in a sentence; empty where it is one."""
    if reason := _why_not_plain(url):
        return reason
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return _("The URL is malformed.")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_fine:
        return _("The URL must be absolute, beginning with https:// or http://.")
    return _why_not_read(url)


def _why_not_plain(url: str) -> str:
    if len(url) > LONGEST_URL:
        return _("The URL may have %(count)d characters at most.") % {"count": LONGEST_URL}
    if not url.isascii() or not url.isprintable() or UNUSABLE.search(url):
        return _("The URL must be plain ASCII without spaces or backslashes; encode other characters.")
    return ""


def _why_not_read(url: str) -> str:
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        return _("The URL is malformed.")
    if "@" in netloc:
        return _("The URL must not carry a user name or password.")
    return "" if not netloc or AUTHORITY.fullmatch(netloc) else _("The URL’s host has characters that no host has.")


def _why_not_exact(url: str) -> str:
    if "#" in url:
        return _("The URL must not have a fragment (#…).")
    if "*" in url:
        return _("There are no wildcards: name each URL as it is, without *.")
    query = url.partition("?")[2]
    names = OF_ANSWERS & {unquote_plus(each.partition("=")[0]) for each in re.split("[&;]", query)}
    if names:
        return _("Its query must not have what our answer has: %(names)s.") % {"names": ", ".join(sorted(names))}
    return ""


def leads_to_own_machine(uri: str) -> bool:
    """Whether browsers look, or may look, for `uri` on the machine they run on, however its host is written.

    All below `localhost` is there (RFC 6761, 6.3), and so may be what Unix systems call it beside that, and an address
    in short, as `127.1` (WHATWG URL, "ends in a number").
    """
    host = (urlsplit(uri).hostname or "").rstrip(".")
    last_label = host.rpartition(".")[2]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return last_label in OWN_MACHINE or bool(NUMBER.fullmatch(last_label))
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


def _is_one_of(uri: str, known: list[str]) -> bool:
    return uri in known or any(_without_port(uri) == _without_port(each) for each in known if _is_loopback(each))


def _is_loopback(uri: str) -> bool:
    return bool(LOOPBACK_PORT.match(uri))


def _without_port(uri: str) -> str:
    return LOOPBACK_PORT.sub(r"\1", uri, count=1)
