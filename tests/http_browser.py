"""A browser made of HTTP alone, for servers that run: it keeps cookies and sends forms as they are."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest

from tests.conftest import PASSWORD
from tests.processes import PATIENCE

MOST_REDIRECTS = 12


class HttpBrowser:
    """Opens pages and sends their forms, whichever server they are of; cookies are kept by host, whatever the port."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def open(self, url: str, until: str = "") -> httpx.Response:
        """Follow redirects from here, as far as an address that begins with `until`; that is not opened."""
        return self._follow(self.client.get(url), until)

    def follow(self, page: httpx.Response, words: str, until: str = "") -> httpx.Response:
        """Click the link that reads so."""
        link = re.search(rf'<a href="([^"]+)">{re.escape(words)}</a>', page.text)
        assert link, page.text
        return self.open(urljoin(str(page.url), html.unescape(link[1])), until)

    def send(self, page: httpx.Response, until: str = "", **fields: str) -> httpx.Response:
        """Send the first form of this page, filled in, and follow where that leads."""
        form = re.search(r'<form[^>]*method="post"[^>]*>.*?</form>', page.text.partition("<main")[2], re.DOTALL)
        assert form, page.text
        hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form[0]))
        action = re.search(r'<form[^>]* action="([^"]+)"', form[0])
        url = urljoin(str(page.url), html.unescape(action[1])) if action else str(page.url)
        data = {name: html.unescape(value) for name, value in hidden.items()} | fields
        return self._follow(self.client.post(url, data=data, headers={"origin": _origin(page.url)}), until)

    def sign_up(self, page: httpx.Response, email: str, until: str = "") -> httpx.Response:
        """From the page of the log-in to that of the sign-up, and on."""
        link = re.search(r'href="(/signup[^"]*)"', page.text)
        assert link, page.text
        there = self.open(urljoin(str(page.url), html.unescape(link[1])))
        return self.send(there, until, email=email, password=PASSWORD)

    def log_in(self, page: httpx.Response, email: str, until: str = "") -> httpx.Response:
        return self.send(page, until, email=email, password=PASSWORD)

    def lead_back(self, url: str, redirect_uri: str, email: str) -> str:
        """Go where an app sends somebody new, sign up and agree where that is asked; where it leads back to."""
        page = self.open(url, redirect_uri)
        if page.url.path == "/login":
            page = self.sign_up(page, email, redirect_uri)
        if not page.has_redirect_location:
            page = self.send(page, redirect_uri, answer="allow")
        assert page.has_redirect_location, page.text
        return page.headers["location"]

    def _follow(self, answer: httpx.Response, until: str) -> httpx.Response:
        for _ in range(MOST_REDIRECTS):
            if not answer.has_redirect_location:
                return answer
            url = urljoin(str(answer.url), answer.headers["location"])
            if until and url.startswith(until):
                return answer
            answer = self.client.get(url)
        raise AssertionError(f"It never ends: {answer.url}")


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"


@pytest.fixture
def http_browser() -> Iterator[HttpBrowser]:
    """Somebody's browser, with nothing in it."""
    with httpx.Client(timeout=PATIENCE) as client:
        yield HttpBrowser(client)
