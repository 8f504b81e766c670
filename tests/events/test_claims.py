"""Who may hold a delivery, how many at once, and what becomes of one whose worker is gone."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from events.models import Attempt, Delivery, FinishedDelivery, LogHead, Subscriber, Webhook, Worker
from events.services import acknowledgement
from events.services.acknowledgement import acknowledge
from events.services.claims import Claim, claim_deliveries, fair_shares
from events.services.leases import beat, reap_dead_workers, register_worker, release_leases, release_strays
from events.services.outcomes import Outcome
from events.services.sequencing import sequence_events
from events.services.webhooks import change_webhook
from fastgen_backend.ids import uuid7
from tests.events.conftest import happen
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture(autouse=True)
def head() -> None:
    LogHead.objects.create(pk=1)


def promise(count: int) -> None:
    for _ in range(count):
        happen()
    sequence_events()


def claim(worker: UUID, room: int = 100) -> list[Claim]:
    return claim_deliveries(worker=worker, room=room, handlers=[]).claims


def delivered(claim: Claim) -> Outcome:
    return Outcome(claim, timezone.now(), 5, delivered=True, status=204)


def fall_silent(worker: UUID) -> None:
    Worker.objects.filter(pk=worker).update(heartbeat_at=timezone.now() - timedelta(seconds=11))


def test_no_more_than_a_subscriber_allows_is_held_by_all_workers_together(subscribe: Subscribe):
    subscribe("/a", max_concurrency=3)
    promise(10)
    one, two = register_worker(), register_worker()

    counts = [len(claim(one, 2)), len(claim(two)), len(claim(one))]

    assert counts == [2, 1, 0]


def test_the_oldest_promises_are_claimed_first(subscribe: Subscribe):
    subscribe("/a", max_concurrency=3)
    promise(5)

    claimed = claim(register_worker())

    assert [each.sequence for each in claimed] == [1, 2, 3]


def test_the_room_is_shared_between_subscribers(subscribe: Subscribe):
    for path in ("/a", "/b", "/c"):
        subscribe(path)
    promise(10)

    claimed = claim(register_worker(), 9)

    assert sorted(Counter(each.subscriber_id for each in claimed).values()) == [3, 3, 3]


def test_what_is_not_yet_due_is_not_claimed(subscribe: Subscribe):
    subscribe()
    promise(1)
    Delivery.objects.update(due_at=timezone.now() + timedelta(seconds=5))

    assert claim(register_worker()) == []


def test_a_handler_is_claimed_only_by_workers_that_have_it():
    Subscriber.objects.create(kind="handler", handler="shop.events.on_order", filters=["*"])
    promise(1)
    worker = register_worker()

    others = claim_deliveries(worker=worker, room=10, handlers=["shop.events.on_other"]).claims
    ours = claim_deliveries(worker=worker, room=10, handlers=["shop.events.on_order"]).claims

    assert (len(others), len(ours)) == (0, 1)


def test_workers_beside_each_other_claim_nothing_twice(subscribe: Subscribe):
    for path in ("/a", "/b", "/c", "/d"):
        subscribe(path, max_concurrency=40)
    promise(40)
    start = threading.Barrier(4)

    def work() -> list[Claim]:
        try:
            worker = register_worker()
            start.wait()
            deadline, mine = time.monotonic() + PATIENCE, list[Claim]()
            while Delivery.objects.filter(worker=None).exists() and time.monotonic() < deadline:
                mine += claim(worker, 7)  # nothing, where the others are at all of them
            return mine
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        claimed = [each for future in [threads.submit(work) for _ in range(4)] for each in future.result()]

    assert len(claimed) == len({each.id for each in claimed}) == 160


def test_an_outcome_of_a_lost_lease_is_not_written(subscribe: Subscribe):
    subscribe()
    promise(1)
    lost, new = register_worker(), register_worker()
    (old_claim,) = claim(lost)
    fall_silent(lost)
    reap_dead_workers()
    (new_claim,) = claim(new)

    written = [acknowledge(lost, [delivered(old_claim)]), acknowledge(new, [delivered(new_claim)])]

    assert written == [0, 1]
    assert FinishedDelivery.objects.count() == Attempt.objects.count() == 1


def test_the_same_worker_may_not_acknowledge_under_an_older_fence(subscribe: Subscribe):
    subscribe()
    promise(1)
    worker = register_worker()
    (first,) = claim(worker)
    Delivery.objects.update(worker=None)
    (second,) = claim(worker)

    assert acknowledge(worker, [delivered(first)]) == 0
    assert acknowledge(worker, [delivered(second)]) == 1


def test_acknowledging_twice_writes_once(subscribe: Subscribe):
    subscribe()
    promise(2)
    worker = register_worker()
    outcomes = [delivered(each) for each in claim(worker)]

    assert [acknowledge(worker, outcomes), acknowledge(worker, outcomes)] == [2, 0]
    assert Attempt.objects.count() == 2


def test_outcomes_changes_and_promises_wait_for_each_other_in_one_order(subscribe: Subscribe):
    first, second = subscribe("/a", mode="ordered"), subscribe("/b")
    promise(1)
    worker = register_worker()
    outcomes = [delivered(each) for each in claim(worker)]
    others, is_over, done = list[threading.Thread](), threading.Event(), list[str]()
    locked = Subscriber.objects.select_for_update(no_key=True)

    def aside(name: str, call: Callable[[], Any]) -> None:
        def run() -> None:
            with transaction.atomic():
                call()
            done.append(name)
            connection.close()

        others.append(threading.Thread(target=run))
        others[-1].start()
        others[-1].join(0.2)

    with transaction.atomic():
        locked.get(pk=first.pk)  # as the sequencer does, one after the other
        aside("acknowledge", lambda: acknowledge(worker, outcomes))
        aside("claim", lambda: (locked.get(pk=second.pk), is_over.wait()))
        aside("change", lambda: change_webhook(webhook_id=second.pk, changes={"enabled": False}, may_see_secrets=True))
        threading.Timer(0.2, is_over.set).start()
        locked.get(pk=second.pk)
    for other in others:
        other.join()

    assert sorted(done) == ["acknowledge", "change", "claim"]


def test_a_webhook_that_begins_to_keep_an_order_is_locked_anew(subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch):
    subscribe(mode="ordered")
    promise(2)
    worker = register_worker()
    outcomes = [delivered(each) for each in claim(worker)]
    lock, locked_before = acknowledgement._lock_subscribers, [set[UUID]()]

    def lock_shared_at_first(*asked: Any) -> set[UUID]:
        return locked_before.pop() if locked_before else lock(*asked)

    monkeypatch.setattr(acknowledgement, "_lock_subscribers", lock_shared_at_first)

    assert acknowledge(worker, outcomes) == 1
    assert locked_before == []
    assert Attempt.objects.count() == 1
    assert Delivery.objects.get().blocked is False


def test_a_silent_worker_loses_its_leases_at_once_and_uses_no_retry(subscribe: Subscribe):
    subscribe()
    promise(1)
    worker = register_worker()
    claim(worker)
    fall_silent(worker)

    reaped = reap_dead_workers()

    delivery = Delivery.objects.get()
    assert reaped == 1
    assert (delivery.worker, delivery.tries) == (None, 0)
    assert delivery.due_at <= timezone.now()
    assert not beat(worker)


def test_a_worker_that_beats_keeps_its_leases(subscribe: Subscribe):
    subscribe()
    promise(1)
    worker = register_worker()
    claim(worker)
    fall_silent(worker)
    beat(worker)

    assert reap_dead_workers() == 0
    assert Delivery.objects.get().worker == worker


def test_a_lease_of_a_worker_that_never_was_is_taken_back(subscribe: Subscribe):
    subscribe()
    promise(1)
    Delivery.objects.update(worker=uuid7())

    assert reap_dead_workers() == 1


def test_a_worker_that_signs_off_lets_go_of_what_it_holds(subscribe: Subscribe):
    subscribe()
    promise(2)
    worker = register_worker()
    claim(worker)

    released = release_leases(worker)

    assert released == 2
    assert not Worker.objects.exists()
    assert not Delivery.objects.exclude(worker=None).exists()


def test_what_a_deleted_webhook_was_promised_is_forgotten(subscribe: Subscribe):
    webhook = subscribe()
    promise(1)
    worker = register_worker()
    claimed = claim(worker)
    webhook.subscriber.delete()

    assert acknowledge(worker, [delivered(each) for each in claimed]) == 0


@given(st.integers(0, 300), st.dictionaries(st.uuids(), st.integers(-2, 50), max_size=30))
def test_room_is_shared_fairly(room: int, wishes: dict[UUID, Any]):
    shares = fair_shares(room, wishes)

    wanted = {pk: wish for pk, wish in wishes.items() if wish > 0}
    unmet = [shares.get(pk, 0) for pk, wish in wanted.items() if shares.get(pk, 0) < wish]
    assert sum(shares.values()) == min(room, sum(wanted.values()))
    assert all(0 < share <= wanted[pk] for pk, share in shares.items())
    assert not unmet or max(shares.values(), default=0) - min(unmet) <= 1


def test_what_a_worker_holds_without_knowing_is_due_again(subscribe: Subscribe):
    subscribe("/a", max_concurrency=10)
    promise(4)
    worker = register_worker()
    known = claim(worker, room=2)
    claim(worker, room=2)  # as if the answer of this claim had been lost

    released = release_strays(worker, {each.id for each in known})

    assert released == 2
    assert set(Delivery.objects.filter(worker=worker).values_list("pk", flat=True)) == {each.id for each in known}
    assert len(claim(register_worker())) == 2
