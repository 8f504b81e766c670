"""A webhook is deleted with all it was promised, however much that is, and nobody waits for it."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from events.models import Delivery, Event, FinishedDelivery, Subscriber, Webhook
from events.services import taking_back
from events.services.inspection import inspect
from events.services.leases import register_worker
from events.services.sequencing import sequence_events
from events.services.taking_back import take_back
from events.services.webhooks import delete_webhook
from fastgen_backend.errors import NotFound
from tests.conftest import together
from tests.events.conftest import happen
from tests.events.test_order import Subscribe, change, claim, finish, happen_by_turns

pytestmark = pytest.mark.django_db(transaction=True)
delete_some = taking_back._delete


@pytest.fixture
def webhook(subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """In order, it was told of two events, and has still to be told of five."""
    monkeypatch.setattr(taking_back, "BITE", 2)
    webhook = subscribe(mode="ordered")
    happen_by_turns("ann", rounds=7)
    worker = register_worker()
    for _ in range(2):
        finish(worker, claim(worker))
    return webhook


def between_bites(do: Callable[[], object]) -> Callable[..., int]:
    """Does this after each bite."""

    def bite(subscriber: Subscriber, deliveries: taking_back.Deliveries) -> int:
        taken = delete_some(subscriber, deliveries)
        do()
        return taken

    return bite


def test_the_log_goes_on_meanwhile_and_it_is_promised_nothing(
    webhook: Webhook, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
):
    other = subscribe("/other")
    monkeypatch.setattr(taking_back, "_delete", between_bites(lambda: (happen(), sequence_events())))

    delete_webhook(webhook_id=webhook.pk)

    happened = Event.objects.filter(subject="").count()
    assert Event.objects.positioned().count() == 7 + happened
    assert list(Delivery.objects.values_list("subscriber").distinct()) == [(other.pk,)]
    assert (Delivery.objects.count(), FinishedDelivery.objects.count()) == (happened, 0)
    assert inspect(at_rest=True).flaws == []


def test_whoever_dies_amid_it_leaves_it_off_and_what_is_left_in_its_order(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as amid:
        amid.setattr(taking_back, "_delete", between_bites(lambda: 1 / 0))
        with pytest.raises(ZeroDivisionError):
            delete_webhook(webhook_id=webhook.pk)
    is_off, flaws = not Subscriber.objects.get().enabled, inspect(at_rest=True).flaws
    change(webhook, enabled=True)
    [next_one] = claim(register_worker())

    assert (is_off, flaws, next_one.sequence) == (True, [], 3)
    delete_webhook(webhook_id=webhook.pk)
    assert not Delivery.objects.exists()


def test_switched_on_meanwhile_it_is_deleted_all_the_same(webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(taking_back, "_delete", between_bites(lambda: change(webhook, enabled=True)))

    delete_webhook(webhook_id=webhook.pk)

    assert [model.objects.count() for model in (Webhook, Delivery, FinishedDelivery)] == [0, 0, 0]
    assert inspect(at_rest=True).flaws == []


def test_of_two_who_delete_it_at_once_one_is_told_that_it_is_gone(webhook: Webhook):
    def delete(number: int) -> bool:
        try:
            delete_webhook(webhook_id=webhook.pk)
        except NotFound:
            return False
        return True

    assert sorted(together(delete, 2)) == [False, True]
    assert inspect(at_rest=True).flaws == []


def test_what_is_acknowledged_meanwhile_is_locked_in_the_order_of_acknowledgements(subscribe: Subscribe):
    webhook = subscribe(max_concurrency=2)
    for _ in range(2):
        happen()
        sequence_events()
    claims = claim(worker := register_worker())
    change(webhook, enabled=False)
    well: list[str] = []

    def do(name: str, work: Callable[[], object]) -> None:
        work()
        well.append(name)
        connection.close()

    def begin(name: str, work: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=do, args=[name, work])
        thread.start()
        thread.join(0.2)
        return thread

    with transaction.atomic():
        Delivery.objects.select_for_update().earliest("sequence")
        both = [
            begin("acknowledged", lambda: finish(worker, claims)),
            begin("taken back", lambda: take_back(webhook.subscriber)),
        ]
    for thread in both:
        thread.join()

    assert sorted(well) == ["acknowledged", "taken back"]
    assert inspect(at_rest=True).flaws == []
