"""An endpoint that is down is left alone, but for one probe from time to time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F
from django.utils import timezone

from events.models import Delivery, Webhook
from events.services import circuit, webhooks
from events.services.acknowledgement import acknowledge
from events.services.claims import Claim, claim_deliveries
from events.services.leases import register_worker
from events.services.outcomes import Outcome
from events.services.redelivery import redeliver
from events.services.sequencing import sequence_events
from events.services.webhooks import change_webhook
from tests.conftest import together
from tests.events.conftest import happen
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(circuit, "FAILURES_TO_OPEN", 5)
    settings.WEBHOOK_RETRY_SECONDS = [0] * 20


@pytest.fixture
def webhook(subscribe: Subscribe) -> Webhook:
    """With twenty events that are due."""
    webhook = subscribe(max_concurrency=20)
    for _ in range(20):
        happen()
    sequence_events()
    return webhook


def claim(worker: UUID, room: int = 100) -> list[Claim]:
    return claim_deliveries(worker=worker, room=room, handlers=[]).claims


def answered(
    worker: UUID, claims: list[Claim], status: int | None, retry_after: float = 0, began: datetime | None = None
) -> None:
    at, delivered = began or timezone.now(), status == 204
    acknowledge(worker, [Outcome(each, at, 5, delivered, status, retry_after=retry_after) for each in claims])


def wait_over() -> None:
    """As if the time of the open circuit had passed."""
    Webhook.objects.update(open_until=timezone.now())


def open_until() -> datetime | None:
    return Webhook.objects.get().open_until


@contextmanager
def opening(seconds: float) -> Iterator[None]:
    """What is done in here opens the circuit for so long."""
    before = timezone.now()
    yield
    after, until = timezone.now(), open_until()
    assert until
    assert before <= until - timedelta(seconds=seconds) <= after


@pytest.mark.parametrize("status", [None, 500, 503, 408, 429, 200])
def test_five_failures_of_the_endpoint_in_a_row_open_it(webhook: Webhook, status: int | None):
    worker = register_worker()
    claims = claim(worker, 5)

    answered(worker, claims[:4], status)
    after_four = open_until()
    with opening(seconds=10):
        answered(worker, claims[4:], status)

    assert after_four is None
    Webhook.objects.update(open_until=F("open_until") + timedelta(hours=1))  # however late the next line comes
    assert claim(worker) == []


@pytest.mark.parametrize("status", [400, 404, 422, 302])
def test_refusals_of_single_events_do_not_open_it(webhook: Webhook, status: int):
    worker = register_worker()

    answered(worker, claim(worker, 10), status)

    assert open_until() is None


def test_an_answer_that_asks_to_wait_opens_it_at_once_and_for_as_long(webhook: Webhook):
    worker = register_worker()

    claims = claim(worker, 1)

    with opening(seconds=90):
        answered(worker, claims, 429, retry_after=90)


def test_then_one_probe_is_made_whoever_claims(webhook: Webhook):
    worker = register_worker()
    answered(worker, claim(worker, 5), 500)
    wait_over()

    probes = [each for claims in together(lambda _number: claim(register_worker())) for each in claims]

    assert len(probes) == 1


def test_a_probe_waits_for_calls_that_are_still_under_way(webhook: Webhook):
    worker, began = register_worker(), timezone.now()
    claims = claim(worker, 6)
    answered(worker, claims[:5], 500)
    wait_over()

    beside = claim(worker)
    answered(worker, claims[5:], 500, began=began)

    assert beside == []
    assert len(claim(worker)) == 1


def test_each_probe_that_fails_doubles_the_wait_up_to_five_minutes(webhook: Webhook):
    worker = register_worker()
    answered(worker, claim(worker, 5), 500)

    for seconds in (20, 40, 80, 160, 300, 300):
        wait_over()
        probe = claim(worker)
        with opening(seconds):
            answered(worker, probe, 500)


def test_failures_of_calls_that_began_before_it_opened_do_not_lengthen_the_wait(webhook: Webhook):
    worker = register_worker()
    claims = claim(worker, 20)

    with opening(seconds=10):
        answered(worker, claims, 500)

    assert Webhook.objects.get().failures == 5


@pytest.mark.parametrize("status", [204, 404])
def test_a_probe_that_is_answered_closes_it(webhook: Webhook, status: int):
    worker = register_worker()
    answered(worker, claim(worker, 5), 500)
    wait_over()

    answered(worker, claim(worker), status)

    closed = Webhook.objects.get()
    assert (closed.open_until, closed.failures) == (None, 0)
    assert len(claim(worker)) >= 18


def test_what_waits_uses_no_retry(webhook: Webhook):
    worker = register_worker()
    answered(worker, claim(worker, 5), 500)
    wait_over()

    answered(worker, claim(worker), 500)

    assert sum(Delivery.objects.values_list("tries", flat=True)) == 6
    assert not Delivery.objects.filter(due_at__gt=timezone.now() + timedelta(seconds=1)).exists()


def test_who_asks_for_one_delivery_sees_a_probe_at_once(webhook: Webhook):
    worker = register_worker()
    answered(worker, claim(worker, 5), None, retry_after=3600)
    pending = Delivery.objects.latest("sequence")

    before = claim(worker)
    redeliver(delivery_id=pending.pk)

    assert (before, len(claim(worker)), len(claim(worker))) == ([], 1, 0)


def test_at_another_url_it_is_closed_and_healthy(webhook: Webhook, receiver: Receiver):
    worker = register_worker()
    answered(worker, claim(worker, 5), None, retry_after=3600)

    changes = {"url": webhook.url, "description": "the same URL"}
    same = change_webhook(webhook_id=webhook.pk, changes=changes, may_see_secrets=True).open_until
    change_webhook(webhook_id=webhook.pk, changes={"url": f"{receiver.url}/mended"}, may_see_secrets=True)

    mended = Webhook.objects.get()
    assert same
    assert (mended.failing_since, mended.failures, mended.open_until) == (None, 0, None)
    assert len(claim(worker)) == 15


def test_a_change_of_something_else_leaves_it_as_it_is_by_then(webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    """It opens after the row was read, and before it is written."""
    until = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(webhooks, "_check", lambda *_: Webhook.objects.update(failures=7, open_until=until))

    change_webhook(webhook_id=webhook.pk, changes={"description": "Orders"}, may_see_secrets=True)

    webhook.refresh_from_db()
    assert (webhook.description, webhook.failures, webhook.open_until) == ("Orders", 7, until)


def test_others_are_told_meanwhile(webhook: Webhook, subscribe: Subscribe):
    worker = register_worker()
    answered(worker, claim(worker, 5), 500, retry_after=3600)
    other = subscribe("/other")
    happen()
    sequence_events()

    claimed = claim(worker)

    assert [each.subscriber_id for each in claimed] == [other.pk]
