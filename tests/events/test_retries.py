"""What follows from a failed call: the next try, a dead letter, a disabled webhook."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.utils import timezone

from events.models import Attempt, Delivery, Event, FinishedDelivery, Subscriber, Webhook
from events.services.redaction import masked_url
from events.services.sending import seconds_to_wait
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]
A_DAY = timedelta(days=1)
FAR_ZONE = f"Mon, 01 Jan 2029 00:00:00 +{'9' * 20}"


def is_delivered() -> bool:
    return FinishedDelivery.objects.filter(state="delivered").exists()


def is_dead() -> bool:
    return FinishedDelivery.objects.filter(state="dead").exists()


def is_tried() -> bool:
    return Attempt.objects.exists()


def test_retries_take_one_step_after_the_other(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [100, 200]
    subscribe()
    receiver.on("/hook", answer(500))
    happen()
    start = timezone.now()

    work_until(is_tried)

    pending = Delivery.objects.get()
    assert pending.tries == 1
    assert pending.worker is None
    assert start + timedelta(seconds=100) <= pending.due_at <= timezone.now() + timedelta(seconds=110)


def test_retries_are_spread_over_a_tenth_of_their_step(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [10_000]
    subscribe()
    receiver.on("/hook", answer(500))
    for _ in range(30):
        happen()
    start = timezone.now()

    work_until(lambda: Attempt.objects.count() == 30)

    waits = [(due_at - start).total_seconds() for due_at in Delivery.objects.values_list("due_at", flat=True)]
    assert 10_000 <= min(waits) < max(waits) - 100
    assert max(waits) <= 11_000 + (timezone.now() - start).total_seconds()


def test_retry_after_is_honoured(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(429, retry_after="500"))
    happen()
    start = timezone.now()

    work_until(is_tried)

    wait = timedelta(seconds=500)
    assert start + wait <= Delivery.objects.get().due_at <= timezone.now() + wait


def test_retry_after_may_not_ask_for_more_than_a_day(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(503, retry_after="99999999"))
    happen()
    start = timezone.now()

    work_until(is_tried)

    assert start + A_DAY <= Delivery.objects.get().due_at <= timezone.now() + A_DAY


def test_retry_after_may_be_a_date():
    later = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)

    before = datetime.now(UTC)
    wait = timedelta(seconds=seconds_to_wait({"Retry-After": format_datetime(later, usegmt=True)}))

    assert before <= later - wait <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "²", "Mon, 99 Foo 2026 00:00:00 GMT", FAR_ZONE])
def test_a_malformed_retry_after_is_ignored(text: str):
    assert seconds_to_wait({"Retry-After": text}) == 0


def test_after_the_last_retry_a_delivery_is_dead_and_an_event_tells_so(subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(500))
    event = happen()

    work_until(is_dead)

    dead = FinishedDelivery.objects.get()
    assert len(receiver.at("/hook")) == 3
    assert not Delivery.objects.exists()
    assert Event.objects.get(type="events.delivery_exhausted").data == {
        "deliveryId": str(dead.pk),
        "webhookId": str(webhook.pk),
        "eventId": event.public_id,
        "eventType": "custom.order_placed",
        "lastStatus": 500,
        "lastError": "Answered 500",
    }


def test_a_dead_event_about_events_makes_no_further_event(subscribe: Subscribe, receiver: Receiver):
    subscribe("/hook", "*")
    receiver.on("/hook", answer(500))
    happen()

    work_until(lambda: FinishedDelivery.objects.filter(state="dead").count() == 2)

    assert Event.objects.count() == 2


def test_410_disables_the_webhook_and_keeps_what_it_was_promised(subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe("/hook?token=t0k3n", "custom.*")
    receiver.on("/hook?token=t0k3n", answer(410))
    happen()

    work_until(lambda: Subscriber.objects.filter(enabled=False).exists())

    webhook.refresh_from_db()
    pending = Delivery.objects.get()
    told = Event.objects.get(type="events.webhook_disabled").data
    assert webhook.disabled_at
    assert told == {
        "webhookId": str(webhook.pk),
        "url": f"{receiver.url}/•••",
        "reason": "The receiver answered 410 Gone.",
    }
    assert (pending.worker, pending.tries) == (None, 0)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a.example/t0ken?b=c", "https://a.example/•••"),
        ("https://a.example:8443?t0ken", "https://a.example:8443/•••"),
        ("https://a.example/", "https://a.example"),
        ("https://ann:t0ken@a.example", "https://a.example"),
        ("https://[:]/t0ken", "https://[:]/•••"),
        ("https://a.example#t0ken", "https://a.example/•••"),
        ("https://a.example\\t0ken", "https://a.example/•••"),
    ],
)
def test_the_address_of_a_webhook_is_told_without_what_may_be_a_token(url: str, told: str):
    assert masked_url(url) == told


def test_a_disabled_webhook_gets_no_new_deliveries_and_the_old_ones_once_enabled(
    subscribe: Subscribe, receiver: Receiver, key: Callable[..., Api]
):
    webhook = subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(410), answer(204))
    first = happen()
    work_until(lambda: Subscriber.objects.filter(enabled=False).exists())
    happen()
    work_until(lambda: Event.objects.positioned().count() == 3)

    key("webhooks:write").patch(f"/webhooks/{webhook.pk}", {"enabled": True})
    work_until(is_delivered)

    assert [call.headers["webhook-id"] for call in receiver.at("/hook")] == [first.public_id, first.public_id]
    assert not Delivery.objects.exists()


def test_a_webhook_that_was_gone_is_healthy_once_enabled(
    subscribe: Subscribe, receiver: Receiver, key: Callable[..., Api]
):
    webhook = subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(410))
    happen()
    work_until(lambda: Subscriber.objects.filter(enabled=False).exists())
    webhook.refresh_from_db()
    assert webhook.failing_since

    enabled = key("webhooks:write").patch(f"/webhooks/{webhook.pk}", {"enabled": True}).json()

    healed = Webhook.objects.get()
    assert (enabled["enabled"], enabled["status"]) == (True, "healthy")
    assert (healed.failing_since, healed.disabled_at, healed.disabled_reason) == (None, None, "")


def test_failing_since_is_set_by_a_failure(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [100]
    webhook = subscribe()
    receiver.on("/hook", answer(500))
    happen()

    work_until(is_tried)

    webhook.refresh_from_db()
    assert webhook.failing_since


def test_failing_since_is_cleared_by_a_success(subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe()
    Webhook.objects.update(failing_since=timezone.now())
    happen()

    work_until(is_delivered)

    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_a_webhook_that_fails_for_five_days_is_disabled(subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe("/hook", "custom.*")
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=5))
    receiver.on("/hook", answer(500))
    happen()

    work_until(lambda: Subscriber.objects.filter(enabled=False).exists())

    webhook.refresh_from_db()
    assert webhook.disabled_reason == "Every call failed for 5 days."
