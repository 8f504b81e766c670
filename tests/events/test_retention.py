"""What the log forgets in time, what it keeps for good, and what a reader is told of what is gone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from events.models import Attempt, Delivery, Event, FinishedDelivery, LogHead, Replay, Subscriber, Webhook
from events.services import replay_ranges, replays, retention
from events.services.retention import forget_retired_secrets, forget_some, keep_log
from events.services.sequencing import sequence_events
from events.services.webhooks import rotate_secret
from fastgen_backend.ids import uuid7
from fastgen_backend.retention import BITE
from tests.conftest import Api, together
from tests.events.conftest import happen, work_until

pytestmark = pytest.mark.django_db
Subscribe = Callable[..., Any]
OLD = timedelta(days=366)
MANY = 3000


def _log(*names: str, days: float = 366) -> list[Event]:
    """So many events that happened some days ago, sequenced."""
    events = [happen(f"custom.{name}") for name in names]
    Event.objects.filter(pk__in=[each.pk for each in events]).update(created_at=timezone.now() - timedelta(days=days))
    sequence_events()
    return events


def _finish(delivery: Delivery, state: str, *, days: float) -> None:
    at = timezone.now() - timedelta(days=days)
    FinishedDelivery.objects.create(
        id=delivery.pk,
        subscriber=delivery.subscriber,
        event=delivery.event,
        sequence=delivery.sequence,
        state=state,
        finished_at=at,
    )
    Attempt.objects.create(delivery_id=delivery.pk, at=at, duration_ms=5)
    Delivery.objects.filter(pk=delivery.pk).delete()


def _positions() -> list[int | None]:
    return list(Event.objects.order_by("position").values_list("position", flat=True))


def test_events_go_after_a_year_from_the_oldest_on():
    _log("a", "b")
    _log("c", days=364)

    forget_some()

    assert _positions() == [3]


def test_the_newest_event_stays_so_that_who_has_read_all_can_go_on(key: Callable[..., Api]):
    *gone, newest = _log("a", "b", "c")

    forget_some()

    reader = key("events:read")
    assert _positions() == [3]
    assert reader.get(f"/events?after={newest.public_id}").json()["items"] == []
    for each in gone:
        answer = reader.get(f"/events?after={each.public_id}")
        assert (answer.status_code, answer.json()["code"]) == (410, "event-gone")
        assert newest.public_id in answer.json()["detail"]


def test_an_id_that_never_was_is_unknown_after_a_purge_too(key: Callable[..., Api]):
    _log("a", "b")
    forget_some()
    never_made = UUID(int=uuid7().int + (60_000 << 80))  # in a minute, as its first 48 bits tell

    answer = key("events:read").get(f"/events?after=evt_{never_made.hex}")

    assert (answer.status_code, answer.json()["code"]) == (400, "event-unknown")


def test_no_position_comes_twice():
    _log("a", "b")
    forget_some()

    _log("c", days=0)

    assert _positions() == [2, 3]


def test_an_event_that_has_still_to_be_delivered_stays_and_so_do_all_after_it(subscribe: Subscribe):
    _log("before")
    subscribe()
    _log("pending", "after", "newest")
    later = Delivery.objects.exclude(event__type="custom.pending")
    for delivery in later:
        _finish(delivery, "delivered", days=1)

    forget_some()

    assert _positions() == [2, 3, 4]


@pytest.mark.parametrize("state", ["running", "paused"])
def test_what_a_replay_has_still_to_promise_stays(subscribe: Subscribe, state: str):
    _log("a", "b", "c", "d", "newest")
    webhook = subscribe()
    replay = Replay.objects.create(webhook=webhook, kind="range", state=state, after=0, until=4, cursor=2, total=4)

    forget_some()
    left = _positions()
    Replay.objects.filter(pk=replay.pk).update(state="cancelled")
    forget_some()

    assert left == [3, 4, 5]
    assert _positions() == [5]


def test_a_dead_letter_that_is_replayed_stays_and_so_does_its_event(subscribe: Subscribe):
    webhook = subscribe()
    _log("a", "b", "newest")
    for delivery in Delivery.objects.order_by("sequence"):
        _finish(delivery, "dead", days=91)
    Replay.objects.create(webhook=webhook, kind="deadLetters", after=0, until=3, cursor=1, total=3)

    forget_some()

    assert [each.sequence for each in FinishedDelivery.objects.order_by("sequence")] == [2, 3]
    assert _positions() == [2, 3]


@pytest.mark.parametrize(("kind", "days"), [("range", 1), ("deadLetters", 1), ("deadLetters", 91)])
def test_a_replay_that_begins_just_before_the_locks_are_taken_loses_nothing(
    subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch, kind: str, days: int
):
    webhook = subscribe()
    _log("a", "b", "c", "d", "newest")
    for delivery in Delivery.objects.order_by("sequence"):
        _finish(delivery, "dead", days=days)

    def begin(finished: Any) -> None:
        monkeypatch.setattr(retention, "_hold_subscribers", hold)
        Replay.objects.create(webhook=webhook, kind=kind, after=0, until=5, cursor=2, total=5)
        hold(finished)

    hold = retention._hold_subscribers
    monkeypatch.setattr(retention, "_hold_subscribers", begin)
    forget_some()

    assert _positions() == [3, 4, 5]
    assert [each.sequence for each in FinishedDelivery.objects.order_by("sequence")] == [3, 4, 5]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite nobody writes meanwhile")
def test_nothing_of_the_log_is_forgotten_while_a_replay_begins():
    _log("a", "b", "newest")

    with transaction.atomic():
        oldest = keep_log()
        others = together(lambda _: forget_some(), 1)
        left = _positions()
    forget_some()

    assert (oldest, others, left) == (1, [False], [1, 2, 3])
    assert _positions() == [3]


def test_a_replay_counts_what_is_left_when_it_begins(
    subscribe: Subscribe, key: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
):
    _log("a", "b", "newest")
    webhook = subscribe()

    def measure(*given: Any) -> Any:
        monkeypatch.setattr(replays, "measure", replay_ranges.measure)
        extent = replay_ranges.measure(*given)
        forget_some()
        return extent

    monkeypatch.setattr(replays, "measure", measure)
    replay = key("webhooks:write").post(f"/webhooks/{webhook.pk}/replay", {"from": "1970-01-01T00:00:00Z"})

    assert replay.json()["total"] == 1


def test_what_is_not_sequenced_yet_stays():
    event = happen("custom.a")
    Event.objects.update(created_at=timezone.now() - OLD)

    forget_some()

    assert Event.objects.get() == event


def test_an_event_takes_along_what_was_finished_of_it(subscribe: Subscribe):
    subscribe()
    _log("a", "b")
    _finish(Delivery.objects.get(event__type="custom.a"), "dead", days=1)

    forget_some()

    assert (FinishedDelivery.objects.count(), Attempt.objects.count()) == (0, 0)


@pytest.mark.parametrize(("state", "days"), [("delivered", 30), ("dead", 90)])
def test_finished_deliveries_go_in_their_time_with_their_attempts(subscribe: Subscribe, state: str, days: int):
    subscribe()
    _log("a", "b", days=200)
    older, younger = Delivery.objects.order_by("sequence")
    _finish(older, state, days=days + 0.1)
    _finish(younger, state, days=days - 0.1)
    Attempt.objects.update(at=timezone.now())  # their own time is not what counts here

    forget_some()

    assert [each.pk for each in FinishedDelivery.objects.all()] == [younger.pk]
    assert [each.delivery_id for each in Attempt.objects.all()] == [younger.pk]
    assert len(_positions()) == 2


def test_attempts_go_after_a_month_those_of_dead_letters_too(subscribe: Subscribe):
    subscribe()
    _log("a", "b", days=50)
    for delivery, days in zip(Delivery.objects.order_by("sequence"), (31, 29), strict=True):
        _finish(delivery, "dead", days=days)

    forget_some()

    assert (FinishedDelivery.objects.count(), Attempt.objects.count()) == (2, 1)


def test_a_dedup_key_is_free_again_once_its_event_is_gone(key: Callable[..., Api]):
    writer = key("events:write")
    body = {"type": "custom.paid", "data": {}, "dedupKey": "order-7"}
    first = writer.post("/events", body).json()["id"]
    Event.objects.update(created_at=timezone.now() - OLD)
    _log("newest")
    forget_some()

    again = writer.post("/events", {**body, "data": {"other": True}})

    assert again.status_code == 201
    assert again.json()["id"] != first


def test_what_is_much_goes_in_bites(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("events.services.retention.BITE", 2)
    monkeypatch.setattr("fastgen_backend.retention.lock_some.__defaults__", (2,))
    _log("a", "b", "c", "newest")

    assert [forget_some(), forget_some(), forget_some()] == [True, False, False]
    assert _positions() == [4]


@pytest.mark.django_db(transaction=True)
def test_a_worker_forgets_by_itself():
    _log("a", "b", "newest")

    assert work_until(lambda: _positions() == [3])


def test_a_bite_of_a_long_log_looks_at_no_more_than_it_takes(subscribe: Subscribe):
    """A plan with a scan of a whole table would make each bite of a million rows as slow as the million."""
    webhook = subscribe()
    now = timezone.now()
    Event.objects.bulk_create(
        Event(type="custom.a", source="cli", data={}, position=number, created_at=now) for number in range(1, MANY + 1)
    )
    LogHead.objects.update_or_create(pk=1, defaults={"position": MANY})
    subscriber = Subscriber.objects.get(pk=webhook.pk)
    ids = Event.objects.order_by("position").values_list("pk", flat=True)
    FinishedDelivery.objects.bulk_create(
        FinishedDelivery(id=uuid7(), subscriber=subscriber, event_id=pk, sequence=place, state="delivered")
        for place, pk in enumerate(ids, start=1)
    )
    Attempt.objects.bulk_create(Attempt(delivery_id=uuid7(), at=now, duration_ms=1) for _ in range(MANY))
    then = now - timedelta(days=1)
    old = [
        FinishedDelivery.objects.filter(state="dead", finished_at__lt=then).order_by("finished_at"),
        Attempt.objects.filter(at__lt=then).order_by("at"),
        Event.objects.positioned().filter(position__lt=BITE).order_by("position"),
    ]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    plans = [rows[:BITE].explain() for rows in old]

    assert not any("SCAN" in plan or "Seq Scan" in plan or "TEMP B-TREE" in plan for plan in plans), plans


def test_a_webhook_forgets_the_secret_that_signs_no_more(subscribe: Subscribe):
    over, both = subscribe(), subscribe()
    for webhook in (over, both):
        rotate_secret(webhook_id=webhook.pk)
    Webhook.objects.filter(pk=over.pk).update(retired_until=timezone.now())

    assert forget_retired_secrets() == 1
    assert list(Webhook.objects.exclude(retired_secret=None)) == [both]


def test_the_days_are_settings(settings: Any):
    settings.EVENT_RETENTION_DAYS = 2
    _log("a", "newest", days=2.5)

    forget_some()

    assert _positions() == [2]


def test_the_defaults_are_the_promised_ones():
    days = {name: getattr(settings, f"{name}_RETENTION_DAYS") for name in ("EVENT", "ATTEMPT", "DEAD_LETTER")}

    assert days == {"EVENT": 365, "ATTEMPT": 30, "DEAD_LETTER": 90}
