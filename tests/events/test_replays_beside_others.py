"""Replays beside workers, sequencers and new events: none is left out, none is told twice, and order is kept."""

from collections.abc import Callable

import pytest
from django.db.models import F

from events.models import Delivery, Event, FinishedDelivery, LogHead, Outage, Webhook
from events.services import replay_ranges, replaying, replays
from events.services.replay_ranges import Extent, Wanted, measure
from events.services.replaying import advance_replays
from events.services.sequencing import sequence_events
from tests.conftest import Api, together
from tests.events.conftest import happen, work_until
from tests.events.replaying import count, happened, promise_all, promised_events, start, told_events
from tests.receivers import Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


def test_workers_beside_each_other_promise_everything_once(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "LOOKED_AT_ONCE", 3)
    events = happened(*["custom.a"] * 40)
    webhook = subscribe("/hook", "custom.*")
    start(caller, webhook)
    new: list[Event] = []

    def work(number: int) -> None:
        if number == 0:
            new.extend(happened(*["custom.b"] * 5))
        while advance_replays():
            pass

    together(work, 4)

    promised = promised_events()
    webhook.subscriber.refresh_from_db()
    sequences = list(Delivery.objects.order_by("sequence").values_list("sequence", flat=True))
    assert [pk for pk in promised if pk not in {event.pk for event in new}] == [event.pk for event in events]
    assert sorted(promised) == [event.pk for event in [*events, *new]]
    assert sequences == list(range(1, 46))
    assert webhook.subscriber.sequence == 45


def test_exactly_what_a_disabled_webhook_missed_is_replayed(caller: Api, subscribe: Subscribe):
    """It is switched off and on while events happen and are sequenced beside it."""
    webhook = subscribe("/hook", "custom.*")

    def work(number: int) -> None:
        if number == 0:
            for _ in range(60):
                happen()
        elif number == 1:
            for _ in range(3):
                caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})
                caller.post(f"/webhooks/{webhook.pk}/enable")
        while number > 1 and Event.objects.positioned().count() < 60:
            sequence_events()

    together(work, 4)
    told_before = promised_events()
    counted = count(caller, webhook, "?kind=missed")["total"]
    started = start(caller, webhook, kind="missed").status_code
    promise_all()

    assert started == (202 if counted else 409)
    assert len(told_before) + counted == 60
    assert sorted(told_events() or told_before) == list(Event.objects.order_by("pk").values_list("pk", flat=True))
    assert count(caller, webhook, "?kind=missed")["total"] == 0


def test_what_is_missed_while_it_is_counted_is_replayed_as_well(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = subscribe("/hook", "custom.*")
    caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})
    missed = happened("custom.a")

    def count_slowly(counted: Webhook, wanted: Wanted) -> Extent:
        extent = measure(counted, wanted)
        if len(missed) == 1:
            missed.extend(happened("custom.b"))
            caller.post(f"/webhooks/{webhook.pk}/enable")
        return extent

    monkeypatch.setattr(replays, "measure", count_slowly)
    started = start(caller, webhook, kind="missed").json()
    promise_all()

    assert started["total"] == 2
    assert told_events() == [event.pk for event in missed]


def test_what_a_cancelled_replay_has_left_of_what_was_missed_is_missed_still(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "OUTSTANDING_MAX", 2)
    webhook, missed = subscribe("/hook", "custom.*"), list[Event]()
    for number in (3, 2):
        caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})
        missed += happened(*["custom.a"] * number)
        caller.post(f"/webhooks/{webhook.pk}/enable")
    first = start(caller, webhook, kind="missed").json()
    advance_replays()
    caller.post(f"/replays/{first['id']}/cancel")

    again = start(caller, webhook, kind="missed").json()
    promise_all()

    assert (again["total"], again["firstPosition"]) == (3, 3)
    assert told_events() == [event.pk for event in missed]
    assert count(caller, webhook, "?kind=missed")["total"] == 0


def test_a_webhook_that_was_off_a_thousand_times_is_replayed_what_it_missed(caller: Api, subscribe: Subscribe):
    """Each time for one event, of which three are there; the second event was promised in between."""
    webhook, last = subscribe("/hook", "custom.*"), 2 * 1100 - 1
    missed = happened(*["custom.a"] * 4)
    told = missed.pop(1)
    for event, position in zip(missed, (1, 1001, last), strict=True):
        Event.objects.filter(pk=event.pk).update(position=10_000 + position)
    Event.objects.filter(position__gt=10_000).update(position=F("position") - 10_000)
    LogHead.objects.update(position=last)
    Delivery.objects.all().delete()
    Outage.objects.bulk_create(
        Outage(webhook=webhook, reason="A test.", after=after, until=after + 1) for after in range(0, last, 2)
    )

    counted = count(caller, webhook, "?kind=missed")["total"]
    started = start(caller, webhook, kind="missed").json()
    promise_all()

    assert Event.objects.get(pk=told.pk).position == 2
    assert (counted, started["total"], caller.get(f"/replays/{started['id']}").json()["state"]) == (3, 3, "done")
    assert told_events() == [event.pk for event in missed]


@pytest.mark.parametrize("is_on", [True, False])
def test_what_nobody_wants_any_more_is_missed_no_longer(caller: Api, subscribe: Subscribe, is_on: bool):
    webhook = subscribe("/hook", "custom.*")
    caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})
    happened(*["custom.a"] * 2)
    if is_on:
        caller.post(f"/webhooks/{webhook.pk}/enable")

    replays.forget_missed(webhook_id=webhook.pk)
    happened("custom.a")
    caller.post(f"/webhooks/{webhook.pk}/enable")

    assert count(caller, webhook, "?kind=missed")["total"] == (0 if is_on else 1)


@pytest.mark.parametrize(("most", "counted"), [(1, 1), (3, 3), (4, 4), (5, 5), (6, 5), (None, 5)])
def test_a_count_of_what_was_missed_goes_as_far_as_is_asked(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch, most: int | None, counted: int
):
    monkeypatch.setattr(replay_ranges, "OUTAGES_AT_ONCE", 1)
    webhook = subscribe("/hook", "custom.*")
    for number in (3, 2):
        caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})
        happened(*["custom.a"] * number)
        caller.post(f"/webhooks/{webhook.pk}/enable")

    assert replay_ranges.count_missed(webhook, most=most) == counted


def test_what_was_missed_in_a_week_arrives_once_it_is_enabled_while_new_events_come(
    caller: Api, subscribe: Subscribe, receiver: Receiver
) -> None:
    webhook = subscribe("/hook", "custom.*")
    caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})
    missed = happened(*["custom.a"] * 10)
    counted = count(caller, webhook, "?kind=missed")["total"]

    caller.post(f"/webhooks/{webhook.pk}/enable")
    new = [happen("custom.new")]
    start(caller, webhook, kind="missed")
    new.append(happen("custom.new"))
    work_until(lambda: FinishedDelivery.objects.count() == 12)

    told = [call.headers["webhook-id"] for call in receiver.at("/hook")]
    assert counted == 10
    assert sorted(told) == sorted(event.public_id for event in [*missed, *new])
    again = start(caller, webhook, kind="missed").json()
    assert (again["code"], again["detail"][:18]) == ("nothing-to-replay", "It missed no event")


def test_an_ordered_webhook_is_replayed_to_in_order_with_what_is_new_behind(
    caller: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replaying, "OUTSTANDING_MAX", 3)
    events = happened(*["custom.a"] * 8)
    wanted = {"url": receiver.url + "/hook", "events": ["custom.*"], "mode": "ordered"}
    webhook = Webhook.objects.get(pk=caller.post("/webhooks", wanted).json()["id"])
    receiver.on("/hook", answer(500), answer(204))
    start(caller, webhook)
    new = happen("custom.new")

    work_until(lambda: FinishedDelivery.objects.count() == 9)

    told = [call.headers["webhook-id"] for call in receiver.at("/hook")]
    first_sightings = list(dict.fromkeys(told))
    first_sightings.remove(new.public_id)
    assert first_sightings == [event.public_id for event in events]
    assert (len(told), told[0]) == (10, told[1])
    assert receiver.most_at_once["/hook"] == 1
