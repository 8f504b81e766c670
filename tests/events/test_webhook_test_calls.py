"""An admin tries a webhook out: with an example that says so, or with a look at the URL alone."""

import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from authpages.models import Throttle
from events.catalog import CATALOG
from events.models import Attempt, Delivery, Event, Subscriber, Trial, Webhook
from events.services import url_checks
from events.services.leases import register_worker
from events.services.outcomes import Outcome
from events.services.trials import claim_trials, finish_trial, forget_trials
from events.services.url_checks import check_endpoint
from events.services.webhooks import delete_webhook
from fastgen_backend.errors import TooManyRequests
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api
from tests.events.conftest import work_until
from tests.processes import PATIENCE
from tests.receivers import Receiver, answer, reset

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write", "events:read")


def _is_over() -> bool:
    return Trial.objects.filter(delivered__isnull=False).exists()


def _test(caller: Api, webhook: Webhook, body: Any = None) -> Any:
    return caller.post(f"/webhooks/{webhook.pk}/test", body)


def test_it_is_verified_like_any_call_and_says_that_it_is_a_test(caller: Api, receiver: Receiver):
    created = caller.post("/webhooks", {"url": receiver.url + "/hook", "events": ["*"]}).json()

    asked = caller.post(f"/webhooks/{created['id']}/test")
    work_until(_is_over)

    [call] = receiver.at("/hook")
    Verifier(created["secret"]).verify(call.body, call.headers)
    told = json.loads(call.body)
    assert asked.status_code == 202
    assert (told["type"], told["test"], told["position"]) == ("auth.user_signedUp", True, None)
    assert told["id"] == call.headers["webhook-id"] == asked.json()["eventId"]
    assert told["data"] == CATALOG["auth.user_signedUp", ""].example


def test_the_answer_is_read_like_that_of_a_delivery(caller: Api, subscribe: Subscribe, receiver: Receiver):
    receiver.on("/hook", answer(418, b"a teapot"))
    asked = _test(caller, subscribe("/hook", "custom.*")).json()

    work_until(_is_over)

    read = caller.get(f"/deliveries/{asked['id']}").json()
    [attempt] = read["attempts"]
    assert (asked["state"], asked["test"], asked["attempts"]) == ("pending", True, [])
    assert (read["state"], read["test"], read["sequence"], read["nextAttemptAt"]) == ("dead", True, None, None)
    assert (attempt["status"], attempt["error"], attempt["responseBody"]) == (418, "Answered 418", "a teapot")
    assert (read["request"]["body"]["type"], read["request"]["body"]["test"]) == ("custom.example", True)


def test_it_is_in_no_log_and_no_sequence_and_harms_no_health(caller: Api, subscribe: Subscribe, receiver: Receiver):
    receiver.on("/hook", answer(410))
    webhook = subscribe("/hook", "custom.*")
    _test(caller, webhook)

    work_until(_is_over)

    read = caller.get(f"/webhooks/{webhook.pk}").json()
    assert (read["status"], Subscriber.objects.get().sequence) == ("healthy", 0)
    assert caller.get(f"/webhooks/{webhook.pk}/deliveries").json()["items"] == []
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


def test_a_disabled_webhook_can_be_tried_before_it_is_enabled(caller: Api, subscribe: Subscribe, receiver: Receiver):
    webhook = subscribe("/hook", "custom.*")
    caller.patch(f"/webhooks/{webhook.pk}", {"enabled": False})

    _test(caller, webhook)
    work_until(_is_over)

    assert len(receiver.at("/hook")) == 1


@pytest.mark.parametrize(
    ("filters", "event", "type"),
    [
        (["auth.*"], "auth.password_reset:completed", "auth.password_reset"),
        (["api.*"], "api.dataRow_deleted", "api.dataRow_deleted"),
        (["custom.orders.*"], "", "custom.orders.example"),
        (["custom.order_placed"], "custom.*", "custom.order_placed"),
        (["*"], "custom.order_placed", "custom.order_placed"),
    ],
)
def test_the_example_is_of_an_event_that_is_wanted(
    caller: Api, subscribe: Subscribe, filters: list[str], event: str, type: str
):
    asked = _test(caller, subscribe("/hook", *filters), {"event": event} if event else None)

    assert asked.json()["eventType"] == type


@pytest.mark.parametrize("event", ["api.*", "no such filter"])
def test_an_example_of_what_it_does_not_subscribe_to_is_refused(caller: Api, subscribe: Subscribe, event: str):
    refusal = _test(caller, subscribe("/hook", "auth.*"), {"event": event})

    assert refusal.status_code == 400
    assert [error["pointer"] for error in refusal.json()["errors"]] == ["/event"]


def test_examples_of_secrets_are_masked_where_secrets_are(caller: Api, subscribe: Subscribe, receiver: Receiver):
    wanted = "auth.email_verificationRequested"
    for path, secrets in (("/trusted", True), ("/other", False)):
        _test(caller, subscribe(path, wanted, secrets=secrets))

    work_until(lambda: Trial.objects.filter(delivered__isnull=False).count() == 2)

    tokens = [json.loads(receiver.at(path)[0].body)["data"]["token"] for path in ("/trusted", "/other")]
    assert tokens == [CATALOG[wanted, ""].example["token"], "•••"]


def test_one_at_which_the_worker_fails_is_over_as_well(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_asked: Any) -> None:
        raise ArithmeticError("with a s3cret")

    monkeypatch.setattr("events.trial_calls.send", fail)
    asked = _test(caller, subscribe()).json()

    work_until(_is_over)

    read = caller.get(f"/deliveries/{asked['id']}").json()
    assert (read["state"], read["attempts"][0]["error"]) == ("dead", "ArithmeticError in the worker")


def test_private_targets_are_not_called(caller: Api, subscribe: Subscribe, receiver: Receiver, settings: Any):
    asked = _test(caller, subscribe("/hook", "custom.*")).json()
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    work_until(_is_over)

    [attempt] = caller.get(f"/deliveries/{asked['id']}").json()["attempts"]
    assert (attempt["status"], attempt["error"]) == (None, "Refused: the host is not on the public internet")
    assert receiver.calls == []


def test_a_webhook_is_tried_ten_times_a_minute(caller: Api, subscribe: Subscribe):
    webhook, other = subscribe("/hook", "custom.*"), subscribe("/other", "custom.*")

    answers = [_test(caller, webhook) for _ in range(11)]

    assert [each.status_code for each in answers] == [202] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert _test(caller, other).status_code == 202
    Trial.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert _test(caller, webhook).status_code == 202


def test_one_that_ends_while_its_webhook_is_deleted_leaves_nothing(
    caller: Api, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
):
    webhook = subscribe()
    _test(caller, webhook)
    [claim] = claim_trials(register_worker(), 1)
    delete = Subscriber.delete

    def end() -> None:
        finish_trial(Outcome(claim, timezone.now(), 1, delivered=True, status=200))
        connection.close()

    ending = threading.Thread(target=end)

    def delete_late(subscriber: Subscriber) -> Any:
        ending.start()
        ending.join(0.3)
        return delete(subscriber)

    monkeypatch.setattr(Subscriber, "delete", delete_late)

    delete_webhook(webhook_id=webhook.pk)
    ending.join()

    assert not Attempt.objects.exists()


def test_a_test_that_a_dead_worker_had_in_hand_is_made_by_another(caller: Api, subscribe: Subscribe):
    _test(caller, subscribe("/hook", "custom.*"))
    claim_trials(uuid4(), 10)

    work_until(_is_over)

    assert Trial.objects.get().delivered


def test_who_only_reads_webhooks_sends_nothing(key: Callable[..., Api], subscribe: Subscribe):
    refusal = _test(key("webhooks:read", "events:write"), subscribe("/hook", "custom.*"))

    assert refusal.status_code == 403
    assert not Trial.objects.exists()


def test_tests_are_forgotten_after_a_day_or_with_their_webhook(caller: Api, subscribe: Subscribe):
    one, other = subscribe("/one", "custom.*"), subscribe("/other", "custom.*")
    for webhook in (one, other):
        _test(caller, webhook)
    work_until(lambda: Attempt.objects.count() == 2)
    Trial.objects.filter(webhook=one).update(created_at=timezone.now() - timedelta(days=1, minutes=1))

    forget_trials()
    caller.delete(f"/webhooks/{other.pk}")

    assert (Trial.objects.count(), Attempt.objects.count()) == (0, 0)


def _check(url: str) -> url_checks.UrlCheck:
    return check_endpoint(url=url, origin=COMMAND_LINE)


def test_a_url_that_answers_is_good_whatever_it_says_to_other_methods(receiver: Receiver):
    checks = [_check(receiver.on("/hook", answer(status))) for status in (204, 404, 405)]

    assert {check.verdict for check in checks} == {"good"}
    assert [call.body for call in receiver.calls] == [b""] * 3


def test_what_is_wrong_with_a_url_is_said_in_words(receiver: Receiver, no_name_servers: None, settings: Any):
    urls = {
        receiver.on("/moved", answer(308, location="https://elsewhere.example/")): "https://elsewhere.example/",
        receiver.on("/broken", answer(503)): "503",
        receiver.on("/reset", reset): "not HTTP",
        "http://127.0.0.1:1/": "is the server up",
        "http://no-such-host.invalid/": "can’t be resolved",
        "ftp://files.example/": "https://",
    }

    checks = {url: _check(url) for url in urls}

    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False
    assert [url for url, words in urls.items() if words not in checks[url].words] == []
    assert "good" not in {check.verdict for check in checks.values()}
    assert "public internet" in _check(receiver.url).words


def test_a_name_whose_look_up_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, looked_up: threading.Event):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: looked_up.wait(PATIENCE) and [])
    monkeypatch.setattr(url_checks, "TIMEOUT_SECONDS", 0.1)
    start = time.monotonic()

    words = _check("https://hanging.example.com/").words

    took = time.monotonic() - start
    assert "Nobody answers" in words
    assert took < 100


def test_urls_are_looked_at_so_often_and_no_oftener(monkeypatch: pytest.MonkeyPatch, receiver: Receiver):
    monkeypatch.setattr(url_checks, "CHECKS_PER_HOUR", 1)
    _check(receiver.url)

    with pytest.raises(TooManyRequests):
        _check(receiver.url)

    assert len(receiver.calls) == 1
    assert Throttle.objects.count() == 1
