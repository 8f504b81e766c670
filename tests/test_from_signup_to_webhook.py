"""The main story, through real processes: a person signs up on the hosted page and a signed webhook tells of it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from standardwebhooks import Webhook

from tests.conftest import PASSWORD
from tests.processes import PROJECT, Running, database_url, environment, start, up, wait_for
from tests.receivers import Receiver

__all__ = ["database_url", "start", "up"]

CALLBACK = "http://127.0.0.1:9/signed-in"
NEW_PASSWORD = "an entirely new password"
STORY = [
    "auth.user_signedUp",
    "auth.email_verificationRequested",
    "auth.email_verified",
    "auth.user_loggedIn",
    "auth.password_reset:requested",
    "auth.session_ended",
    "auth.session_ended",
    "auth.password_reset:completed",
    "auth.user_loggedIn",
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def developer(up: Running, database_url: str) -> Iterator[httpx.Client]:
    """A program with an API key made by the command."""
    command = [sys.executable, str(PROJECT / "manage.py"), "create_api_key", "story", "--scope", "*"]
    variables = environment({"DATABASE_URL": database_url})
    key = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout.strip()
    with httpx.Client(base_url=f"{up.url}/api/v1", headers={"authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.fixture
def browser(up: Running) -> Iterator[httpx.Client]:
    """A person's browser, as far as cookies and forms go."""
    with httpx.Client(base_url=up.url) as client:
        yield client


def _submit(browser: httpx.Client, address: str, **fields: str) -> httpx.Response:
    """Open a page and send its form, with the hidden fields it holds."""
    page = browser.get(address)
    assert page.status_code == 200, page.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    path = urlsplit(str(page.url)).path
    return browser.post(path, data=hidden | fields, headers={"origin": str(browser.base_url).rstrip("/")})


def _mailed_link(developer: httpx.Client, type: str) -> str:
    """The link of the newest event of this type, as soon as it is in the log."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = developer.get("/events", params={"types": type, "order": "-position"}).json()["items"]
        return bool(found)

    assert wait_for(look)
    return str(found[0]["data"]["link"])


def _types(receiver: Receiver) -> list[str]:
    events = sorted((json.loads(call.body) for call in receiver.calls), key=lambda event: event["position"])
    return [f"{event['type']}:{event.get('stage', '')}".rstrip(":") for event in events]


def test_from_sign_up_to_webhook(
    up: Running, developer: httpx.Client, browser: httpx.Client, receiver: Receiver
) -> None:
    developer.patch("/settings/hosted-auth", json={"callbackUrl": CALLBACK}).raise_for_status()
    webhook = developer.post("/webhooks", json={"url": f"{receiver.url}/hook", "events": ["auth.*"]}).json()

    signed_up = _submit(browser, "/signup", email="ann@example.com", password=PASSWORD)
    link = _mailed_link(developer, "auth.email_verificationRequested")
    verified = _submit(browser, link)
    browser.cookies.clear()
    logged_in = _submit(browser, "/login", email="ann@example.com", password=PASSWORD)
    _submit(browser, "/forgot-password", email="ann@example.com")
    reset = _submit(browser, _mailed_link(developer, "auth.password_reset:requested"), password=NEW_PASSWORD)
    again = _submit(browser, "/login", email="ann@example.com", password=NEW_PASSWORD)

    assert [answer.status_code for answer in (signed_up, verified, logged_in, reset, again)] == [303] * 5
    for answer in (signed_up, verified, logged_in, again):
        assert answer.headers["location"].startswith(CALLBACK)
    assert wait_for(lambda: len(receiver.calls) >= len(STORY))
    assert _types(receiver) == STORY
    verifier = Webhook(webhook["secret"])
    for call in receiver.calls:
        verifier.verify(call.body, call.headers)
    positions = sorted(json.loads(call.body)["position"] for call in receiver.calls)
    assert positions == list(range(1, len(STORY) + 1))


def test_what_the_webhook_was_told_is_what_the_log_tells(
    developer: httpx.Client, browser: httpx.Client, receiver: Receiver
) -> None:
    developer.post("/webhooks", json={"url": f"{receiver.url}/hook", "events": ["*"]}).raise_for_status()
    _submit(browser, "/signup", email="ann@example.com", password=PASSWORD)
    assert wait_for(lambda: len(receiver.calls) >= 2)

    log = developer.get("/events").json()["items"]

    told = sorted((json.loads(call.body) for call in receiver.calls), key=lambda event: event["position"])
    assert told == log
    assert log[0]["source"] == "hosted"


def test_the_mail_is_in_the_development_inbox(
    start: Callable[..., Running], up: Running, browser: httpx.Client, database_url: str
) -> None:
    _submit(browser, "/signup", email="ann@example.com", password=PASSWORD)
    setup = re.search(r"\S+/console/setup\?token=\S+", up.out.read_text())
    assert setup is not None
    _submit(browser, setup[0], email="root@example.com", password=NEW_PASSWORD)

    assert wait_for(lambda: "ann@example.com" in browser.get("/console/inbox").text)
