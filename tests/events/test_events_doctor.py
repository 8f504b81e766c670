"""`manage.py events_doctor`: silent about what is right, and a sentence for each promise that is broken."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from events.models import (
    Attempt,
    Delivery,
    Event,
    EventSecret,
    FinishedDelivery,
    LogHead,
    Subscriber,
    Trial,
    Webhook,
    Worker,
)
from events.services import leases
from events.services.retention import forget_some
from events.services.sequencing import sequence_events
from fastgen_backend.ids import uuid7
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db
Subscribe = Callable[..., Webhook]
Check = Callable[[], list[str]]
LONG_AGO = timezone.now() - timedelta(days=400)


@pytest.fixture
def check(db: None) -> Check:
    """What the command finds broken; nothing where it ends well."""

    def run() -> list[str]:
        out, status = StringIO(), None
        try:
            call_command("events_doctor", stdout=out)
        except SystemExit as end:
            status = end.code
        lines = [line for line in out.getvalue().splitlines() if not line.startswith("Note: ")]
        if status is None:
            assert len(lines) == 1
            assert lines[0].startswith("All is well: ")
            return []
        assert (status, bool(lines)) == (1, True)
        return lines

    return run


@pytest.fixture
def log(subscribe: Subscribe) -> Webhook:
    """A webhook that was promised three events."""
    webhook = subscribe()
    for _ in range(3):
        happen()
    sequence_events()
    return webhook


def test_an_empty_log_is_well(check: Check):
    assert check() == []


@pytest.mark.django_db(transaction=True)
def test_a_log_that_was_worked_off_is_well(subscribe: Subscribe, api: Api, check: Check):
    subscribe()
    api.sign_up()
    happen()
    assert work_until(lambda: FinishedDelivery.objects.count() == 3)

    assert check() == []


def test_a_log_that_was_shortened_is_well(log: Webhook, check: Check):
    for delivery in Delivery.objects.order_by("sequence")[:2]:
        FinishedDelivery.objects.create(
            id=delivery.pk,
            subscriber=delivery.subscriber,
            event=delivery.event,
            sequence=delivery.sequence,
            state="delivered",
            finished_at=LONG_AGO,
        )
        Delivery.objects.filter(pk=delivery.pk).delete()
    Event.objects.update(created_at=LONG_AGO)

    forget_some()

    assert (Event.objects.count(), FinishedDelivery.objects.count()) == (1, 0)
    assert Subscriber.objects.get(pk=log.pk).forgotten == 2
    assert check() == []


def test_a_missing_position_is_told(log: Webhook, check: Check):
    Delivery.objects.filter(event__position=2).delete()
    Event.objects.filter(position=2).delete()
    Subscriber.objects.update(forgotten=1)

    [flaw] = check()

    assert flaw.startswith("1 of the positions from 1 to 3 are missing")


def test_a_head_that_is_not_the_newest_event_is_told(log: Webhook, check: Check):
    LogHead.objects.update(position=7)

    [flaw] = check()

    assert flaw.startswith("The head of the log says 7, its newest event has the position 3.")


def test_an_order_that_is_not_causal_is_told(log: Webhook, check: Check):
    first, second, _third = Event.objects.order_by("position")
    Event.objects.filter(pk=first.pk).update(position=99)
    Event.objects.filter(pk=second.pk).update(position=1)
    Event.objects.filter(pk=first.pk).update(position=2, created_at=first.created_at - timedelta(hours=2))

    [flaw] = check()

    assert flaw.startswith("1 events come after one that happened later, the first at position 2.")


@pytest.mark.django_db(transaction=True)
def test_changes_beside_each_other_are_told_in_any_order(check: Check):
    """The later one is committed first on PostgreSQL; SQLite makes one after the other."""

    def happen_beside() -> None:
        happen()
        sequence_events()
        connection.close()

    beside = threading.Thread(target=happen_beside)
    with transaction.atomic():
        first = happen()
        beside.start()
        beside.join(None if connection.vendor == "postgresql" else 0.5)
    beside.join()
    sequence_events()

    assert check() == []
    assert Event.objects.get(pk=first.pk).position == (2 if connection.vendor == "postgresql" else 1)


def test_an_event_that_waits_for_its_position_for_long_is_told(check: Check):
    happen()
    assert check() == []
    Event.objects.update(created_at=LONG_AGO)

    [flaw] = check()

    assert flaw.startswith("1 events have waited for their position for over a minute. Start a worker")


def test_a_lost_promise_is_told(log: Webhook, check: Check):
    Delivery.objects.filter(sequence=2).delete()

    [flaw] = check()

    assert flaw.startswith(f"webhook {log.pk} was given 3 deliveries, but 2 are pending, finished or forgotten")


def test_a_delivery_that_is_both_pending_and_finished_is_told(log: Webhook, check: Check):
    delivery = Delivery.objects.get(sequence=2)
    FinishedDelivery.objects.create(
        id=uuid7(), subscriber=delivery.subscriber, event=delivery.event, sequence=2, state="delivered"
    )

    flaws = check()

    assert any(flaw.startswith("1 deliveries are both pending and finished.") for flaw in flaws)


@pytest.mark.parametrize(("blocked", "words"), [(True, "are stuck"), (False, "have several that are free")])
def test_an_order_that_is_stuck_or_torn_is_told(log: Webhook, check: Check, blocked: bool, words: str):
    Delivery.objects.update(lane="a", blocked=blocked)

    [flaw] = check()

    assert flaw.startswith(f"1 orders of deliveries {words}")


def test_an_attempt_of_no_delivery_is_told(log: Webhook, check: Check):
    Attempt.objects.create(delivery_id=uuid7(), at=timezone.now(), duration_ms=1)
    trial = Trial.objects.create(webhook=log, event_type="custom.a", source="api", data={})
    for owner in (Delivery.objects.earliest("sequence"), trial):
        Attempt.objects.create(delivery_id=owner.pk, at=timezone.now(), duration_ms=1)

    [flaw] = check()

    assert flaw.startswith("1 attempts are of no delivery and no trial.")


def test_a_lease_of_a_worker_that_is_gone_is_told(log: Webhook, check: Check):
    worker = leases.register_worker()
    Delivery.objects.filter(sequence=1).update(worker=worker)
    assert check() == []
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=40))

    [flaw] = check()

    assert flaw.startswith("1 deliveries are held by workers that gave no sign of life for 37 s. Start a worker")


def test_a_secret_beyond_its_time_is_told(api: Api, check: Check):
    api.sign_up()
    assert check() == []
    EventSecret.objects.update(expires_at=LONG_AGO)

    [flaw] = check()

    assert flaw.startswith("1 secrets are kept beyond their time.")


def test_a_secret_that_no_key_opens_is_told(log: Webhook, check: Check):
    Webhook.objects.update(sealed_secret=Fernet(Fernet.generate_key()).encrypt(b"x"))

    [flaw] = check()

    assert flaw.startswith(f"No key opens a secret of webhook {log.pk}.")


def test_who_holds_up_the_log_is_worth_a_note(log: Webhook, check: Check, capsys: pytest.CaptureFixture[str]):
    Event.objects.update(created_at=LONG_AGO)

    call_command("events_doctor")

    told = capsys.readouterr().out
    assert f"Note: Events older than 365 days are kept, because webhook {log.pk} has still to be told of them." in told
    assert "Note: No worker runs" in told


def test_a_handler_whose_function_is_gone_is_worth_a_note_while_something_waits_for_it(
    db: None, capsys: pytest.CaptureFixture[str]
):
    for name in ("gone", "gone_for_long"):
        Subscriber.objects.create(kind="handler", handler=f"app.event_handlers.{name}", filters=["*"])
    Subscriber.objects.filter(handler__endswith="long").update(enabled=False)
    happen(), happen()
    sequence_events()
    Subscriber.objects.update(enabled=False)

    call_command("events_doctor")
    told = capsys.readouterr().out

    assert "Note: app.event_handlers.gone is registered no longer, and has still to be told of 2 events" in told
    assert "or take it out: manage.py remove_handler app.event_handlers.gone\n" in told
    assert "gone_for_long" not in told


def test_it_changes_nothing(log: Webhook, check: Check):
    Delivery.objects.filter(sequence=2).delete()

    assert check() == check() != []


@pytest.mark.django_db(transaction=True)
def test_it_sees_one_moment_and_holds_up_no_writer(log: Webhook, check: Check, monkeypatch: pytest.MonkeyPatch):
    """What is written after its first look is written at once, and is no part of what it tells."""
    meanwhile: list[int] = []

    def write(*_: Any) -> list[str]:
        if not meanwhile:
            meanwhile.extend(_in_another_thread(lambda: [happen().pk]))
            assert Event.objects.count() == 3
        return []

    monkeypatch.setattr("events.services.inspection.FLAWS", (write,))

    assert check() == []
    assert Event.objects.filter(pk__in=meanwhile).exists()


def _in_another_thread(call: Callable[[], list[int]]) -> list[int]:
    def run() -> list[int]:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=PATIENCE)
