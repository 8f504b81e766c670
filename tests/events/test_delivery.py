"""What a webhook receives, and what becomes of a delivery."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from events.models import Attempt, Delivery, EventSecret, FinishedDelivery, Webhook
from events.services.webhooks import change_webhook, rotate_secret
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.processes import PATIENCE
from tests.receivers import Behaviour, Call, Receiver, after, answer, echo

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


def is_delivered() -> bool:
    return FinishedDelivery.objects.filter(state="delivered").exists()


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


def test_an_answer_with_a_nul_can_be_stored(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", answer(200, b"a\0b\xff"))
    happen()

    work_until(is_delivered)

    assert Attempt.objects.get().response_body == "a\ufffdb\ufffd"


def test_an_echo_of_a_body_is_logged(subscribe: Subscribe, receiver: Receiver):
    subscribe()
    receiver.on("/hook", echo)
    happen(note="hello")

    work_until(is_delivered)

    assert json.loads(Attempt.objects.get().response_body)["data"] == {"note": "hello"}


def test_a_slow_webhook_keeps_no_other_waiting(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_TIMEOUT_SECONDS = PATIENCE
    subscribe("/slow")
    subscribe("/quick")
    may_answer, slow = threading.Event(), []
    receiver.on("/slow", once(may_answer, answer(204)))
    for _ in range(50):
        happen()

    def all_quick_ones_are_told() -> bool:
        told = FinishedDelivery.objects.filter(subscriber__webhook__url=receiver.url + "/quick").count() == 50
        if told:
            slow.append((bool(receiver.at("/slow")), FinishedDelivery.objects.count() - 50))
            may_answer.set()
        return told

    assert work_until(all_quick_ones_are_told)

    assert slow == [(True, 0)]


def once(event: threading.Event, behaviour: Behaviour) -> Behaviour:
    """The same, once something happened."""

    async def behave(call: Call, writer: asyncio.StreamWriter) -> None:
        while not event.is_set():
            await asyncio.sleep(0.02)
        await behaviour(call, writer)

    return behave


def test_secrets_that_no_key_opens_keep_no_other_waiting_and_can_be_given_anew(
    subscribe: Subscribe, receiver: Receiver
):
    sealed, fine = subscribe("/sealed", "custom.*", headers={"Authorization": "Bearer abcdefgh"}), subscribe("/fine")
    Webhook.objects.filter(pk=sealed.pk).update(sealed_secret=b"gAAAA", sealed_headers=b"gAAAA")
    happen()
    work_until(lambda: FinishedDelivery.objects.filter(subscriber=fine.pk).exists() and Attempt.objects.count() > 1)
    refused, health = Attempt.objects.filter(url=sealed.url).first(), Webhook.objects.get(pk=sealed.pk).failing_since

    rotate_secret(webhook_id=sealed.pk)
    change_webhook(webhook_id=sealed.pk, changes={"headers": {"X-Key": "of today"}}, may_see_secrets=False)
    happen("custom.later")
    work_until(lambda: receiver.at("/sealed"))

    assert refused
    assert "No key of ours opens" in refused.error
    assert health
    assert receiver.at("/sealed")[0].headers["x-key"] == "of today"


def test_a_url_that_only_an_older_version_took_keeps_no_other_waiting(
    subscribe: Subscribe, receiver: Receiver, settings: Any
):
    settings.WEBHOOK_RETRY_SECONDS = [100]
    odd = subscribe("/odd", secrets=True)
    Webhook.objects.filter(pk=odd.pk).update(url="https://[:]")
    subscribe("/hook")
    happen()

    work_until(lambda: receiver.at("/hook") and Attempt.objects.filter(url="https://[:]").exists())

    assert len(receiver.at("/hook")) == 1
    assert not Attempt.objects.get(url="https://[:]").status


def test_a_link_that_no_key_opens_is_as_good_as_gone(subscribe: Subscribe, receiver: Receiver, api: Api):
    subscribe("/hook", "auth.email_verificationRequested", secrets=True)
    api.sign_up()
    EventSecret.objects.update(sealed=b"gAAAA")

    work_until(lambda: receiver.calls)

    assert json.loads(receiver.calls[0].body)["data"]["link"] is None


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
