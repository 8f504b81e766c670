"""A webhook with a rate: its calls begin at even distances, whichever workers make them."""

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from events.models import FinishedDelivery, Subscriber, Webhook
from events.services.claims import claim_deliveries
from events.services.leases import register_worker
from events.services.sequencing import sequence_events
from tests.conftest import together
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


def happen_often(count: int) -> None:
    for _ in range(count):
        happen()
    sequence_events()


def test_calls_begin_at_even_distances(subscribe: Subscribe, receiver: Receiver):
    subscribe(rate_per_second=10)
    happen_often(16)
    start = time.monotonic()

    assert work_until(lambda: FinishedDelivery.objects.count() == 16)

    moments = sorted(call.at for call in receiver.at("/hook"))
    assert len(moments) == 16
    assert all(at - start >= number * 0.1 - 0.05 for number, at in enumerate(moments))  # none before its moment


def test_all_workers_together_keep_to_it(subscribe: Subscribe):
    subscribe(rate_per_second=5, max_concurrency=50)
    happen_often(50)

    claims = together(lambda _number: claim_deliveries(worker=register_worker(), room=50, handlers=[]).claims)

    moments = sorted(claim.begin_at for each in claims for claim in each)
    assert len(moments) >= 6  # now and in each fifth of the next second
    assert all(later - earlier >= timedelta(seconds=0.2) for earlier, later in pairwise(moments))


def test_what_is_left_of_it_is_not_saved_up(subscribe: Subscribe):
    subscribe(rate_per_second=5)
    happen_often(50)
    Subscriber.objects.update(paced_until=timezone.now() - timedelta(hours=1))

    claimed = claim_deliveries(worker=register_worker(), room=50, handlers=[]).claims

    assert len(claimed) == 6


def test_others_are_not_slowed_down(subscribe: Subscribe, receiver: Receiver):
    subscribe("/slow", rate_per_second=1)
    subscribe("/quick")
    happen_often(20)

    work_until(lambda: len(receiver.at("/quick")) == 20)

    assert len(receiver.at("/quick")) == 20
    assert len(receiver.at("/slow")) < 20
