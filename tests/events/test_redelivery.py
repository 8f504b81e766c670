"""One event is delivered to a webhook once more."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from events.models import Attempt, Delivery, Event, FinishedDelivery, Subscriber, Webhook
from tests.conftest import Api, together
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


def _finished(count: int) -> Callable[[], bool]:
    return lambda: FinishedDelivery.objects.count() == count


def test_what_was_delivered_is_sent_once_more_under_its_id(caller: Api, subscribe: Subscribe, receiver: Receiver):
    subscribe("/hook", "custom.*")
    event = happen(number=7)
    work_until(_finished(1))

    redelivered = caller.post(f"/deliveries/{FinishedDelivery.objects.get().pk}/redeliver")
    work_until(_finished(2))

    first, second = receiver.at("/hook")
    assert redelivered.status_code == 200
    assert (redelivered.json()["state"], redelivered.json()["sequence"]) == ("pending", 2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event.public_id
    assert first.body == second.body
    assert json.loads(second.body)["data"] == {"number": 7}


def test_a_redelivery_goes_behind_what_was_promised_since(caller: Api, subscribe: Subscribe):
    subscribe("/hook", "custom.*")
    happen()
    work_until(_finished(1))
    happen()
    work_until(_finished(2))

    first = FinishedDelivery.objects.get(sequence=1)
    redelivered = caller.post(f"/deliveries/{first.pk}/redeliver").json()

    assert (redelivered["sequence"], Subscriber.objects.get().sequence) == (3, 3)


def test_a_dead_letter_tells_as_what_it_was_redelivered(caller: Api, subscribe: Subscribe, receiver: Receiver):
    subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(500), answer(500), answer(500), answer(204))
    happen()
    work_until(_finished(1))
    dead = FinishedDelivery.objects.get()

    redelivered = caller.post(f"/deliveries/{dead.pk}/redeliver").json()
    work_until(_finished(2))

    read = caller.get(f"/deliveries/{dead.pk}").json()
    again = caller.get(f"/deliveries/{redelivered['id']}").json()
    assert (read["state"], read["redeliveredAs"]) == ("dead", redelivered["id"])
    assert (again["state"], again["redeliveredAs"], len(again["attempts"])) == ("delivered", None, 1)


def test_what_is_pending_is_due_now(caller: Api, subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [100]
    subscribe("/hook", "custom.*")
    receiver.on("/hook", answer(500), answer(204))
    happen()
    work_until(Attempt.objects.exists)
    pending = Delivery.objects.get()

    redelivered = caller.post(f"/deliveries/{pending.pk}/redeliver").json()
    work_until(_finished(1))

    assert redelivered["id"] == str(pending.pk)
    assert [attempt["status"] for attempt in caller.get(f"/deliveries/{pending.pk}").json()["attempts"]] == [500, 204]


def test_who_asks_many_times_at_once_gets_one_redelivery(caller: Api, subscribe: Subscribe):
    subscribe("/hook", "custom.*")
    happen()
    work_until(_finished(1))
    path = f"/deliveries/{FinishedDelivery.objects.get().pk}/redeliver"

    answers = together(lambda _: caller.post(path).json()["id"], 4)

    assert set(answers) == {str(Delivery.objects.get().pk)}


def test_a_disabled_webhook_gets_no_redelivery(caller: Api, subscribe: Subscribe):
    webhook = subscribe("/hook", "custom.*")
    happen()
    work_until(_finished(1))
    caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})

    refusal = caller.post(f"/deliveries/{FinishedDelivery.objects.get().pk}/redeliver")

    assert (refusal.status_code, refusal.json()["code"]) == (409, "webhook-disabled")
    assert not Delivery.objects.exists()


def test_a_delivery_to_a_handler_is_none_of_a_webhook(caller: Api):
    handler = Subscriber.objects.create(kind="handler", handler="app.handler")
    row = FinishedDelivery.objects.create(
        id=uuid4(), subscriber=handler, event=happen(), sequence=1, state="delivered", finished_at=timezone.now()
    )

    answers = [caller.get(f"/deliveries/{row.pk}"), caller.post(f"/deliveries/{row.pk}/redeliver")]

    assert [each.status_code for each in answers] == [404, 404]


def test_a_redelivery_is_not_made_early_where_it_is_under_way(caller: Api, subscribe: Subscribe):
    webhook = subscribe("/hook", "custom.*")
    due_at = timezone.now() + timedelta(hours=1)
    held = Delivery.objects.create(
        subscriber_id=webhook.pk, event=happen(), sequence=1, due_at=due_at, worker=uuid4(), fence=1
    )

    caller.post(f"/deliveries/{held.pk}/redeliver")

    held.refresh_from_db()
    assert held.due_at == due_at
    assert Event.objects.count() == 1
