"""One answer, one language, of those there are catalogues for; and every word for people can be translated."""

import pytest

from fastgen_backend.targets import TargetRefused, check_url
from tests.authpages.conftest import Visitor, text_of, visitor
from tests.conftest import Api

__all__ = ["visitor"]

REFUSALS: list[tuple[str, str, bytes, dict[str, str]]] = [
    ("POST", "/auth/login", b'{"x": 1}', {}),
    ("POST", "/auth/login", b'{"email": 1}', {}),
    ("POST", "/auth/login", b"{", {}),
    ("POST", "/auth/login", b'{"a": NaN}', {}),
    ("POST", "/auth/login", b"\xff", {}),
    ("POST", "/auth/login", b"[" * 100_000, {}),
    ("POST", "/auth/login", b"[]", {}),
    ("POST", "/auth/login", b"x" * 1_000_001, {}),
    ("POST", "/auth/login", b"{}", {"transfer-encoding": "chunked"}),
    ("POST", "/auth/login", b'{"email": "x@example.com", "password": "y"}', {}),
    ("POST", "/auth/signup", b'{"metadata": {"a": "\\u0000"}}', {}),
    ("POST", "/auth/signup", b'{"metadata": []}', {}),
    ("GET", "/auth/login", b"", {}),
    ("GET", "/auth/me", b"", {}),
    ("GET", "/auth/me", b"", {"authorization": "Basic x"}),
    ("GET", "/auth/me", b"", {"authorization": "Bearer fgk_nobody"}),
    ("GET", "/auth/me", b"", {"host": "evil.example"}),
    ("GET", "/nothing", b"", {}),
    ("GET", "/openapi.json?x=1", b"", {}),
    ("GET", "/openapi.json?x=1&x=2", b"", {}),
    ("GET", "/webhooks", b"", {}),
]


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes through gettext comes out «so»."""
    monkeypatch.setattr("django.utils.translation._trans.gettext", lambda message: f"«{message}»")


@pytest.mark.parametrize("language", ["de", "de-AT,de;q=0.9,en;q=0.1", "fr", "zh-Hant", "en-GB", "*", "x" * 300])
def test_a_page_is_in_the_one_language_there_is_and_says_so(visitor: Visitor, language: str):
    usual = text_of(visitor.get("/signup"))

    answer = visitor.client.get("/signup", headers={"accept-language": language})

    assert answer["Content-Language"] == "en"
    assert '<html lang="en"' in answer.content.decode()
    assert text_of(answer) == usual


@pytest.mark.parametrize("language", ["de", "fr", "ja"])
def test_a_problem_is_in_the_one_language_there_is_and_says_so(api: Api, language: str):
    answer = api.post("/auth/login", {}, **{"accept-language": language})

    assert answer["Content-Language"] == "en"
    assert answer.json() == api.post("/auth/login", {}).json()


def test_answers_differ_by_language_for_caches(api: Api):
    assert "Accept-Language" in api.get("/auth/me")["Vary"]


@pytest.mark.parametrize(("method", "path", "raw", "headers"), REFUSALS)
def test_every_word_of_a_refusal_can_be_translated(
    api: Api, marked: None, method: str, path: str, raw: bytes, headers: dict[str, str]
):
    problem = api.call(method, path, raw=raw, **headers).json()

    words = [problem["title"], problem["detail"], *(error["detail"] for error in problem.get("errors", []))]
    assert all("«" in each for each in words), words


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://[::1",
        "https:///path",
        "https://ann@example.com/",
        "https://example.com/#a",
        "https://exam ple.com/",
        "http://224.0.0.1/",
        "https://a..example/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_why_a_url_can_not_be_called_can_be_translated(marked: None, url: str):
    with pytest.raises(TargetRefused, match="«"):
        check_url(url)


def test_what_is_no_page_can_be_translated(visitor: Visitor, marked: None):
    answer = visitor.get("/nothing")

    assert answer.status_code == 404
    assert "<h1>«" in answer.content.decode()
