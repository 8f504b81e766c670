"""Who is shown the tokens and links of events, and who a mask."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from authpages.services.auth_requests import resolve_due
from authpages.services.users import create_user
from events.models import FinishedDelivery
from events.services.sequencing import sequence_events
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api
from tests.events.conftest import work_until
from tests.receivers import Receiver

MASK = "•••"
VERIFICATION = "auth.email_verificationRequested"
RESET = "auth.password_reset:requested"
JOURNEYS = [("/auth/password-reset/request", RESET), ("/auth/email-verification/request", VERIFICATION)]
ADMIN, PERSON = "root@example.com", "ann@example.com"


@pytest.fixture
def people(db: None) -> None:
    """An admin and somebody else, neither of them verified."""
    for email in (ADMIN, PERSON):
        create_user(email=email, password=PASSWORD, admin=email == ADMIN, origin=COMMAND_LINE)


@pytest.fixture
def console(people: None) -> Api:
    """The API, called from an admin's console session."""
    caller = Api()
    caller.client.post("/console/login", {"email": ADMIN, "password": PASSWORD})
    return caller


def _ask(path: str, email: str) -> None:
    """Ask for a link as anybody can, until its event is in the log."""
    assert Api().post(path, {"email": email}).status_code == 202
    resolve_due()
    while sequence_events():
        pass


def _shown(caller: Api, type: str) -> list[dict[str, Any]]:
    """The data of the one event of a type, as the list and the event's own address show it."""
    (listed,) = caller.get(f"/events?types={type}").json()["items"]
    return [listed["data"], caller.get(f"/events/{listed['id']}").json()["data"]]


@pytest.mark.parametrize(("path", "type"), JOURNEYS)
def test_a_key_for_secrets_is_shown_a_persons_links(
    people: None, key: Callable[..., Api], path: str, type: str
) -> None:
    _ask(path, PERSON)

    for data in _shown(key("events:read", "events:secrets"), type):
        assert MASK not in data["token"]
        assert data["link"].endswith(f"?token={data['token']}")


@pytest.mark.parametrize(("path", "type"), JOURNEYS)
def test_a_key_for_secrets_is_not_shown_an_admins_links(
    people: None, key: Callable[..., Api], path: str, type: str
) -> None:
    _ask(path, ADMIN)

    for data in _shown(key("events:read", "events:secrets"), type):
        assert (data["token"], data["link"]) == (MASK, MASK)


@pytest.mark.parametrize(("path", "type"), JOURNEYS)
def test_a_key_that_may_do_everything_is_shown_an_admins_links(
    people: None, key: Callable[..., Api], path: str, type: str
) -> None:
    _ask(path, ADMIN)

    for data in _shown(key("*"), type):
        assert data["link"].endswith(f"?token={data['token']}")


@pytest.mark.parametrize(("path", "type"), JOURNEYS)
def test_an_admin_in_the_console_is_shown_an_admins_links(console: Api, path: str, type: str) -> None:
    _ask(path, ADMIN)

    for data in _shown(console, type):
        assert data["link"].endswith(f"?token={data['token']}")


@pytest.mark.parametrize(("path", "type"), JOURNEYS)
@pytest.mark.parametrize("email", [ADMIN, PERSON])
def test_a_key_that_may_only_read_is_shown_nobodys_links(
    people: None, key: Callable[..., Api], path: str, type: str, email: str
) -> None:
    _ask(path, email)

    for data in _shown(key("events:read"), type):
        assert (data["token"], data["link"]) == (MASK, MASK)


def test_while_the_hosted_pages_are_off_the_link_is_empty(people: None, key: Callable[..., Api]) -> None:
    caller = key("*")
    caller.patch("/settings/hosted-auth", {"pagesEnabled": False})
    _ask("/auth/password-reset/request", PERSON)

    data = _shown(caller, RESET)[0]
    assert (data["link"], len(data["token"])) == ("", 43)


def _send_to(host: str, receiver: Receiver, key: Callable[..., Api], email: str) -> Any:
    """The data that a webhook with `includeSecrets`, at this host, is sent of a person's reset."""
    url = receiver.url.replace("127.0.0.1", host) + "/hook"
    created = key("*").post("/webhooks", {"url": url, "events": [RESET], "includeSecrets": True})
    assert created.status_code == 201, created.content
    Api().post("/auth/password-reset/request", {"email": email})
    assert work_until(FinishedDelivery.objects.exists)
    return json.loads(receiver.at("/hook")[0].body)["data"]


@pytest.mark.django_db(transaction=True)
def test_a_trusted_webhook_is_not_sent_an_admins_links(
    people: None, key: Callable[..., Api], receiver: Receiver
) -> None:
    data = _send_to("127.0.0.1", receiver, key, ADMIN)

    assert (data["token"], data["link"]) == (MASK, MASK)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("host", "is_masked"), [("hooks.example.com", True), ("localhost", False)])
def test_no_secret_goes_over_plain_http_to_another_host(
    people: None,
    key: Callable[..., Api],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    is_masked: bool,
) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *rest, **more: look_up("127.0.0.1", *rest, **more))

    data = _send_to(host, receiver, key, PERSON)

    assert (data["token"] == MASK, data["link"] == MASK) == (is_masked, is_masked)
