"""Webhooks that keep an order: one call after the other, of all or of each subject, and nothing overtakes a failure."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from events.models import Delivery, FinishedDelivery, Subscriber, Webhook, Worker
from events.services.acknowledgement import acknowledge
from events.services.claims import Claim, claim_deliveries
from events.services.delivery import Courier
from events.services.leases import beat, reap_dead_workers, register_worker, release_leases
from events.services.outcomes import Outcome
from events.services.pulse import Pulse
from events.services.sequencing import sequence_events
from events.services.webhooks import change_webhook
from tests.conftest import Api
from tests.events.conftest import happen, happen_to, work_until
from tests.events.effort import effort_of
from tests.receivers import Call, Receiver, after, answer

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


BEHIND = """
WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < %s)
INSERT INTO events_delivery
    (id, subscriber_id, event_id, sequence, due_at, tries, fence, lane, blocked, replayed)
SELECT {new_id}, subscriber_id, event_id, 2 + number, due_at, 0, 0, lane, TRUE, FALSE
FROM numbers, events_delivery WHERE lane = %s
"""


def claim(worker: UUID) -> list[Claim]:
    return claim_deliveries(worker=worker, room=100, handlers=[]).claims


def outcome(claim: Claim, *, delivered: bool = True) -> Outcome:
    return Outcome(claim, timezone.now(), 5, delivered=delivered, status=204 if delivered else 500)


def finish(worker: UUID, claims: Iterable[Claim]) -> None:
    acknowledge(worker, [outcome(each) for each in claims])


def happen_by_turns(*subjects: str, rounds: int) -> None:
    for number in range(rounds):
        for subject in subjects:
            happen_to(subject, subject=subject, number=number)
    while sequence_events():
        pass


def sequences(claims: Iterable[Claim]) -> list[int]:
    return [each.sequence for each in claims]


def told(calls: Iterable[Call]) -> dict[str, list[int]]:
    """The numbers that each subject was told, in their order."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for call in calls:
        data = json.loads(call.body)["data"]
        numbers[data["subject"]].append(data["number"])
    return numbers


def change(webhook: Webhook, **changes: Any) -> None:
    change_webhook(webhook_id=webhook.pk, changes=changes, may_see_secrets=True)


def test_an_ordered_webhook_is_told_all_in_order_one_call_at_a_time(subscribe: Subscribe, receiver: Receiver):
    subscribe(mode="ordered")
    receiver.on("/hook", after(0.01, answer(204)))
    for number in range(20):
        happen(subject="all", number=number)

    work_until(lambda: FinishedDelivery.objects.count() == 20)

    assert told(receiver.calls) == {"all": list(range(20))}
    assert receiver.most_at_once["/hook"] == 1


def test_nothing_overtakes_a_failure(subscribe: Subscribe, receiver: Receiver):
    subscribe(mode="ordered")
    receiver.on("/hook", answer(204), answer(500), answer(500), answer(204))
    for number in range(4):
        happen(subject="all", number=number)

    work_until(lambda: FinishedDelivery.objects.count() == 4)

    assert told(receiver.calls) == {"all": [0, 1, 1, 1, 2, 3]}


def test_a_dead_letter_lets_the_next_go_on(subscribe: Subscribe, receiver: Receiver):
    subscribe("/hook", "custom.*", mode="ordered")
    receiver.on("/hook", answer(500), answer(500), answer(500), answer(204))
    for number in range(2):
        happen(subject="all", number=number)

    work_until(lambda: FinishedDelivery.objects.count() == 2)

    assert told(receiver.calls) == {"all": [0, 0, 0, 1]}
    assert list(FinishedDelivery.objects.order_by("sequence").values_list("state", flat=True)) == ["dead", "delivered"]


def test_per_subject_each_subject_has_an_order_of_its_own(subscribe: Subscribe, receiver: Receiver, settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [100]
    subscribe(mode="perSubject")

    async def fail_ann(call: Call, writer: Any) -> None:
        ann = json.loads(call.body)["data"]["subject"] == "ann"
        await answer(500 if ann else 204)(call, writer)

    receiver.on("/hook", fail_ann)
    happen_by_turns("ann", "ben", rounds=5)

    work_until(lambda: FinishedDelivery.objects.count() == 5)

    assert told(receiver.calls) == {"ann": [0], "ben": [0, 1, 2, 3, 4]}


def test_events_without_a_subject_are_not_in_each_others_way(subscribe: Subscribe):
    subscribe(mode="perSubject")
    happen_by_turns("", rounds=5)

    assert len(claim(register_worker())) == 5


def test_what_is_promised_while_the_one_before_is_under_way_waits(subscribe: Subscribe):
    subscribe(mode="ordered")
    happen_by_turns("ann", rounds=1)
    worker = register_worker()
    first = claim(worker)

    happen_by_turns("ann", rounds=1)
    beside = claim(worker)
    finish(worker, first)

    assert (sequences(first), sequences(beside), sequences(claim(worker))) == ([1], [], [2])


def test_a_webhook_that_becomes_ordered_waits_for_what_is_under_way(subscribe: Subscribe):
    webhook = subscribe(mode="parallel", max_concurrency=3)
    happen_by_turns("ann", rounds=5)
    worker = register_worker()
    claimed = claim(worker)

    change(webhook, mode="ordered")
    beside = claim(worker)
    acknowledge(worker, [outcome(claimed[0], delivered=False)])  # due again, and the first in order
    beside += claim(worker)
    finish(worker, claimed[1:])
    rest = []
    for _ in range(3):
        rest.append(sequences(now_due := claim(worker)))
        finish(worker, now_due)

    assert (sequences(claimed), beside, rest) == ([1, 2, 3], [], [[1], [4], [5]])


def test_a_webhook_that_keeps_an_order_no_longer_is_told_all_at_once(subscribe: Subscribe):
    webhook = subscribe(mode="ordered")
    happen_by_turns("ann", "ben", rounds=2)

    change(webhook, mode="perSubject")
    per_subject = sequences(claim(worker := register_worker()))
    change(webhook, mode="parallel")

    assert (per_subject, sequences(claim(worker))) == ([1, 2], [3, 4])


def test_a_dead_workers_call_is_over_before_the_next_begins(subscribe: Subscribe, settings: Any):
    settings.WEBHOOK_TIMEOUT_SECONDS = 15
    subscribe(mode="ordered")
    happen_by_turns("ann", rounds=2)
    dead, other = register_worker(), register_worker()
    claim(dead)

    taken_over = {}
    for silence in (11, 18, 28):
        Worker.objects.filter(pk=dead).update(heartbeat_at=timezone.now() - timedelta(seconds=silence))
        reap_dead_workers()
        taken_over[silence] = sequences(claim(other))

    assert taken_over == {11: [], 18: [], 28: [1]}
    assert not beat(dead)


def test_a_worker_that_comes_back_in_time_keeps_its_place_in_order(subscribe: Subscribe):
    subscribe(mode="ordered")
    happen_by_turns("ann", rounds=2)
    worker = register_worker()
    first = claim(worker)
    Worker.objects.filter(pk=worker).update(heartbeat_at=timezone.now() - timedelta(seconds=12))

    reap_dead_workers()
    back = beat(worker)
    finish(worker, first)

    assert back
    assert sequences(claim(worker)) == [2]


def test_a_call_that_was_broken_off_by_a_stop_is_over_before_the_next_begins(subscribe: Subscribe):
    subscribe(mode="ordered")
    happen_by_turns("ann", rounds=2)
    stopping, other = register_worker(), register_worker()
    under_way = claim(stopping)

    release_leases(stopping, {each.id for each in under_way})
    reap_dead_workers()

    assert claim(other) == []


@pytest.mark.parametrize("flaw", ["silence", "another id"])
def test_a_worker_that_can_not_be_sure_of_its_claim_begins_no_call(flaw: str, subscribe: Subscribe, receiver: Receiver):
    subscribe(mode="ordered")
    happen_by_turns("ann", rounds=1)
    (claimed,) = claim(worker := register_worker())
    pulse = Pulse()
    pulse.felt(worker if flaw == "silence" else register_worker(), pulse.now() - (11 if flaw == "silence" else 0))

    async def deliver() -> Outcome | None:
        courier = Courier(pulse)
        try:
            return await courier.deliver(claimed)
        finally:
            await courier.close()

    assert asyncio.run(deliver()) is None
    assert receiver.calls == []


def test_a_redelivery_comes_in_its_turn(subscribe: Subscribe, key: Callable[..., Api]):
    subscribe(mode="ordered")
    happen_by_turns("ann", rounds=2)
    worker = register_worker()
    finish(worker, claim(worker))

    key("webhooks:write").post(f"/deliveries/{FinishedDelivery.objects.get().pk}/redeliver")
    beside = []
    for _ in range(2):
        beside.append(sequences(now_due := claim(worker)))
        finish(worker, now_due)

    assert beside == [[2], [3]]


def test_a_claim_looks_at_few_with_100_000_waiting_behind_one_subject_that_fails(subscribe: Subscribe):
    subscribe(mode="perSubject")
    happen_by_turns("ann", "ben", rounds=1)
    _promise_behind("ann", 100_000)
    worker = register_worker()
    ann, ben = claim(worker)
    acknowledge(worker, [outcome(ann, delivered=False)])
    Delivery.objects.filter(pk=ann.id).update(due_at=timezone.now() + timedelta(hours=1))

    claimed = [ben]

    def go_on() -> None:
        finish(worker, claimed)
        happen_by_turns("ann", "ben", rounds=1)
        claimed[:] = claim(worker)

    for sequence in (100_004, 100_006, 100_008):
        assert effort_of(go_on) < 10_000
        assert sequences(claimed) == [sequence]


def _promise_behind(subject: str, count: int) -> None:
    """So many deliveries wait in the lane of a subject, all of one event."""
    new_id = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    with connection.cursor() as cursor:
        cursor.execute(BEHIND.format(new_id=new_id), [count, subject])
        cursor.execute("ANALYZE events_delivery")
    Subscriber.objects.update(sequence=2 + count)
