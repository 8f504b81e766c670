"""The overview: what happened lately, counted once and for good; how the workers fare; what needs attention."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import User
from authpages.services.users import create_user
from events.console import overview
from events.console.charts import Chart, last_days, last_hours, series_of
from events.models import Delivery, Event, FinishedDelivery, LogHead, Subscriber, Tally, Webhook, Worker
from events.services.acknowledgement import acknowledge
from events.services.claims import claim_deliveries
from events.services.health import Backlog, read_health
from events.services.leases import register_worker
from events.services.outcomes import Outcome
from events.services.sequencing import sequence_events
from events.services.tallies import hour_of, tally_events
from events.services.webhook_health import disable_webhook
from events.services.webhooks import change_webhook
from fastgen_backend.ids import uuid7
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import AT_ONCE, PASSWORD, Api, together
from tests.events.conftest import happen

What = Tally.What


@pytest.fixture
def console(db: None) -> Client:
    """A browser with an admin in it."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    client = Client(headers={"host": "127.0.0.1:8000"})
    client.post("/console/login", {"email": "root@example.com", "password": PASSWORD})
    return client


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The hour in which the overview is looked at, and after half of which it is."""
    hour = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(overview, "timezone", SimpleNamespace(now=lambda: hour + timedelta(minutes=30)))
    return hour


def tallied() -> dict[str, int]:
    """How often what happened, in this hour or, where it came to its end meanwhile, in the one before."""
    return dict(Tally.objects.values_list("what").annotate(Sum("count")))


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.mark.django_db(transaction=True)
def test_what_people_do_is_counted_as_it_is_sequenced() -> None:
    api = Api()
    for email in ("ann@example.com", "bob@example.com"):
        Api().sign_up(email)
    api.post("/auth/login", {"email": "ann@example.com", "password": PASSWORD})
    api.post("/auth/login", {"email": "ann@example.com", "password": "wrong wrong wrong"})
    sequence_events()

    sequence_events()

    assert tallied() == {What.SIGN_UPS: 2, What.LOGINS: 1, What.FAILED_LOGINS: 1}


@pytest.mark.django_db(transaction=True)
def test_calls_of_webhooks_are_counted_as_they_are_acknowledged(subscribe: Callable[..., Webhook]) -> None:
    subscribe()
    for _ in range(3):
        happen()
    sequence_events()
    worker = register_worker()
    claims = claim_deliveries(worker=worker, room=10, handlers=[]).claims
    outcomes = [Outcome(claim, timezone.now(), 5, delivered=place > 0) for place, claim in enumerate(claims)]

    acknowledge(worker, outcomes)
    acknowledge(worker, outcomes)  # it holds them no more

    assert tallied() == {What.DELIVERED: 2, What.FAILED_CALLS: 1}


@pytest.mark.django_db(transaction=True)
def test_tallies_that_are_added_to_at_once_are_all_counted_and_wait_for_each_other_in_one_order() -> None:
    now = hour_of(timezone.now())
    happened = [
        ("auth.user_signedUp", now),
        ("auth.login_failed", now),
        ("auth.user_loggedIn", now - timedelta(hours=1)),
    ]

    def add(turn: int) -> None:
        for _ in range(5):
            with transaction.atomic():
                tally_events(happened if turn % 2 else happened[::-1])

    together(add)

    assert list(Tally.objects.values_list("count", flat=True)) == [5 * AT_ONCE] * 3


def test_an_event_counts_for_the_hour_in_which_it_happened(db: None) -> None:
    LogHead.objects.create(pk=1)
    hour = datetime(2026, 3, 29, 1, tzinfo=UTC)
    for minutes in (0, 59, 60):
        at = hour + timedelta(minutes=minutes)
        Event.objects.create(type="auth.user_signedUp", source="api", data={}, created_at=at)

    sequence_events()

    assert list(Tally.objects.by_hour(hour).order_by("hour")) == [
        (What.SIGN_UPS, hour, 2),
        (What.SIGN_UPS, hour + timedelta(hours=1), 1),
    ]
    assert list(Tally.objects.by_day(hour - timedelta(hours=1))) == [(What.SIGN_UPS, hour - timedelta(hours=1), 3)]


def test_the_figures_are_those_of_the_time_asked_for_beside_the_time_before(console: Client, noon: datetime) -> None:
    for hours, count in ((0, 5), (23, 1), (24, 3), (47, 0), (48, 100)):
        Tally.objects.create(what=What.SIGN_UPS, hour=noon - timedelta(hours=hours), count=count)

    page = console.get("/console")

    assert "Sign-ups 6 +100 % on the 24 hours before" in text_of(page)


def test_thirty_days_end_today(console: Client, noon: datetime) -> None:
    today = noon.replace(hour=0)
    for days, count in ((0, 5), (29, 1), (30, 3), (60, 100)):
        Tally.objects.create(what=What.SIGN_UPS, hour=today - timedelta(days=days), count=count)

    page = console.get("/console?span=days")

    assert "Sign-ups 6 +100 % on the 30 days before" in text_of(page)


def test_bars_stand_upon_each_other_and_the_highest_fills_the_chart() -> None:
    now = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
    span = last_hours(now)
    hour = span.times[-1]
    good, bad = series_of("Delivered", "good", {hour: 30}, span), series_of("Failed calls", "bad", {hour: 10}, span)

    chart = Chart("Deliveries", [good, bad], span, url="")

    assert [(bar.kind, bar.y, bar.height) for bar in chart.bars()] == [("good", 25, 75), ("bad", 0, 25)]
    assert chart.summary == "Delivered: 30, Failed calls: 10. Most at 12:00: 40."
    assert last_days(now).name(last_days(now).times[-1]) == "2026-11-27"


def test_a_silent_worker_is_told_first(console: Client) -> None:
    assert "No worker is running" in text_of(console.get("/console"))

    Worker.objects.create()

    assert "No worker is running" not in text_of(console.get("/console"))


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_what_workers_could_send(console: Client, subscribe: Callable[..., Webhook]) -> None:
    now, hook = timezone.now(), subscribe()
    for _ in range(4):
        happen()
    while sequence_events():
        pass
    promised = Delivery.objects.order_by("sequence")
    first, second, third = promised.values_list("pk", flat=True)[:3]
    promised.filter(pk=first).update(due_at=now - timedelta(minutes=10))
    promised.filter(pk=second).update(blocked=True)
    promised.filter(pk=third).update(due_at=now + timedelta(hours=1))

    late = read_health(timezone.now()).deliveries
    Subscriber.objects.filter(pk=hook.pk).update(rate_per_second=1)
    paced = read_health(timezone.now()).deliveries
    Webhook.objects.filter(pk=hook.pk).update(open_until=now)
    down = read_health(timezone.now()).deliveries

    assert (late.count, late.oldest) == (promised.count() - 2, now - timedelta(minutes=10))
    assert (paced.count, paced.oldest) == (late.count, None)
    assert down == Backlog(0, is_more=False, oldest=None)


def test_webhooks_in_trouble_are_told(console: Client, subscribe: Callable[..., Webhook]) -> None:
    fails, given_up, switched_off = subscribe("/fails"), subscribe("/given-up"), subscribe("/off")
    Webhook.objects.filter(pk=fails.pk).update(failing_since=timezone.now())
    disable_webhook(webhook_id=given_up.pk, reason="It answered 410 Gone.")
    change_webhook(webhook_id=switched_off.pk, changes={"enabled": False}, may_see_secrets=True)

    page = text_of(console.get("/console"))

    assert f"A webhook was disabled: {given_up.url} It answered 410 Gone." in page
    assert f"A webhook fails: {fails.url}" in page
    assert switched_off.url not in page


def test_dead_letters_are_told(console: Client, subscribe: Callable[..., Webhook]) -> None:
    subscriber, event = subscribe().subscriber, happen()
    for sequence in (1, 2):
        FinishedDelivery.objects.create(id=uuid7(), subscriber=subscriber, event=event, sequence=sequence, state="dead")

    assert "2 deliveries were given up" in text_of(console.get("/console"))


def test_the_first_steps_are_shown_until_somebody_has_signed_up(console: Client) -> None:
    assert "Three steps to begin" in text_of(console.get("/console"))

    User.objects.create(email="ann@example.com", email_key="ann@example.com")

    assert "Three steps to begin" not in text_of(console.get("/console"))


def test_a_full_overview_stays_light(console: Client, subscribe: Callable[..., Webhook]) -> None:
    now = hour_of(timezone.now())
    hours = [now - timedelta(hours=back) for back in range(24 * 60)]
    Tally.objects.bulk_create(Tally(what=what, hour=hour, count=1234) for hour in hours for what in What.values)
    for place in range(6):
        webhook = subscribe(f"/{place}")
        Webhook.objects.filter(pk=webhook.pk).update(failing_since=now)

    for path in ("/console", "/console?span=days"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = console.get(path)

        assert len(queries) <= 12
        assert len(page.content) <= 100_000


def test_no_failed_calls_are_no_alarm(console: Client) -> None:
    page = console.get("/console").content.decode()

    assert '<span class="small soft">Failed calls: 0</span>' in page
