"""Events of the log are told to a webhook once more: counted first, portion by portion, none left out, none twice."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from events.models import Delivery, Event, FinishedDelivery, Replay, Webhook
from events.services import replaying
from events.services.replaying import advance_replays
from events.services.sequencing import sequence_events
from events.services.webhooks import create_webhook
from fastgen_backend.ids import lowest_uuid7
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api, together
from tests.events.conftest import work_until
from tests.events.replaying import count, happened, promise_all, promised_events, start, told_events
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_what_happened_before_a_webhook_is_sent_to_it_in_order(
    caller: Api, subscribe: Subscribe, receiver: Receiver
) -> None:
    events = happened("custom.a", "custom.b", "custom.c")
    webhook = subscribe("/hook", "custom.*", max_concurrency=1)

    started = start(caller, webhook)
    work_until(lambda: FinishedDelivery.objects.count() == 3)

    read = caller.get(f"/replays/{started.json()['id']}").json()
    assert started.status_code == 202
    assert [call.headers["webhook-id"] for call in receiver.at("/hook")] == [event.public_id for event in events]
    assert [json.loads(call.body)["position"] for call in receiver.at("/hook")] == [1, 2, 3]
    assert (read["state"], read["total"], read["promised"]) == ("done", 3, 3)
    assert (read["firstPosition"], read["lastPosition"]) == (1, 3)
    assert read["finishedAt"] > read["createdAt"]


def test_the_count_says_what_a_replay_will_send(caller: Api, subscribe: Subscribe) -> None:
    first, second, third, _fourth = happened("custom.a", "custom.b", "custom.a", "custom.b")
    webhook = subscribe("/hook", "custom.*")

    counts = [
        count(caller, webhook, query)["total"]
        for query in (
            "",
            "?events=custom.a",
            f"?from={second.public_id}",
            f"?from={second.public_id}&to={third.public_id}",
            f"?to={first.public_id}&events=custom.b",
            "?from=0001-01-02T00:00:00Z&to=2002-01-01T00:00:00Z",
            "?from=9999-12-31T23:59:59Z",
            "?to=9999-12-31T23:59:59.999999Z",
        )
    ]

    assert counts == [4, 2, 3, 2, 0, 0, 0, 4]
    assert not Replay.objects.exists()


def test_a_range_that_ends_before_it_begins_is_refused(caller: Api, subscribe: Subscribe):
    first, second = happened("custom.a", "custom.b")
    webhook = subscribe("/hook", "custom.*")

    answers = [
        caller.get(f"/webhooks/{webhook.pk}/replay?{query}")
        for query in (
            "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            f"from={second.public_id}&to={first.public_id}",
            f"from={first.public_id}&to=2002-01-01T00:00:00Z",
        )
    ]

    assert [(each.status_code, each.json()["errors"][0]["pointer"]) for each in answers] == [(400, "/to")] * 3
    assert count(caller, webhook, f"?from={first.public_id}&to={first.public_id}")["total"] == 1


def test_a_range_is_bounded_by_times_as_well(caller: Api, subscribe: Subscribe):
    first, second, third = (happened("custom.a")[0].created_at for _ in range(3))
    webhook = subscribe("/hook", "custom.*")
    early, late = (_written(one + (other - one) / 2) for one, other in ((first, second), (second, third)))

    queries = (f"from={early}", f"to={early}", f"to={late}", f"from={early}&to={late}")

    assert [count(caller, webhook, f"?{query}")["total"] for query in queries] == [2, 1, 2, 1]


def test_events_that_were_made_at_once_are_within_a_time_whatever_their_order(caller: Api, subscribe: Subscribe):
    webhook, made = subscribe("/hook", "custom.*"), timezone.now()
    for event, millis in zip(happened("custom.a", "custom.b"), (2, 1), strict=True):
        Event.objects.filter(pk=event.pk).update(uid=lowest_uuid7(made + timedelta(milliseconds=millis)))

    queries = (f"?from={_written(made)}", f"?to={_written(made + timedelta(seconds=1))}")

    assert [count(caller, webhook, query)["total"] for query in queries] == [2, 2]


def test_a_webhook_gets_nothing_that_it_does_not_subscribe_to(caller: Api, subscribe: Subscribe) -> None:
    wanted, _other = happened("custom.a", "custom.b")
    webhook = subscribe("/hook", "custom.a")

    start(caller, webhook, events=["*"])
    promise_all()

    assert told_events() == [wanted.pk]


def test_tokens_and_links_are_null(caller: Api, receiver: Receiver, api: Api) -> None:
    api.sign_up()
    while sequence_events():
        pass
    webhook = create_webhook(
        url=receiver.url + "/hook",
        filters=["auth.email_verificationRequested"],
        origin=COMMAND_LINE,
        may_see_secrets=True,
    ).webhook

    start(caller, webhook)
    work_until(FinishedDelivery.objects.exists)

    data = json.loads(receiver.at("/hook")[0].body)["data"]
    assert (data["token"], data["link"]) == (None, None)


def test_a_webhook_has_one_replay_at_a_time(caller: Api, subscribe: Subscribe) -> None:
    happened("custom.a")
    webhook = subscribe("/hook", "custom.*")

    answers = together(lambda _: start(caller, webhook), 4)

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "replay-under-way"}


def test_nothing_to_replay_is_told_so(caller: Api, subscribe: Subscribe) -> None:
    refusal = start(caller, subscribe("/hook", "custom.*"))

    assert (refusal.status_code, refusal.json()["code"]) == (409, "nothing-to-replay")


def test_a_disabled_webhook_is_replayed_nothing(caller: Api, subscribe: Subscribe) -> None:
    happened("custom.a")
    webhook = subscribe("/hook", "custom.*")
    caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})

    refusal = start(caller, webhook)

    assert (refusal.status_code, refusal.json()["code"]) == (409, "webhook-disabled")


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"kind": "range"}, "/from"),
        ({"kind": "range", "events": ["*"], "ratePerSecond": 1}, "/from"),
        ({"from": "yesterday"}, "/from"),
        ({"to": "evt_" + "0" * 32}, "/to"),
        ({"events": ["no such filter"]}, "/events"),
        ({"ratePerSecond": 0}, "/ratePerSecond"),
        ({"kind": "everything"}, "/kind"),
        ({"kind": "missed", "from": "2026-01-01T00:00:00Z"}, "/from"),
        ({"kind": "deadLetters", "events": ["custom.*"]}, "/events"),
    ],
)
def test_what_can_not_be_replayed_is_named(caller: Api, subscribe: Subscribe, wanted: Any, pointer: str) -> None:
    happened("custom.a")
    refusal = start(caller, subscribe("/hook", "custom.*"), **wanted)

    assert refusal.status_code == 400
    assert [error["pointer"] for error in refusal.json()["errors"]] == [pointer]


def test_a_range_whose_beginning_is_no_longer_kept_says_so(caller: Api, subscribe: Subscribe) -> None:
    first, second, _third = happened("custom.a", "custom.a", "custom.a")
    webhook = subscribe("/hook", "custom.*")
    whole = count(caller, webhook)
    first.delete()

    counts = [count(caller, webhook, query) for query in ("", f"?from={second.public_id}")]

    assert whole == {"total": 3, "incomplete": False}
    assert counts == [{"total": 2, "incomplete": True}, {"total": 2, "incomplete": False}]


def test_a_paused_replay_goes_on_where_it_was(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "OUTSTANDING_MAX", 2)
    events = happened(*["custom.a"] * 5)
    started = start(caller, subscribe("/hook", "custom.*")).json()
    advance_replays()

    paused = caller.post(f"/replays/{started['id']}/pause").json()
    Delivery.objects.update(tries=1)
    went_on = advance_replays()
    resumed = caller.post(f"/replays/{started['id']}/resume").json()
    promise_all()

    assert (paused["state"], paused["promised"], went_on, resumed["state"]) == ("paused", 2, False, "running")
    assert told_events() == [event.pk for event in events]
    assert Replay.objects.get().state == "done"


def test_a_cancelled_replay_is_over(caller: Api, subscribe: Subscribe) -> None:
    happened("custom.a")
    webhook = subscribe("/hook", "custom.*")
    path = f"/replays/{start(caller, webhook).json()['id']}"

    cancelled = caller.post(f"{path}/cancel").json()
    went_on = advance_replays()

    refusals = [caller.post(f"{path}/{action}").json()["code"] for action in ("pause", "resume")]
    assert (cancelled["state"], went_on, refusals) == ("cancelled", False, ["replay-over"] * 2)
    assert start(caller, webhook).status_code == 202


def test_what_waits_to_be_sent_holds_up_the_rest(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "OUTSTANDING_MAX", 3)
    happened(*["custom.a"] * 5)
    start(caller, subscribe("/hook", "custom.*"))

    for _ in range(3):
        advance_replays()

    assert (len(promised_events()), Replay.objects.get().promised) == (3, 3)


def test_a_rate_spreads_the_promises(caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch) -> None:
    happened(*["custom.a"] * 5)
    start(caller, subscribe("/hook", "custom.*"), ratePerSecond=2)
    began = Replay.objects.get().due_at
    monkeypatch.setattr(replaying, "timezone", SimpleNamespace(now=lambda: began))

    for _ in range(3):
        advance_replays()

    replay = Replay.objects.get()
    assert replay.promised == 2
    assert replay.due_at == began + timedelta(seconds=1)


def test_many_positions_without_a_wanted_event_are_walked_through(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "LOOKED_AT_ONCE", 2)
    *_, last = happened(*["custom.a"] * 7, "custom.b")
    start(caller, subscribe("/hook", "custom.b"))

    advance_replays()
    early = promised_events()
    promise_all()

    assert (early, told_events(), Replay.objects.get().state) == ([], [last.pk], "done")


def test_a_list_of_replays_begins_with_the_newest(caller: Api, subscribe: Subscribe) -> None:
    happened("custom.a")
    webhook, other = subscribe("/hook", "custom.*"), subscribe("/other", "custom.*")
    start(caller, other)
    ids = []
    for _ in range(3):
        ids.append(start(caller, webhook).json()["id"])
        caller.post(f"/replays/{ids[-1]}/cancel")

    first = caller.get(f"/webhooks/{webhook.pk}/replays?limit=2").json()
    second = caller.get(f"/webhooks/{webhook.pk}/replays?cursor={first['nextCursor']}").json()

    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]


def test_who_only_reads_webhooks_counts_but_replays_nothing(key: Callable[..., Api], subscribe: Subscribe) -> None:
    happened("custom.a")
    webhook = subscribe("/hook", "custom.*")
    reader = key("webhooks:read")

    answers = [reader.get(f"/webhooks/{webhook.pk}/replay"), start(reader, webhook)]

    assert [answer.status_code for answer in answers] == [200, 403]


def test_a_deleted_webhook_takes_its_replays_with_it(caller: Api, subscribe: Subscribe) -> None:
    happened("custom.a")
    webhook = subscribe("/hook", "custom.*")
    started = start(caller, webhook).json()
    advance_replays()

    deleted = caller.delete(f"/webhooks/{webhook.pk}")

    assert deleted.status_code == 204
    assert caller.get(f"/replays/{started['id']}").status_code == 404
