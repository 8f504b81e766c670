"""The main story, through real processes: a person signs up on the hosted page and a signed webhook tells of it."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from standardwebhooks import Webhook

from tests.conftest import PASSWORD
from tests.processes import PATIENCE, PROJECT, Running, calling, database_url, environment, start, up, wait_for
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
    with calling(up.url, key) as client:
        yield client


@pytest.fixture
def browser(up: Running) -> Iterator[httpx.Client]:
    """A person's browser, as far as cookies and forms go."""
    with httpx.Client(base_url=up.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def admin(up: Running) -> Iterator[httpx.Client]:
    """The browser of the first admin, made with the link that the first start printed."""
    link = re.search(r"\S+/console/setup\?token=\S+", up.out.read_text())
    assert link, up.out.read_text()
    with httpx.Client(base_url=up.url, timeout=PATIENCE) as client:
        assert _submit(client, link[0], email="root@example.com", password=PASSWORD).status_code == 303
        yield client


def _submit(browser: httpx.Client, address: str, **fields: str) -> httpx.Response:
    """Open a page and send its form, with the hidden fields it holds."""
    page = browser.get(address)
    assert page.status_code == 200, page.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    path = urlsplit(str(page.url)).path
    return browser.post(path, data=hidden | fields, headers={"origin": str(browser.base_url).rstrip("/")})


def _mails(admin: httpx.Client, subject: str) -> list[str]:
    """The pages of Ann's mails in the development inbox whose subject holds this, the newest first."""
    inbox = admin.get("/console/inbox").raise_for_status().text
    mail = r'href="(/console/inbox/\d+)"><span class="to">ann@example\.com</span>.*?<strong>([^<]*)</strong>'
    return [page for page, text in re.findall(mail, inbox) if subject in text]


def _mailed_link(admin: httpx.Client, subject: str) -> str:
    """The link in the text of the newest mail about this, as soon as it has come."""
    assert wait_for(lambda: _mails(admin, subject))
    page = admin.get(_mails(admin, subject)[0]).raise_for_status().text
    link = re.search(r'<div class="letter">.*?<a href="([^"]+)"', page, re.DOTALL)
    assert link, page
    return html.unescape(link[1])


def _types(receiver: Receiver) -> list[str]:
    events = sorted((json.loads(call.body) for call in receiver.calls), key=lambda event: event["position"])
    return [f"{event['type']}:{event.get('stage', '')}".rstrip(":") for event in events]


def test_from_sign_up_to_webhook(
    admin: httpx.Client, developer: httpx.Client, browser: httpx.Client, receiver: Receiver
) -> None:
    developer.patch("/settings/hosted-auth", json={"callbackUrl": CALLBACK}).raise_for_status()
    webhook = developer.post("/webhooks", json={"url": f"{receiver.url}/hook", "events": ["auth.*"]}).json()

    signed_up = _submit(browser, "/signup", email="ann@example.com", password=PASSWORD)
    verified = _submit(browser, _mailed_link(admin, "Verify your e-mail address"))
    browser.cookies.clear()
    logged_in = _submit(browser, "/login", email="ann@example.com", password=PASSWORD)
    _submit(browser, "/forgot-password", email="ann@example.com")
    reset = _submit(browser, _mailed_link(admin, "Set a new password"), password=NEW_PASSWORD)
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
    assert positions == list(range(2, len(STORY) + 2))  # the first tells of the admin, before there was a webhook
    assert wait_for(lambda: _mails(admin, "password was changed"))


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
