"""A browser for the pages, and the ways into an account."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from authpages import throttles
from authpages.models import App, HostedAuthSettings, User
from authpages.services.apps import NOBODY, create_app
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api


@pytest.fixture(autouse=True)
def _long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever has to wait for a login still has to when a test comes late."""
    monkeypatch.setattr(throttles, "FIRST_WAIT_SECONDS", 60)


class Visitor:
    """Opens pages and sends their forms as a browser does: hidden fields and CSRF token included."""

    def __init__(self, base_url: str = "http://127.0.0.1:8000") -> None:
        parts = urlsplit(base_url)
        self.client = Client(enforce_csrf_checks=True, headers={"host": parts.netloc, "origin": base_url})
        self.secure = parts.scheme == "https"

    def get(self, path: str) -> Any:
        return self.client.get(path, secure=self.secure)

    def send(self, path: str, **fields: str) -> Any:
        """Open the page at `path`, then post its first form, below the head, filled in with `fields`."""
        page = self.get(path).content.decode().partition("<main")[2]
        form = re.search(r'<form[^>]*method="post"[^>]*>.*?</form>', page, re.DOTALL)
        assert form, page
        hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form[0]))
        action = re.search(r'<form[^>]* action="([^"]+)"', form[0])
        return self.client.post(html.unescape(action[1]) if action else path, hidden | fields, secure=self.secure)

    def press(self, path: str, action: str) -> Any:
        """Open the page at `path`, then send the form on it that goes to `action`, as its button does."""
        page = self.get(path).content.decode()
        assert f'action="{action}"' in page, page
        token = {"csrfmiddlewaretoken": re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[-1]}
        return self.client.post(action, token, secure=self.secure)

    def sign_up(self, email: str = "ann@example.com", password: str = PASSWORD, *, at: str = "/signup") -> Any:
        return self.send(at, email=email, password=password)

    def log_in(self, email: str = "ann@example.com", password: str = PASSWORD, *, at: str = "/login") -> Any:
        return self.send(at, email=email, password=password)


@pytest.fixture
def visitor(db: None) -> Visitor:
    """Somebody with a browser of their own."""
    return Visitor()


@pytest.fixture
def root(db: None) -> User:
    """An admin."""
    return create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)


@pytest.fixture
def admin(visitor: Visitor, root: User) -> Visitor:
    """An admin who is in the console."""
    assert visitor.log_in(root.email, at="/console/login").status_code == 303
    return visitor


@pytest.fixture
def hosted(db: None) -> HostedAuthSettings:
    """The settings of the hosted pages, to be changed and saved."""
    return HostedAuthSettings.objects.get_or_create(pk=1)[0]


def text_of(answer: Any) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"<head>.*?</head>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def settings_shown(admin: Visitor) -> dict[str, Any]:
    """What a browser sends of the settings, had nothing been changed; what is not shown before has no initial value."""
    form = admin.get("/console/settings").context["form"]
    fields = [form[name] for name, field in form.fields.items() if field.show_hidden_initial]
    shown = {name: value for field in fields for name, value in _sent_of(field)}
    return shown | {"csrfmiddlewaretoken": admin.client.cookies["fastgen_csrf"].value}


def _sent_of(field: Any) -> list[tuple[str, str]]:
    value = field.field.prepare_value(field.value())
    text = "on" if value is True else value or ""
    return [(field.html_initial_name, str(value)), *([(field.html_name, text)] if value is not False else [])]


@pytest.fixture
def program(key: Callable[..., Api]) -> Api:
    """A caller that may see and change settings, apps among them."""
    return key("settings:read", "settings:write")


@pytest.fixture
def everything(key: Callable[..., Api]) -> Api:
    """A caller that may do everything."""
    return key("*")


@pytest.fixture
def shop(db: None) -> App:
    """A confidential app that has one redirect URI."""
    uris = ["https://shop.example.com/callback"]
    return create_app(name="Shop", type="confidential", redirect_uris=uris, giver=NOBODY).app
