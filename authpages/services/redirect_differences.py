"""What exactly differs between where an app wanted to send somebody and where it may; RFC 3986 says what the parts are.

Nothing here decides whether somebody is sent: `redirect_uris.accepts` does, byte for byte.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from authpages.services.redirect_uris import LOOPBACK_PORT

SPACE = re.compile("[\\s\u2400-\u2420\u200b\ufeff]")  # those of controls, too, as which they are kept
URI = re.compile(r"(?:([^:/?#]+:))?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
SEGMENT = re.compile(r"[/?&]|[^/?&]+")  # of a path or a query, with what parts them
AUTHORITY = re.compile(r"(?:(.*)@)?(\[[^\]]*\]|[^:]*)(:.*)?", re.DOTALL)


class Part(StrEnum):
    """What can differ."""

    SPACE = "space"
    SCHEME = "scheme"
    USER = "user"
    HOST = "host"
    HOST_CASE = "host_case"
    WWW = "www"
    PORT = "port"
    PATH = "path"
    PATH_CASE = "path_case"
    SLASH = "slash"  # at the end of the path
    ENCODING = "encoding"  # the same characters, percent-encoded or otherwise so
    QUERY = "query"
    FRAGMENT = "fragment"


FAR = {Part.HOST: 60, Part.PATH: 20, Part.USER: 10, Part.SCHEME: 6, Part.QUERY: 5}  # all else is a slip: 3
SLIP = 3


class Difference(NamedTuple):
    """One part that differs, as it was given and as it is registered; empty where it is missing."""

    part: Part
    given: str
    registered: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A registered URI and all that differs from it."""

    registered: str
    differences: tuple[Difference, ...]

    @property
    def distance(self) -> int:
        """How far away the one is from the other: a slip is near, another host is not."""
        return sum(FAR.get(each.part, SLIP) for each in self.differences)


class _Parts(NamedTuple):
    scheme: str
    user: str
    host: str
    port: str
    path: str
    query: str
    fragment: str


def differences(given: str, registered: str) -> list[Difference]:
    """Every part that differs, from left to right; nothing where the one would be accepted for the other.

    A loopback address may have any port (RFC 8252, 7.3).
    """
    if given == registered:
        return []
    found = []
    if SPACE.search(given) and not SPACE.search(registered):
        found = [Difference(Part.SPACE, given, registered)]
        given = SPACE.sub("", given)
    sent, known = _parts(given), _parts(registered)
    any_port = LOOPBACK_PORT.match(registered) and sent[:3] == known[:3] and LOOPBACK_PORT.match(given)
    found += _plain(Part.SCHEME, sent.scheme, known.scheme)
    found += _plain(Part.USER, sent.user, known.user)
    found += _of_hosts(sent.host, known.host)
    found += [] if any_port else _plain(Part.PORT, sent.port, known.port)
    found += _of_paths(sent.path, known.path)
    found += _plain(Part.QUERY, sent.query, known.query)
    found += _plain(Part.FRAGMENT, sent.fragment, known.fragment)
    if not found and not any_port and given != registered:
        found = [Difference(Part.PATH, given, registered)]  # `x:/a` and `x:///a`
    return found


def nearest(given: str, registered: Iterable[str]) -> list[Comparison]:
    """Each registered URI with what differs from it, the nearest first."""
    compared = [Comparison(each, tuple(differences(given, each))) for each in registered]
    return sorted(compared, key=lambda each: (each.distance, -_same_from_start(given, each.registered)))


def marked(text: str, other: str) -> list[tuple[str, bool]]:
    """`text` in pieces, each with whether it differs from `other`: a host as a whole, paths and queries by segment."""
    told: list[tuple[str, bool]] = []
    for mine, theirs in zip(_words(text), _words(_with_port_of(text, other)), strict=True):
        told += _held_against(mine, theirs)
    runs = groupby((piece for piece in told if piece[0]), key=itemgetter(1))
    return [("".join(word for word, _differs in run), differs) for differs, run in runs]


def _parts(uri: str) -> _Parts:
    found = URI.fullmatch(uri)
    scheme, authority, path, query, fragment = (each or "" for each in found.groups()) if found else ("",) * 5
    split = AUTHORITY.fullmatch(authority)
    user, host, port = (each or "" for each in split.groups()) if split else ("", authority, "")
    return _Parts(scheme, user, host, port, path, query, fragment)


def _words(uri: str) -> tuple[list[str], ...]:
    """What is held against each other of every part, with what stands between: together they are the URI."""
    parts = _parts(uri)
    rest = uri[len(parts.scheme) :]
    slashes = "//" if rest.startswith("//") else ""
    user = f"{parts.user}@" if rest.startswith(f"//{parts.user}@") else ""
    whole = (parts.scheme, slashes, user, parts.host, parts.port)
    return (*([part] for part in whole), SEGMENT.findall(parts.path), SEGMENT.findall(parts.query), [parts.fragment])


def _with_port_of(text: str, other: str) -> str:
    """`other` with the port of `text` where both are the same loopback address: there the port says nothing."""
    mine, theirs = LOOPBACK_PORT.match(text), LOOPBACK_PORT.match(other)
    if mine is None or theirs is None or mine[1] != theirs[1]:
        return other
    return mine[0] + other[theirs.end() :]


def _held_against(mine: list[str], theirs: list[str]) -> list[tuple[str, bool]]:
    """Each of `mine` with whether it differs from the one of `theirs` in its place, counted from the nearer end."""
    begin = _same_from_start(mine, theirs)
    end = _same_from_start(mine[begin:][::-1], theirs[begin:][::-1])
    middle = zip_longest(mine[begin : len(mine) - end], theirs[begin : len(theirs) - end])
    changed = [(word, word != known) for word, known in middle if word is not None]
    return [*_same(mine[:begin]), *changed, *_same(mine[len(mine) - end :])]


def _same(words: list[str]) -> list[tuple[str, bool]]:
    return [(word, False) for word in words]


def _plain(part: Part, given: str, registered: str) -> list[Difference]:
    if given == registered:
        return []
    same = part is Part.QUERY and bool(given and registered) and _decoded(given) == _decoded(registered)
    return [Difference(Part.ENCODING if same else part, given, registered)]


def _of_hosts(given: str, registered: str) -> Iterator[Difference]:
    if given == registered:
        return
    sent, known = given.lower(), registered.lower()
    bare = sent.removeprefix("www."), known.removeprefix("www.")
    if sent == known:
        yield Difference(Part.HOST_CASE, given, registered)
    elif bare[0] == bare[1]:
        yield Difference(Part.WWW, given, registered)
        if {given, registered} - {sent, known}:
            yield Difference(Part.HOST_CASE, given, registered)
    else:
        yield Difference(Part.HOST, given, registered)


def _of_paths(given: str, registered: str) -> Iterator[Difference]:
    sent, known = given, registered
    ends_differently = sent.endswith("/") != known.endswith("/")
    are_both_short = {sent, known} == {"", "/"}
    if ends_differently and (are_both_short or not {sent, known} & {"", "/"}):
        yield Difference(Part.SLASH, given, registered)
        sent, known = (each.removesuffix("/") for each in (sent, known))
    if sent == known:
        return
    decoded = _decoded(sent), _decoded(known)
    if decoded[0] == decoded[1]:
        yield Difference(Part.ENCODING, given, registered)
    elif decoded[0].lower() == decoded[1].lower():
        yield Difference(Part.PATH_CASE, given, registered)
        if sent.lower() != known.lower():
            yield Difference(Part.ENCODING, given, registered)
    else:
        yield Difference(Part.PATH, given, registered)


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogatepass"))


def _same_from_start(one: Sequence[str], other: Sequence[str]) -> int:
    """How many characters, or words, both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
