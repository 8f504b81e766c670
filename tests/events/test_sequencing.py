"""The log: positions are dense and causal, every promise is made once, and readers miss nothing."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.filters import check_filter, matches
from events.models import Delivery, Event, LogHead, Subscriber
from events.services import sequencing
from events.services.sequencing import sequence_events
from fastgen_backend.errors import DomainError
from tests.events.conftest import happen
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, EACH = 16, 15


class Write(NamedTuple):
    """One transaction with one event, on the clock of this process."""

    pk: int
    began: float
    committed: float


def subscriber(*filters: str, **fields: Any) -> Subscriber:
    return Subscriber.objects.create(kind="webhook", filters=list(filters), **fields)


def sequence_all() -> None:
    while sequence_events():
        pass


def test_positions_are_dense_and_follow_the_order_of_ids():
    events = [happen() for _ in range(5)]

    sequenced = sequence_events()

    assert sequenced == 5
    assert list(Event.objects.order_by("id").values_list("pk", "position")) == [
        (event.pk, place) for place, event in enumerate(events, 1)
    ]


def test_the_first_sequencing_of_a_new_log_makes_its_head():
    happen()

    sequence_events()

    assert LogHead.objects.get().position == 1


def test_a_batch_is_no_larger_than_its_limit_and_goes_on_where_the_last_ended():
    for _ in range(5):
        happen()

    counts = [sequence_events(limit=2) for _ in range(4)]

    assert counts == [2, 2, 1, 0]
    assert all_positions() == [1, 2, 3, 4, 5]


def test_a_batch_ends_early_where_it_would_make_too_many_deliveries(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sequencing, "DELIVERIES_AT_ONCE", 5)
    for _ in range(2):
        subscriber("*")
    for _ in range(5):
        happen()

    counts = [sequence_events() for _ in range(3)]

    assert counts == [2, 2, 1]


def test_a_rolled_back_event_leaves_no_gap():
    happen()
    with transaction.atomic():
        happen()
        transaction.set_rollback(True)
    happen()

    sequence_all()

    assert list(Event.objects.order_by("id").values_list("position", flat=True)) == [1, 2]


def test_every_subscriber_has_a_dense_sequence_of_its_own():
    everything, orders = subscriber("*"), subscriber("custom.order")
    for name in ("custom.order", "custom.other", "custom.order"):
        happen(name)
        sequence_events()

    assert sequences(everything) == [(1, 1), (2, 2), (3, 3)]
    assert sequences(orders) == [(1, 1), (3, 2)]


def test_a_disabled_subscriber_is_promised_nothing():
    subscriber("*", enabled=False)
    happen()

    sequence_all()

    assert not Delivery.objects.exists()


def test_two_filters_that_match_promise_an_event_once():
    subscriber("*", "custom.*", "custom.order_placed")
    happen()

    sequence_all()

    assert Delivery.objects.count() == 1


def test_concurrent_writers_get_dense_and_causal_positions_and_a_reader_by_position_misses_none():
    """Rows become visible in another order than their ids; causes come before effects all the same."""
    stop = threading.Event()
    with ThreadPoolExecutor(WRITERS + 2) as threads:
        reading = threads.submit(in_thread, read_by_position, stop)
        sequencing_ = threads.submit(in_thread, sequence_until, stop)
        writing = [threads.submit(in_thread, write, random.Random(seed)) for seed in range(WRITERS)]  # noqa: S311 for pauses
        writes = [each for future in writing for each in future.result()]
        deadline = time.monotonic() + PATIENCE
        while Event.objects.filter(position=None).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        sequencing_.result()
        read = reading.result()

    positions = {event.pk: event.position or 0 for event in Event.objects.all()}
    assert sorted(positions.values()) == list(range(1, WRITERS * EACH + 1))
    assert read == list(range(1, WRITERS * EACH + 1))
    assert not [(a, b) for a in writes for b in writes if a.committed < b.began and positions[a.pk] > positions[b.pk]]


def test_sequencers_beside_each_other_give_no_position_twice():
    for _ in range(200):
        happen()
    subscriber("*")
    stop = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(in_thread, sequence_until, stop, 7) for _ in range(4)]
        deadline = time.monotonic() + PATIENCE
        while Event.objects.filter(position=None).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        stop.set()
        for each in running:
            each.result()

    assert all_positions() == list(range(1, 201))
    assert sequences(Subscriber.objects.get()) == [(place, place) for place in range(1, 201)]


class Model:
    """What sequencing promises, in a few lines of Python."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, str]] = []
        self.filters: dict[UUID, str] = {}
        self.promised: defaultdict[UUID, list[int]] = defaultdict(list)

    def sequence(self, limit: int) -> None:
        batch, self.waiting = self.waiting[:limit], self.waiting[limit:]
        for owner, text in self.filters.items():
            wanted = [pk for pk, name in batch if text in {"*", name} or (text == "custom.b.*" and "custom.b." in name)]
            self.promised[owner] += wanted


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sampled_from(["custom.a", "custom.b.c", "custom.b.d"])),
        st.tuples(st.just("roll back"), st.just("custom.a")),
        st.tuples(st.just("subscribe"), st.sampled_from(["*", "custom.a", "custom.b.*"])),
        st.tuples(st.just("sequence"), st.integers(1, 3)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_whatever_happens_in_whatever_order_the_promises_are_those_of_a_simple_model(operations: list[tuple[str, Any]]):
    for table in (Delivery, Subscriber, Event, LogHead):
        table.objects.all().delete()
    model = Model()

    for operation, argument in operations:
        if operation == "commit":
            model.waiting.append((happen(argument).pk, argument))
        elif operation == "roll back":
            with transaction.atomic():
                happen(argument)
                transaction.set_rollback(True)
        elif operation == "subscribe":
            model.filters[subscriber(argument).pk] = argument
        else:
            sequence_events(limit=argument)
            model.sequence(argument)

    for owner in model.filters:
        found = Delivery.objects.filter(subscriber=owner).order_by("sequence").values_list("sequence", "event")
        assert list(found) == list(enumerate(model.promised[owner], 1))


@pytest.mark.parametrize(
    ("text", "event_type", "stage", "wanted"),
    [
        ("*", "auth.x", "", True),
        ("auth.*", "auth.x", "", True),
        ("auth.*", "authority.x", "", False),
        ("auth.password_reset", "auth.password_reset", "requested", True),
        ("auth.password_reset:requested", "auth.password_reset", "requested", True),
        ("auth.password_reset:requested", "auth.password_reset", "completed", False),
        ("custom.x:requested", "custom.x", "", False),
        ("custom.a", "custom.a.b", "", False),
        ("custom.a.*", "custom.a.b.c", "", True),
    ],
)
def test_a_filter_matches(text: str, event_type: str, stage: str, wanted: bool):
    check_filter(text)

    assert matches([text], event_type, stage) == wanted


@pytest.mark.parametrize(
    "text", ["", "**", "*.*", "auth*", "auth.", ".x", "auth.x:", "auth.x:later", "a.b c", "a." + "b" * 200]
)
def test_what_could_never_match_is_refused_as_a_filter(text: str):
    with pytest.raises(DomainError):
        check_filter(text)


def all_positions() -> list[int]:
    return sorted(event.position or 0 for event in Event.objects.all())


def sequences(owner: Subscriber) -> list[tuple[int | None, int]]:
    """Position and sequence of what `owner` was promised."""
    return list(
        Delivery.objects.filter(subscriber=owner).order_by("sequence").values_list("event__position", "sequence")
    )


def in_thread(work: Callable[..., Any], *args: Any) -> Any:
    try:
        return work(*args)
    finally:
        connection.close()


def write(chance: random.Random) -> list[Write]:
    writes = []
    for _ in range(EACH):
        began = time.monotonic()
        with transaction.atomic():
            event = happen()
            time.sleep(chance.uniform(0, 0.02 if connection.vendor == "postgresql" else 0.001))
        writes.append(Write(event.pk, began, time.monotonic()))
    return writes


def sequence_until(stop: threading.Event, limit: int = 1000) -> None:
    while not stop.is_set():
        sequence_events(limit=limit)
        time.sleep(0.001)


def read_by_position(stop: threading.Event) -> list[int]:
    """Follow the log as a client does: always what is above the last position seen."""
    seen: list[int] = []
    ended = False
    while not ended:
        ended = stop.is_set()
        last = seen[-1] if seen else 0
        page = Event.objects.filter(position__gt=last).order_by("position")[:50]
        seen += [event.position or 0 for event in page]
        time.sleep(0.001)
    return seen
