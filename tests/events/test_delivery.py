"""What a webhook receives, and what becomes of a delivery."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.utils import timezone

from events.models import Attempt, Delivery, Event, FinishedDelivery, Subscriber, Webhook
from events.services.sending import seconds_to_wait
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, after, answer, drip, echo, flood, gzip_bomb, hang, reset

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


def is_delivered() -> bool:
    return FinishedDelivery.objects.filter(state="delivered").exists()


def is_dead() -> bool:
    return FinishedDelivery.objects.filter(state="dead").exists()


def is_tried() -> bool:
    return Attempt.objects.exists()


def test_an_event_arrives_in_its_envelope(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    event = happen(sku="A1")

    work_until(is_delivered)

    (call,) = receiver.at("/hook")
    told = json.loads(call.body)
    assert list(told) == ["id", "type", "timestamp", "position", "source", "data"]
    assert told["id"] == event.public_id == call.headers["webhook-id"]
    assert (told["type"], told["position"], told["source"]) == ("custom.order_placed", 1, "cli")
    assert told["data"] == {"sku": "A1"}
    assert told["timestamp"].endswith("Z")
    assert len(told["timestamp"]) == len("2026-11-23T06:05:21.123Z")


def test_a_kept_promise_leaves_the_hot_table_with_its_id_sequence_and_attempt(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(200, b"thanks"))
    happen()

    work_until(is_delivered)

    finished = FinishedDelivery.objects.get()
    attempt = Attempt.objects.get()
    assert not Delivery.objects.exists()
    assert finished.sequence == 1
    assert (attempt.delivery_id, attempt.status, attempt.response_body) == (finished.pk, 200, "thanks")


def test_only_matching_filters_are_told(subscribe: Subscribe, receiver: Receiver):
    subscribe("/all")
    subscribe("/orders", "custom.order.*")
    subscribe("/one", "custom.order.paid")
    happen("custom.order.paid")
    happen("custom.order.sent")
    happen("custom.other")

    work_until(lambda: FinishedDelivery.objects.count() == 6)

    assert [len(receiver.at(path)) for path in ("/all", "/orders", "/one")] == [3, 2, 1]


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_whatever_is_no_2xx_is_a_failure(status: int, subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(status, location=receiver.url + "/elsewhere"), answer(204))
    happen()

    work_until(is_delivered)

    assert list(Attempt.objects.order_by("id").values_list("status", flat=True)) == [status, 204]
    assert not receiver.at("/elsewhere")


def test_a_hanging_receiver_is_given_up_after_the_timeout(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_TIMEOUT_SECONDS = 1
    subscribe()
    receiver.on("/hook", hang)
    happen()

    work_until(is_tried)

    attempt = Attempt.objects.earliest("id")
    assert (attempt.status, attempt.error) == (None, "No full answer within 1 s")
    assert 900 < attempt.duration_ms < 3000


def test_a_slow_drip_is_given_up_after_the_timeout(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_TIMEOUT_SECONDS = 1
    subscribe()
    receiver.on("/hook", drip)
    happen()

    work_until(is_tried)

    assert Attempt.objects.earliest("id").error == "No full answer within 1 s"


def test_no_more_than_16_kb_of_an_answer_of_1_gb_are_read(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", flood)
    happen()

    work_until(is_delivered)

    assert len(Attempt.objects.get().response_body) == 16_384


def test_a_gzip_bomb_is_not_unpacked(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", gzip_bomb())
    happen()

    work_until(is_delivered)

    assert len(Attempt.objects.get().response_body) < 16_384


def test_a_connection_that_breaks_off_is_a_failure(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", reset, answer(204))
    happen()

    work_until(is_delivered)

    assert Attempt.objects.earliest("id").error == "ServerDisconnectedError: the call broke off"


def test_an_answer_with_a_nul_can_be_stored(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(200, b"a\0b\xff"))
    happen()

    work_until(is_delivered)

    assert Attempt.objects.get().response_body == "a\ufffdb\ufffd"


def test_retries_take_one_step_after_the_other(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [100, 200]
    subscribe()
    receiver.on("/hook", answer(500))
    happen()

    work_until(is_tried)

    pending = Delivery.objects.get()
    assert pending.tries == 1
    assert pending.worker is None
    assert timedelta(seconds=95) < pending.due_at - timezone.now() < timedelta(seconds=110)


def test_retry_after_is_honoured(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(429, retry_after="500"))
    happen()

    work_until(is_tried)

    assert timedelta(seconds=490) < Delivery.objects.get().due_at - timezone.now() < timedelta(seconds=501)


def test_retry_after_may_not_ask_for_more_than_a_day(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(503, retry_after="99999999"))
    happen()

    work_until(is_tried)

    assert Delivery.objects.get().due_at - timezone.now() < timedelta(days=1, seconds=1)


def test_retry_after_may_be_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    assert 85 < seconds_to_wait({"Retry-After": later}) <= 90


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "²", "Mon, 99 Foo 2026 00:00:00 GMT"])
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
    webhook = subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(410))
    happen()

    work_until(lambda: Subscriber.objects.filter(enabled=False).exists())

    webhook.refresh_from_db()
    pending = Delivery.objects.get()
    told = Event.objects.get(type="events.webhook_disabled").data
    assert webhook.disabled_at
    assert told == {"webhookId": str(webhook.pk), "url": webhook.url, "reason": "The receiver answered 410 Gone."}
    assert (pending.worker, pending.tries) == (None, 0)


def test_a_disabled_webhook_gets_no_new_deliveries_and_the_old_ones_once_enabled(
    subscribe: Subscribe, receiver: Receiver
):
    subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(410), answer(204))
    first = happen()
    work_until(lambda: Subscriber.objects.filter(enabled=False).exists())
    happen()
    work_until(lambda: Event.objects.positioned().count() == 3)

    Subscriber.objects.update(enabled=True)
    work_until(is_delivered)

    assert [call.headers["webhook-id"] for call in receiver.at("/hook")] == [first.public_id, first.public_id]
    assert not Delivery.objects.exists()


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


def test_an_echo_of_a_body_is_logged(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", echo)
    happen(note="hello")

    work_until(is_delivered)

    assert json.loads(Attempt.objects.get().response_body)["data"] == {"note": "hello"}


def test_a_slow_webhook_keeps_no_other_waiting(subscribe: Subscribe, receiver: Receiver):
    subscribe("/slow")
    subscribe("/quick")
    receiver.on("/slow", after(2, answer(204)))
    for _ in range(50):
        happen()
    start = time.monotonic()

    work_until(lambda: FinishedDelivery.objects.filter(subscriber__webhook__url=receiver.url + "/quick").count() == 50)

    assert time.monotonic() - start < 5
    assert receiver.at("/quick")[-1].at - receiver.at("/quick")[0].at < 1.5


def test_no_more_calls_are_under_way_than_a_webhook_allows(subscribe: Subscribe, receiver: Receiver):
    subscribe("/hook", max_concurrency=3)
    receiver.on("/hook", after(0.05, answer(204)))
    for _ in range(30):
        happen()

    work_until(lambda: FinishedDelivery.objects.count() == 30)

    assert receiver.most_at_once["/hook"] == 3


def test_a_target_that_is_not_public_is_not_called(subscribe: Subscribe, receiver: Receiver, settings: Any):
    subscribe()
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False
    happen()

    work_until(is_tried)

    assert Attempt.objects.earliest("id").error == "Refused: the host is not on the public internet"
    assert not receiver.calls
