"""What a webhook never took is listed, counted, and told once more."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from events.models import Delivery, FinishedDelivery, Subscriber, Webhook
from events.services.replaying import advance_replays
from tests.conftest import Api, together
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


@pytest.fixture
def dead(subscribe: Subscribe, receiver: Receiver, settings: Any) -> Webhook:
    """A webhook with three dead letters among its deliveries; from now on its receiver takes everything."""
    settings.WEBHOOK_RETRY_SECONDS = []
    webhook = subscribe("/hook", "custom.*", max_concurrency=1)
    receiver.on("/hook", answer(500), answer(204), answer(500), answer(400), answer(204))
    for _ in range(4):
        happen()
    work_until(lambda: FinishedDelivery.objects.count() == 4)
    return webhook


def _count(caller: Api, webhook: Webhook) -> int:
    return int(caller.get(f"/webhooks/{webhook.pk}/replay?kind=deadLetters").json()["total"])


def _replay(caller: Api, webhook: Webhook) -> Any:
    return caller.post(f"/webhooks/{webhook.pk}/replay", {"kind": "deadLetters"})


def test_they_are_listed_with_what_was_answered(caller: Api, dead: Webhook):
    listed = caller.get(f"/webhooks/{dead.pk}/deliveries?state=dead").json()["items"]

    assert [(item["sequence"], item["attempts"][0]["status"]) for item in listed] == [(4, 400), (3, 500), (1, 500)]


def test_all_of_them_are_told_once_more(caller: Api, dead: Webhook, receiver: Receiver):
    refused = [call.headers["webhook-id"] for call in receiver.at("/hook")]
    counted = _count(caller, dead)

    started = _replay(caller, dead).json()
    work_until(lambda: FinishedDelivery.objects.filter(state="delivered").count() == 4)

    again = [call.headers["webhook-id"] for call in receiver.at("/hook")][4:]
    assert (counted, started["total"], _count(caller, dead)) == (3, 3, 0)
    assert (started["firstPosition"], started["lastPosition"]) == (None, None)
    assert again == [refused[0], refused[2], refused[3]]


def test_each_tells_as_what_it_was_promised_again(caller: Api, dead: Webhook):
    _replay(caller, dead)
    advance_replays()

    listed = caller.get(f"/webhooks/{dead.pk}/deliveries?state=dead").json()["items"]

    assert [item["redeliveredAs"] for item in listed[::-1]] == [
        str(pk) for pk in Delivery.objects.order_by("sequence").values_list("pk", flat=True)
    ]


def test_one_that_was_redelivered_is_told_once(caller: Api, dead: Webhook):
    """By one's own request and by a replay of all, at the same moment."""
    one = FinishedDelivery.objects.get(sequence=3)
    _replay(caller, dead)

    together(lambda number: caller.post(f"/deliveries/{one.pk}/redeliver") if number else advance_replays(), 2)
    advance_replays()

    promised = Delivery.objects.order_by("event_id").values_list("event_id", flat=True)
    letters = FinishedDelivery.objects.filter(state="dead").order_by("event_id").values_list("event_id", flat=True)
    assert list(promised) == list(letters)


def test_one_that_is_redelivered_by_what_is_pending_already_is_told_once(
    caller: Api, dead: Webhook, receiver: Receiver
):
    """Its event is pending because a replay of a range promised it."""
    letter = FinishedDelivery.objects.get(sequence=3)
    caller.post(f"/webhooks/{dead.pk}/replay", {"from": letter.event.public_id, "to": letter.event.public_id})
    advance_replays()

    redelivered = caller.post(f"/deliveries/{letter.pk}/redeliver").json()
    left = _count(caller, dead)
    _replay(caller, dead)
    work_until(lambda: not Delivery.objects.exists())

    assert (left, caller.get(f"/deliveries/{letter.pk}").json()["redeliveredAs"]) == (2, redelivered["id"])
    told = [call.headers["webhook-id"] for call in receiver.at("/hook")]
    assert told.count(letter.event.public_id) == 2


def test_those_of_one_event_or_of_one_that_is_pending_already_are_told_once(
    caller: Api, dead: Webhook, receiver: Receiver
):
    """A replay of a range was refused for the first once more, and has not sent the second yet."""
    first, second, third = FinishedDelivery.objects.filter(state="dead").order_by("sequence")
    FinishedDelivery.objects.create(
        id=uuid4(), subscriber=first.subscriber, event=first.event, sequence=5, state="dead"
    )
    Subscriber.objects.update(sequence=5)
    caller.post(f"/webhooks/{dead.pk}/replay", {"from": second.event.public_id, "to": second.event.public_id})
    advance_replays()

    started = _replay(caller, dead).json()
    advance_replays()

    promised = [each.event_id for each in Delivery.objects.order_by("sequence")]
    read = caller.get(f"/replays/{started['id']}").json()
    assert promised == [second.event_id, first.event_id, third.event_id]
    assert (started["total"], read["promised"], read["state"], _count(caller, dead)) == (4, 4, "done", 0)


def test_one_that_dies_again_is_a_dead_letter_again(caller: Api, dead: Webhook, receiver: Receiver):
    receiver.on("/hook", answer(500))
    _replay(caller, dead)

    work_until(lambda: FinishedDelivery.objects.count() == 7)

    assert _count(caller, dead) == 3
