"""A webhook's deliveries over REST."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from events.models import Attempt, Delivery, FinishedDelivery, Webhook
from events.services import delivery_log
from events.services.sequencing import sequence_events
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read")


def _deliveries(caller: Api, webhook: Webhook, query: str = "") -> Any:
    return caller.get(f"/webhooks/{webhook.pk}/deliveries{query}").json()


def _is_finished() -> bool:
    return FinishedDelivery.objects.exists()


def test_a_delivery_tells_what_was_sent_where(caller: Api, subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe("/hook", "custom.*")
    event = happen()

    work_until(_is_finished)

    (delivery,) = _deliveries(caller, webhook)["items"]
    assert delivery.pop("attempts")
    assert delivery == {
        "id": str(FinishedDelivery.objects.get().pk),
        "webhookId": str(webhook.pk),
        "eventId": event.public_id,
        "eventType": "custom.order_placed",
        "sequence": 1,
        "state": "delivered",
        "nextAttemptAt": None,
        "test": False,
        "redeliveredAs": None,
    }


def test_its_attempts_tell_what_was_answered_oldest_first(caller: Api, subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe()
    receiver.on("/hook", answer(500, b"not now"), answer(200, b"thanks"))
    happen()

    work_until(_is_finished)

    attempts = _deliveries(caller, webhook)["items"][0]["attempts"]
    assert set(attempts[0]) == {"url", "at", "status", "durationMs", "error", "responseBody"}
    assert [(each["status"], each["error"], each["responseBody"]) for each in attempts] == [
        (500, "Answered 500", "not now"),
        (200, "", "thanks"),
    ]
    assert attempts[0]["at"] < attempts[1]["at"]


def test_a_pending_delivery_tells_when_it_is_tried_again(
    caller: Api, subscribe: Subscribe, receiver: Receiver, settings: Any
):
    settings.WEBHOOK_RETRY_SECONDS = [100]
    webhook = subscribe()
    receiver.on("/hook", answer(500))
    happen()
    start = timezone.now()

    work_until(Attempt.objects.exists)

    (delivery,) = _deliveries(caller, webhook)["items"]
    due_at = datetime.fromisoformat(delivery["nextAttemptAt"])
    assert (delivery["state"], len(delivery["attempts"])) == ("pending", 1)
    assert start + timedelta(seconds=99) < due_at < timezone.now() + timedelta(seconds=111)


def test_one_that_is_held_back_tells_until_when(caller: Api, subscribe: Subscribe):
    webhook = subscribe()
    happen()
    sequence_events()
    until = timezone.now() + timedelta(minutes=4)
    Webhook.objects.update(open_until=until)

    (listed,) = _deliveries(caller, webhook)["items"]
    read = caller.get(f"/deliveries/{listed['id']}").json()

    for each in (listed, read):
        assert abs(datetime.fromisoformat(each["nextAttemptAt"]) - until) < timedelta(seconds=1)


def test_one_that_waits_behind_another_tells_no_time(caller: Api, subscribe: Subscribe):
    webhook = subscribe("/hook", "custom.*", mode="ordered")
    happen()
    happen()

    sequence_events()

    second, first = _deliveries(caller, webhook)["items"]
    assert first["nextAttemptAt"]
    assert second["nextAttemptAt"] is None


def test_a_dead_delivery_is_not_tried_again(caller: Api, subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(500))
    happen()

    work_until(_is_finished)

    (delivery,) = _deliveries(caller, webhook)["items"]
    assert (delivery["state"], delivery["nextAttemptAt"], len(delivery["attempts"])) == ("dead", None, 3)


def test_finished_and_pending_ones_are_one_list_newest_first(
    caller: Api, subscribe: Subscribe, receiver: Receiver, settings: Any
):
    settings.WEBHOOK_RETRY_SECONDS = [100]
    webhook = subscribe("/hook", "custom.*", max_concurrency=1)
    receiver.on("/hook", answer(204), answer(500), answer(204), answer(500), answer(204))
    for _ in range(5):
        happen()
    work_until(lambda: Attempt.objects.count() == 5)

    pages = [_deliveries(caller, webhook, "?limit=2")]
    while pages[-1]["nextCursor"]:
        pages.append(_deliveries(caller, webhook, f"?limit=2&cursor={pages[-1]['nextCursor']}"))

    assert [[(item["sequence"], item["state"]) for item in page["items"]] for page in pages] == [
        [(5, "delivered"), (4, "pending")],
        [(3, "delivered"), (2, "pending")],
        [(1, "delivered")],
    ]


def test_a_webhook_shows_no_deliveries_of_another(caller: Api, subscribe: Subscribe):
    one, other = subscribe("/one", "custom.one"), subscribe("/other", "custom.other")
    event = happen("custom.one")
    happen("custom.other")

    work_until(lambda: FinishedDelivery.objects.count() == 2)

    assert [item["eventId"] for item in _deliveries(caller, one)["items"]] == [event.public_id]
    assert len(_deliveries(caller, other)["items"]) == 1


def test_a_list_can_be_of_one_state_and_one_type(caller: Api, subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = []
    webhook = subscribe("/hook", "custom.*", max_concurrency=1)
    receiver.on("/hook", answer(204), answer(500), answer(204))
    for name in ("custom.a", "custom.a", "custom.b"):
        happen(name)
    work_until(lambda: FinishedDelivery.objects.count() == 3)

    queries = ("?state=delivered", "?state=dead", "?state=pending", "?eventType=custom.b", "?state=dead&eventType=b")
    found = [[item["sequence"] for item in _deliveries(caller, webhook, query)["items"]] for query in queries]

    assert found == [[3, 1], [2], [], [3], []]


@pytest.mark.parametrize(("most", "pages"), [(300, [[5, 4, 3], [2, 1]]), (299, [[5, 4], [3, 2], [1]]), (1, [[5]])])
def test_much_that_was_answered_makes_a_page_shorter(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch, most: int, pages: list[list[int]]
):
    monkeypatch.setattr(delivery_log, "ANSWERS_MAX", most)
    webhook = subscribe("/hook", "custom.*")
    for _ in range(5):
        happen()
    sequence_events()
    for pending in Delivery.objects.all():
        for answered in ("a" * 60, "b" * 40):
            Attempt.objects.create(
                delivery_id=pending.pk, at=timezone.now(), duration_ms=1, status=500, response_body=answered
            )

    read = [_deliveries(caller, webhook, "?limit=3")]
    while (cursor := read[-1]["nextCursor"]) and len(read) < len(pages):
        read.append(_deliveries(caller, webhook, f"?limit=3&cursor={cursor}"))

    assert [[item["sequence"] for item in page["items"]] for page in read] == pages
    assert (read[-1]["nextCursor"] is None) == (len(pages) > 1)
    assert [len(each["responseBody"]) for each in read[0]["items"][0]["attempts"]] == [60, 40]


def test_one_delivery_tells_the_request_without_what_signs_it(
    key: Callable[..., Api], subscribe: Subscribe, receiver: Receiver
):
    subscribe("/hook", "custom.*")
    event = happen(number=7)
    work_until(_is_finished)

    read = key("webhooks:read", "events:read").get(f"/deliveries/{FinishedDelivery.objects.get().pk}").json()

    [call] = receiver.at("/hook")
    told = {name.lower(): value for name, value in read["request"]["headers"].items()}
    assert read["request"]["url"] == receiver.url + "/hook"
    assert told.items() - call.headers.items() == {("webhook-signature", "v1,•••")}
    assert read["request"]["body"] == key("events:read").get(f"/events/{event.public_id}").json()


def test_who_may_not_read_events_is_shown_no_body(caller: Api, subscribe: Subscribe):
    subscribe("/hook", "custom.*")
    happen(number=7)
    work_until(_is_finished)

    read = caller.get(f"/deliveries/{FinishedDelivery.objects.get().pk}").json()

    assert read["request"]["body"] is None
