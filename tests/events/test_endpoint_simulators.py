"""Endpoints as the world has them: each gets the outcome the design promises, in bounded time and memory."""

import resource
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from events.models import Attempt, FinishedDelivery, Webhook
from events.services.webhooks import create_webhook
from fastgen_backend.origin import COMMAND_LINE
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer, drip, flood, gzip_bomb, hang, reset, self_signed

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]
TIMEOUT_SECONDS = 5
TOO_LATE = f"No full answer within {TIMEOUT_SECONDS} s"
MEGABYTES = 64


class Told(NamedTuple):
    """What the log of deliveries tells of a first try."""

    status: int | None
    error: str
    delivered: bool


EXPECTED = {
    "/200": Told(200, "", True),
    "/204": Told(204, "", True),
    "/302": Told(302, "Answered 302, and redirects are not followed", False),
    "/400": Told(400, "Answered 400", False),
    "/404": Told(404, "Answered 404", False),
    "/410": Told(410, "Answered 410", False),
    "/429": Told(429, "Answered 429", False),
    "/500": Told(500, "Answered 500", False),
    "/503": Told(503, "Answered 503", False),
    "/hang": Told(None, TOO_LATE, False),
    "/drip": Told(200, TOO_LATE, False),
    "/flood": Told(200, "", True),
    "/bomb": Told(200, "", True),
    "/reset": Told(None, "ServerDisconnectedError: the call broke off", False),
    "http://nowhere.invalid/": Told(None, "The host name can't be resolved", False),
    "http://127.0.0.1:1/": Told(None, "No connection: Connection refused", False),
    "https://plain": Told(None, "No TLS connection: the host answers otherwise than TLS does", False),
    "https://self-signed": Told(None, "The certificate is refused: self-signed certificate", False),
}
FAILURES = [place for place, told in EXPECTED.items() if not told.delivered]


@pytest.fixture
def vouchless() -> Iterator[Receiver]:
    """A receiver whose certificate nobody vouches for."""
    receiver = Receiver(tls=self_signed())
    yield receiver
    receiver.close()


@pytest.fixture
def places(receiver: Receiver, vouchless: Receiver, no_name_servers: None, settings: Any) -> dict[str, str]:
    """Which place each URL stands for; every one is subscribed, and has an event to be told."""
    settings.WEBHOOK_TIMEOUT_SECONDS = TIMEOUT_SECONDS
    settings.WEBHOOK_RETRY_SECONDS = [1000]
    for status in (200, 204, 302, 400, 404, 410, 429, 500, 503):
        receiver.on(f"/{status}", answer(status, location=f"{receiver.url}/elsewhere", retry_after="7"))
    behaviours = {"/hang": hang, "/drip": drip, "/flood": flood, "/bomb": gzip_bomb(), "/reset": reset}
    for path, behaviour in behaviours.items():
        receiver.on(path, behaviour)
    elsewhere = {
        "https://plain": receiver.url.replace("http:", "https:") + "/plain",
        "https://self-signed": vouchless.url + "/",
    }
    urls = {place: receiver.url + place if place.startswith("/") else elsewhere.get(place, place) for place in EXPECTED}
    for url in urls.values():
        create_webhook(url=url, filters=["custom.*"], origin=COMMAND_LINE, may_see_secrets=False)
    happen()
    return {url: place for place, url in urls.items()}


def first_tries() -> int:
    return Attempt.objects.count()


def test_each_endpoint_gets_the_outcome_that_is_promised(places: dict[str, str], receiver: Receiver):
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert work_until(lambda: first_tries() == len(EXPECTED))

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    delivered = set(FinishedDelivery.objects.filter(state="delivered").values_list("pk", flat=True))
    attempts = list(Attempt.objects.all())
    assert {
        places[each.url]: Told(each.status, each.error, each.delivery_id in delivered) for each in attempts
    } == EXPECTED
    assert max(len(each.response_body) for each in attempts) == 16_384  # of 1 GB
    assert grown < MEGABYTES * 1024
    assert not receiver.at("/elsewhere")  # where the redirect led


def test_what_failed_is_tried_again_and_only_410_switches_off(places: dict[str, str]):
    assert work_until(lambda: first_tries() == len(EXPECTED))

    off = Webhook.objects.exclude(subscriber__enabled=True).values_list("url", flat=True)
    waiting = Webhook.objects.filter(subscriber__deliveries__isnull=False).values_list("url", flat=True)
    asked_to_wait = Webhook.objects.filter(open_until__isnull=False).values_list("url", flat=True)
    assert {places[url] for url in off} == {"/410"}
    assert {places[url] for url in waiting} == set(FAILURES)
    assert {places[url] for url in asked_to_wait} == {"/429", "/500", "/503"}
