"""Python functions that are told of events."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from authpages.models import Role
from events.catalog import EventType
from events.handlers import on_event, registered, sync_handlers
from events.models import Attempt, Delivery, Event, EventSecret, FinishedDelivery, Subscriber, Webhook
from events.services.recording import record_event
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import COMMAND_LINE
from tests.events.conftest import happen, work_until
from tests.processes import PATIENCE
from tests.receivers import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
PERSON = {
    "userId": "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02",
    "email": "a@example.com",
    "emailVerified": False,
    "roles": [],
}


def is_done() -> bool:
    return FinishedDelivery.objects.exists()


def is_tried() -> bool:
    return Attempt.objects.exists()


def role(name: str) -> Role:
    return Role.objects.create(name=name, name_key=name)


def request_reset(*, internal_only: bool = False, lasts: timedelta = timedelta(hours=1)) -> Event:
    expires_at = timezone.now() + lasts
    with transaction.atomic():
        return record_event(
            type=EventType.PASSWORD_RESET,
            stage="requested",
            data={**PERSON, "expiresAt": "2026-11-24T06:05:21.123Z"},
            origin=COMMAND_LINE,
            secret={
                "token": "secret-token",
                "link": "https://a.example/reset?token=secret-token",
                "expires_at": expires_at,
                "internal_only": internal_only,
            },
        )


def test_a_handler_is_told_the_envelope():
    told: list[dict[str, Any]] = []
    on_event("custom.*", atomic=False)(told.append)
    event = happen(sku="A1")

    work_until(is_done)

    assert [(each["id"], each["position"], each["data"]) for each in told] == [(event.public_id, 1, {"sku": "A1"})]


def test_a_handler_added_later_begins_with_what_happens_from_then_on():
    happen()
    work_until(lambda: Event.objects.positioned().exists())
    told: list[dict[str, Any]] = []
    on_event("custom.*", atomic=False)(told.append)
    work_until(Subscriber.objects.exists)
    second = happen()

    work_until(is_done)

    assert [each["id"] for each in told] == [second.public_id]


def test_a_stage_can_be_asked_for():
    told: list[dict[str, Any]] = []
    on_event("auth.password_reset:completed", atomic=False)(told.append)
    request_reset()
    record_event(type=EventType.PASSWORD_RESET, stage="completed", data=PERSON, origin=COMMAND_LINE)

    work_until(is_done)

    assert [each["stage"] for each in told] == ["completed"]


def test_the_effect_of_an_atomic_handler_commits_with_the_mark_that_it_was_told():
    @on_event("custom.*")
    def handler(event: dict[str, Any]) -> None:
        assert connection.in_atomic_block
        role("made")

    happen()

    work_until(is_done)

    assert Role.objects.count() == FinishedDelivery.objects.count() == 1
    assert not Delivery.objects.exists()


def test_the_effect_of_an_atomic_handler_that_fails_is_rolled_back_and_tried_again():
    times: list[int] = []

    @on_event("custom.*")
    def handler(event: dict[str, Any]) -> None:
        role(f"try-{len(times)}")
        times.append(1)
        if len(times) < 3:
            raise LookupError("not yet")

    happen()

    work_until(is_done)

    assert list(Role.objects.values_list("name", flat=True)) == ["try-2"]
    assert list(Attempt.objects.order_by("id").values_list("error", flat=True)) == ["LookupError: not yet"] * 2 + [""]


def test_a_handler_that_always_fails_leaves_a_dead_letter_and_an_event():
    @on_event("custom.*")
    def handler(event: dict[str, Any]) -> None:
        raise LookupError("never")

    happen()

    work_until(is_done)

    assert FinishedDelivery.objects.get().state == "dead"
    assert Event.objects.get(type="events.delivery_exhausted").data["lastError"] == "LookupError: never"


def test_an_atomic_handler_that_takes_more_than_two_seconds_is_rolled_back(settings: Any):
    settings.WEBHOOK_RETRY_SECONDS = [100]

    @on_event("custom.*")
    def handler(event: dict[str, Any]) -> None:
        role("slow")
        time.sleep(2.1)

    happen()

    work_until(is_tried)

    assert not Role.objects.exists()
    assert Attempt.objects.get().error.startswith("TookTooLong")


def test_a_statement_on_postgresql_ends_after_two_seconds(settings: Any):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no time limit for a statement")
    settings.WEBHOOK_RETRY_SECONDS = [100]

    @on_event("custom.*")
    def handler(event: dict[str, Any]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")

    happen()

    work_until(is_tried)

    assert "statement timeout" in Attempt.objects.get().error


def test_a_slow_handler_keeps_no_other_waiting():
    told, may_end = list[str](), threading.Event()

    @on_event("custom.*", atomic=False)
    def slow(event: dict[str, Any]) -> None:
        may_end.wait(PATIENCE)
        told.append("slow")

    @on_event("custom.*", atomic=False)
    def quick(event: dict[str, Any]) -> None:
        told.append("quick")
        if told.count("quick") == 20:
            may_end.set()

    for _ in range(20):
        happen()
    try:
        assert work_until(may_end.is_set)
    finally:
        may_end.set()

    assert told[:20] == ["quick"] * 20


def test_a_handler_whose_function_is_gone_is_disabled():
    on_event("custom.*", atomic=False)(print)
    sync_handlers()
    registered.clear()

    sync_handlers()

    assert not Subscriber.objects.get().enabled


def test_a_handler_that_is_back_is_enabled_with_its_new_filters():
    on_event("custom.*", atomic=False)(print)
    sync_handlers()
    Subscriber.objects.update(enabled=False)
    registered.clear()
    on_event("auth.*", atomic=False)(print)

    sync_handlers()

    subscriber = Subscriber.objects.get()
    assert (subscriber.enabled, subscriber.filters) == (True, ["auth.*"])


@pytest.mark.parametrize("text", ["", "auth", "auth.", "*.x", "auth.x:unknown", "auth.*:requested", "a b.c"])
def test_a_malformed_filter_is_refused(text: str):
    with pytest.raises(DomainError):
        on_event(text)


def test_a_handler_is_told_token_and_link_in_the_documented_order():
    told: list[dict[str, Any]] = []
    on_event("auth.*", atomic=False)(told.append)
    request_reset()

    work_until(is_done)

    (event,) = told
    assert list(event["data"]) == ["userId", "email", "emailVerified", "roles", "token", "link", "expiresAt"]
    assert event["data"]["token"] == "secret-token"


def test_after_expiry_token_and_link_are_null():
    told: list[dict[str, Any]] = []
    on_event("auth.*", atomic=False)(told.append)
    request_reset(lasts=timedelta(seconds=-1))

    work_until(is_done)

    assert (told[0]["data"]["token"], told[0]["data"]["link"]) == (None, None)


def test_expired_secrets_are_deleted():
    request_reset(lasts=timedelta(seconds=-1))

    assert work_until(lambda: not EventSecret.objects.exists())


@pytest.mark.parametrize(
    ("trusted", "internal_only", "shown"),
    [(True, False, "secret-token"), (False, False, "•••"), (True, True, "•••")],
)
def test_a_webhook_is_told_secrets_only_where_it_may_be(
    trusted: bool, internal_only: bool, shown: str, subscribe: Callable[..., Webhook], receiver: Receiver
):
    subscribe("/hook", "auth.*", secrets=trusted)
    request_reset(internal_only=internal_only)

    work_until(is_done)

    (call,) = receiver.calls
    assert f'"token":"{shown}"' in call.body.decode()


def test_a_secret_that_is_echoed_is_not_logged(subscribe: Callable[..., Webhook], receiver: Receiver):
    from tests.receivers import echo

    subscribe("/hook", "auth.*", secrets=True)
    receiver.on("/hook", echo)
    request_reset()

    work_until(is_done)

    assert "secret-token" in receiver.calls[0].body.decode()
    assert "secret-token" not in Attempt.objects.get().response_body


def test_a_secret_in_the_message_of_an_exception_is_not_logged():
    @on_event("auth.*")
    def handler(event: dict[str, Any]) -> None:
        raise LookupError(event["data"]["link"])

    request_reset()

    work_until(is_tried)

    assert "secret-token" not in Attempt.objects.earliest("id").error
