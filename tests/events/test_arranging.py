"""The mode of a webhook is changed while much is pending: portion by portion, and nothing is sent out of order."""

import pytest

from events.models import Delivery, Webhook
from events.services import arranging
from events.services.acknowledgement import acknowledge
from events.services.arranging import arrange_some
from events.services.inspection import inspect
from events.services.leases import register_worker
from events.services.sequencing import sequence_events
from tests.conftest import together
from tests.events.conftest import happen_to, work_until
from tests.events.test_order import Subscribe, change, claim, finish, happen_by_turns, outcome, sequences, told
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
Mode = Webhook.Mode


@pytest.fixture(autouse=True)
def portions_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arranging, "PORTION", 2)


def free() -> list[int]:
    return list(Delivery.objects.filter(blocked=False).order_by("sequence").values_list("sequence", flat=True))


def arrange_all() -> None:
    while arrange_some():
        pass


def is_arranged() -> bool:
    return Webhook.objects.get().arranged_up_to is None


@pytest.mark.parametrize(
    ("before", "after", "in_the_end"),
    [
        (Mode.PARALLEL, Mode.ORDERED, [1]),
        (Mode.PARALLEL, Mode.PER_SUBJECT, [1, 2, 3, 6]),
        (Mode.ORDERED, Mode.PER_SUBJECT, [1, 2, 3, 6]),
        (Mode.PER_SUBJECT, Mode.ORDERED, [1]),
        (Mode.ORDERED, Mode.PARALLEL, [1, 2, 3, 4, 5, 6]),
        (Mode.PER_SUBJECT, Mode.PARALLEL, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_all_that_is_pending_is_put_into_the_new_order(
    before: str, after: str, in_the_end: list[int], subscribe: Subscribe
):
    webhook = subscribe(mode=before)
    happen_by_turns("ann", "ben", "", rounds=2)

    change(webhook, mode=after)
    at_once = is_arranged()
    arrange_all()

    assert (at_once, is_arranged(), free()) == (False, True, in_the_end)
    assert inspect(at_rest=True).flaws == []


def test_nothing_is_claimed_before_all_is_in_order(subscribe: Subscribe):
    webhook = subscribe(mode="parallel")
    happen_by_turns("ann", rounds=5)

    change(webhook, mode="ordered")
    claimed = [sequences(claim(worker := register_worker()))]
    while arrange_some() and not is_arranged():
        claimed.append(sequences(claim(worker)))

    assert claimed == [[], []]
    assert sequences(claim(worker)) == [1]


def test_who_wants_no_order_any_more_does_not_wait(subscribe: Subscribe):
    webhook = subscribe(mode="ordered")
    happen_by_turns("ann", rounds=5)

    change(webhook, mode="parallel")

    assert sequences(claim(register_worker())) == [1, 2]
    assert not is_arranged()


def test_what_is_promised_or_finished_meanwhile_is_in_order_as_well(subscribe: Subscribe):
    webhook = subscribe(mode="parallel", max_concurrency=3)
    happen_by_turns("ann", rounds=6)
    under_way = claim(worker := register_worker())

    change(webhook, mode="ordered")
    finish(worker, under_way[:1])
    happen_by_turns("ann", rounds=1)
    arrange_some()
    acknowledge(worker, [outcome(under_way[2], delivered=False)])
    happen_by_turns("ann", rounds=1)
    arrange_all()
    finish(worker, under_way[1:2])
    rest = []
    while now_due := claim(worker):
        rest.append(sequences(now_due))
        finish(worker, now_due)

    assert rest == [[3], [4], [5], [6], [7], [8]]
    assert inspect(at_rest=True).flaws == []


@pytest.mark.parametrize("second", [Mode.ORDERED, Mode.PARALLEL, Mode.PER_SUBJECT])
def test_a_second_change_meanwhile_begins_anew(second: Webhook.Mode, subscribe: Subscribe):
    webhook = subscribe(mode="ordered")
    happen_by_turns("ann", "ben", rounds=4)

    change(webhook, mode="perSubject" if second != Mode.PER_SUBJECT else "parallel")
    arrange_some()
    change(webhook, mode=second)
    arrange_all()

    assert free() == {Mode.ORDERED: [1], Mode.PARALLEL: list(range(1, 9)), Mode.PER_SUBJECT: [1, 2]}[second]


def test_whoever_dies_amid_a_portion_leaves_it_as_it_was(subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch):
    webhook = subscribe(mode="parallel")
    happen_by_turns("ann", rounds=5)
    change(webhook, mode="ordered")
    before = list(Delivery.objects.order_by("sequence").values("lane", "blocked"))

    with monkeypatch.context() as amid:
        amid.setattr(arranging, "free_heads", lambda lanes: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            arrange_some()

    assert list(Delivery.objects.order_by("sequence").values("lane", "blocked")) == before
    assert Webhook.objects.get().arranged_up_to == 2
    arrange_all()
    assert (free(), is_arranged()) == ([1], True)


def test_workers_beside_each_other_arrange_what_is_sequenced_beside_them(subscribe: Subscribe):
    webhook = subscribe(mode="parallel")
    happen_by_turns("ann", "ben", rounds=10)
    change(webhook, mode="perSubject")

    def work(number: int) -> None:
        if number == 0:
            for _ in range(10):
                happen_to("ann"), happen_to("ben")
                sequence_events()
        arrange_all()

    together(work, 3)

    assert (free(), is_arranged()) == ([1, 2], True)
    assert inspect(at_rest=True).flaws == []


def test_a_worker_sends_all_in_the_order_that_was_asked_for_last(subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe(mode="parallel")
    happen_by_turns("ann", "ben", rounds=5)
    change(webhook, mode="ordered")

    work_until(lambda: not Delivery.objects.exists())

    assert told(receiver.calls) == {"ann": list(range(5)), "ben": list(range(5))}
    assert receiver.most_at_once["/hook"] == 1
