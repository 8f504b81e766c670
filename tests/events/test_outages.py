"""What a webhook misses while it is switched off is known exactly, whatever is sequenced at that moment."""

import threading
from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps

from events.models import Delivery, Event, Outage, Webhook
from events.services.sequencing import sequence_events
from events.services.webhook_health import disable_webhook
from events.services.webhooks import change_webhook
from tests.conftest import together
from tests.events.conftest import happen
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Subscribe = Callable[..., Webhook]
SWITCHES = 12


def switch(webhook: Webhook, enabled: bool) -> None:
    change_webhook(webhook_id=webhook.pk, changes={"enabled": enabled}, may_see_secrets=True)


def promised() -> set[int | None]:
    return set(Delivery.objects.values_list("event__position", flat=True))


def missed() -> set[int | None]:
    positions = Event.objects.filter(type__startswith="custom.").values_list("position", flat=True)
    return {
        position
        for position in positions
        for outage in Outage.objects.all()
        if (position or 0) > outage.after and (outage.until is None or (position or 0) <= outage.until)
    }


def test_an_outage_lies_between_what_was_promised_before_and_after_it(subscribe: Subscribe):
    webhook = subscribe("/hook", "custom.*")
    for enabled in (False, True, True):
        happen()
        sequence_events()
        happen()  # not yet sequenced when it is switched
        switch(webhook, enabled)
    sequence_events()

    assert (promised(), missed()) == ({1, 4, 5, 6}, {2, 3})


def test_it_remembers_since_when_the_webhook_failed_and_why_it_was_switched_off(subscribe: Subscribe):
    webhook = subscribe()
    Webhook.objects.update(failing_since=webhook.subscriber.created_at)

    disable_webhook(webhook_id=webhook.pk, reason="The receiver answered 410 Gone.")
    switch(webhook, enabled=True)

    outage = Outage.objects.get()
    assert (outage.reason, outage.failing_since) == ("The receiver answered 410 Gone.", webhook.subscriber.created_at)
    assert outage.ended_at
    assert outage.ended_at > outage.began_at


def test_one_that_was_switched_off_before_this_was_kept_misses_what_it_was_not_promised(subscribe: Subscribe):
    happen()
    sequence_events()
    told, silent, on = subscribe("/told", "custom.*"), subscribe("/silent", "auth.*"), subscribe("/on", "custom.*")
    happen()
    sequence_events()
    for webhook in (told, silent):
        disable_webhook(webhook_id=webhook.pk, reason="The receiver answered 410 Gone.")
    Outage.objects.all().delete()  # as an older version left it
    happen()
    sequence_events()

    for _ in range(2):  # which changes nothing the second time
        import_module("events.migrations.0010_what_is_off_misses_what_comes").remember_outages(apps, None)

    assert dict(Outage.objects.values_list("webhook", "after")) == {told.pk: 2, silent.pk: 1}
    assert on.subscriber.enabled


def test_every_event_is_either_promised_or_missed_while_it_is_switched_amid_sequencing(subscribe: Subscribe):
    webhook, over = subscribe("/hook", "custom.*"), threading.Event()

    together(lambda number: [toggle, sequence, write, write][number](webhook, over), count=4)
    while sequence_events():
        pass

    assert Outage.objects.count() == SWITCHES
    assert promised() | missed() == set(
        Event.objects.filter(type__startswith="custom.").values_list("position", flat=True)
    )
    assert promised() & missed() == set()
    assert missed()


def toggle(webhook: Webhook, over: threading.Event) -> None:
    try:
        for turn in range(SWITCHES):
            disable_webhook(webhook_id=webhook.pk, reason="A test.")
            assert turn or wait_for(Event.objects.filter(pk=happen().pk, position__isnull=False).exists)
            switch(webhook, enabled=True)
    finally:
        over.set()


def sequence(webhook: Webhook, over: threading.Event) -> None:
    while not over.is_set():
        sequence_events(limit=3)


def write(webhook: Webhook, over: threading.Event) -> None:
    while not over.is_set():
        happen()
