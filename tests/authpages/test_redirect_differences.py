"""The exact difference between the redirect URI that came and one that is registered."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from authpages.models import App
from authpages.services.redirect_differences import Difference, Part, differences, marked, nearest
from authpages.services.redirect_uris import accepts

HOSTS = some.from_regex(r"[a-z]{3,8}\.(example|test)", fullmatch=True)
PATHS = some.from_regex(r"(/[a-z]{2,6}){1,3}", fullmatch=True)
QUERIES = some.from_regex(r"(\?[a-z]=[a-z0-9]{1,3})?", fullmatch=True)


NEAR_URIS = some.text("htps:/?#@[]%.w1aA 7", max_size=12) | some.sampled_from(
    ["http://127.0.0.1", "http://127.0.0.1:", "http://localhost:1/", "http://[::1]:7", "http://u@127.0.0.1:7"]
)


@some.composite
def uris(draw: some.DrawFn) -> tuple[str, str, str]:
    """Host, path and query of a registered URI."""
    return draw(HOSTS), draw(PATHS), draw(QUERIES)


def parts_of(sent: str, registered: str) -> list[Part]:
    return [each.part for each in differences(sent, registered)]


@given(some.text())
def test_what_is_the_same_does_not_differ(uri: str):
    assert differences(uri, uri) == []


@given(NEAR_URIS | some.text(), NEAR_URIS | some.text())
def test_what_is_not_the_same_differs_in_something(sent: str, registered: str):
    app = App(type="public", redirect_uris=[registered])

    assert (differences(sent, registered) == []) == accepts(app, sent)


@given(uris())
def test_each_single_change_is_told_as_just_that(uri: tuple[str, str, str]):
    host, path, query = uri
    registered = f"https://{host}{path}{query}"
    changes = {
        f"http://{host}{path}{query}": Part.SCHEME,
        f"HTTPS://{host}{path}{query}": Part.SCHEME,
        f"https://ann@{host}{path}{query}": Part.USER,
        f"https://x{host}{path}{query}": Part.HOST,
        f"https://{host.upper()}{path}{query}": Part.HOST_CASE,
        f"https://www.{host}{path}{query}": Part.WWW,
        f"https://{host}:443{path}{query}": Part.PORT,
        f"https://{host}:8443{path}{query}": Part.PORT,
        f"https://{host}{path}/{query}": Part.SLASH,
        f"https://{host}{path.upper()}{query}": Part.PATH_CASE,
        f"https://{host}{path}x{query}": Part.PATH,
        f"https://{host}{path[:-1]}%{ord(path[-1]):x}{query}": Part.ENCODING,
        f"https://{host}{path}{query}&more=1" if query else f"https://{host}{path}?": Part.QUERY,
        f"https://{host}{path}{query}#": Part.FRAGMENT,
        f"https://{host}{path}{query}#top": Part.FRAGMENT,
        f" https://{host}{path}{query}": Part.SPACE,
        f"https://{host}{path}{query}\u240a": Part.SPACE,
    }

    assert {sent: parts_of(sent, registered) for sent in changes} == {sent: [part] for sent, part in changes.items()}
    ways_back = {sent: parts_of(registered, sent) for sent, part in changes.items() if part is not Part.SPACE}
    assert ways_back == {sent: [part] for sent, part in changes.items() if part is not Part.SPACE}


@given(uris())
def test_changes_together_are_each_told(uri: tuple[str, str, str]):
    host, path, query = uri

    found = parts_of(f"http://WWW.{host}:80{path.upper()}/{query}", f"https://{host}{path}{query}")

    assert found == [Part.SCHEME, Part.WWW, Part.HOST_CASE, Part.PORT, Part.SLASH, Part.PATH_CASE]


@given(uris(), some.integers(1, 65535))
def test_a_loopback_address_may_have_any_port(uri: tuple[str, str, str], port: int):
    _host, path, query = uri

    assert parts_of(f"http://127.0.0.1:{port}{path}{query}", f"http://127.0.0.1{path}{query}") == []
    assert parts_of(f"http://127.0.0.1:{port}{path}/{query}", f"http://127.0.0.1{path}{query}") == [Part.SLASH]
    assert parts_of(f"http://localhost:{port}{path}{query}", f"http://127.0.0.1{path}{query}") == [Part.HOST, Part.PORT]


@pytest.mark.parametrize(
    ("sent", "registered", "parts"),
    [
        ("https://a.example", "https://a.example/", [Part.SLASH]),
        ("https://a.example/", "https://a.example/callback", [Part.PATH]),
        ("https://a.example/a%2Fb", "https://a.example/a%2fb", [Part.ENCODING]),
        ("https://a.example/?q=%20", "https://a.example/?q=+", [Part.QUERY]),
        ("https://a.example/?q=%41", "https://a.example/?q=A", [Part.ENCODING]),
        ("com.example.app:/cb", "com.example.app://cb", [Part.HOST, Part.PATH]),
        ("x:/a", "x:///a", [Part.PATH]),
        ("", "https://a.example/", [Part.SCHEME, Part.HOST, Part.SLASH]),
        ("http://[::1]:8/x", "http://[::1]/x", []),
        ("https://[::1]:8/x", "https://[::1]/x", [Part.PORT]),
        ("https://a.example:x:y/", "https://a.example/", [Part.PORT]),
    ],
)
def test_odd_ones(sent: str, registered: str, parts: list[Part]):
    assert parts_of(sent, registered) == parts


def test_what_was_given_and_what_is_registered_are_told():
    assert differences("http://a.example:8080/x", "https://a.example/x") == [
        Difference(Part.SCHEME, "http:", "https:"),
        Difference(Part.PORT, ":8080", ""),
    ]


def test_the_nearest_comes_first():
    sent = "https://app.example.com/callback/"
    registered = [
        "https://other.example/callback/",
        "https://app.example.com/login",
        "http://app.example.com/callback",
        "https://app.example.com/callback",
    ]

    assert [each.registered for each in nearest(sent, registered)] == registered[::-1]


@given(NEAR_URIS | some.text(), NEAR_URIS | some.text())
def test_the_pieces_are_the_whole(text: str, other: str):
    assert "".join(piece for piece, _differs in marked(text, other)) == text
    assert all(piece for piece, _differs in marked(text, other))
    assert not any(differs for _piece, differs in marked(text, text))


@pytest.mark.parametrize(
    ("text", "other", "pieces"),
    [
        ("https://a.example/in/", "https://a.example/in", ["/"]),
        ("https://a.example/in", "https://a.example/in/", []),
        ("https://a.example:8080/in", "https://a.example/in", [":8080"]),
        ("http://a.example/in", "https://a.example/in", ["http:"]),
        ("https://a.exmple/IN?x", "https://a.example/in", ["a.exmple", "IN?x"]),
        ("http://192.168.1.20/callback", "http://127.0.0.1/cb", ["192.168.1.20", "callback"]),
        ("https://a.example/Path/to/the/callback/", "https://a.example/path/to/the/callback", ["Path", "/"]),
        ("https://a.example/path/to/callback", "https://a.example/path/callback", ["to/"]),
        ("https://a.example/?a=1&b=3&c=4", "https://a.example/?a=1&b=2&c=4", ["b=3"]),
        ("http://127.0.0.1:5000/cb", "http://127.0.0.1:3000/in", ["cb"]),
        ("https://ann@a.example/", "https://a.example/", ["ann@"]),
    ],
)
def test_only_what_differs_is_marked_by_whole_words(text: str, other: str, pieces: list[str]):
    assert [piece for piece, differs in marked(text, other) if differs] == pieces
