"""Webhooks in the console: made, watched, tried, rotated, switched, replayed."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook as StandardWebhook

from events.console.verifying import PYTHON
from events.models import Delivery, Event, FinishedDelivery, Replay, Webhook
from events.services import circuit
from events.services.delivery_log import read_deliveries
from events.services.sequencing import sequence_events
from events.services.webhook_health import disable_webhook
from events.signing import make_secret, shown_secret, signed_headers
from tests.authpages.conftest import Visitor, root, text_of, visitor
from tests.datahub.console_pages import Admin
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer

__all__ = ["root", "visitor"]
WEBHOOKS = "/console/webhooks"
URL = "https://hooks.example.com/in"


@pytest.fixture
def console(root: Any) -> Admin:
    """An admin at the pages of the console."""
    console = Admin()
    assert console.log_in(root.email, at="/console/login").status_code == 303
    return console


@pytest.fixture
def hook(db: None, subscribe: Callable[..., Webhook]) -> Webhook:
    """A webhook that is told of custom events."""
    return subscribe("/hook", "custom.*")


def page_of(webhook: Webhook, below: str = "") -> str:
    return f"{WEBHOOKS}/{webhook.pk}{below}"


def dead_letter(webhook: Webhook) -> FinishedDelivery:
    """An event that this webhook never took."""
    happen()
    sequence_events()
    pending = Delivery.objects.filter(subscriber=webhook.pk).latest("sequence")
    kept = {"id": pending.pk, "subscriber": pending.subscriber, "event": pending.event, "sequence": pending.sequence}
    pending.delete()
    return FinishedDelivery.objects.create(state=FinishedDelivery.State.DEAD, **kept)


def test_a_webhook_is_made_and_its_secret_shown_once(console: Admin):
    made = console.press("Create webhook", f"{WEBHOOKS}/new?events=auth.*", {"url": URL, "mode": "ordered"})

    webhook = Webhook.objects.get()
    first, second = console.get(made["Location"]), console.get(made["Location"])
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{44}", html.unescape(first.content.decode()))
    assert (made.status_code, webhook.url, webhook.mode) == (303, URL, "ordered")
    assert (webhook.subscriber.filters, webhook.include_secrets) == (["auth.*"], True)
    assert secret
    assert secret[0] not in html.unescape(second.content.decode())
    assert "can’t be shown again" in text_of(second)


def test_what_is_wrong_with_a_webhook_is_said_at_the_field(console: Admin):
    changes = {"url": "ftp://hooks.example.com", "events": "nonsense", "max_concurrency": "0"}

    page = console.press("Create webhook", f"{WEBHOOKS}/new", changes)

    assert page.status_code == 400
    assert "Line 1: 'nonsense' is none of: a type" in text_of(page)
    assert not Webhook.objects.exists()


def test_what_a_family_covers_is_not_asked_for_twice(console: Admin):
    page = console.get(f"{WEBHOOKS}/new")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token
    ticked = {"kinds": ["auth.*", "auth.user_signedUp", "api.dataRow_created"], "events": "custom.shop.*"}
    fields = {"url": URL, "mode": "parallel", "max_concurrency": "10", "csrfmiddlewaretoken": token[1]}

    console.client.post(f"{WEBHOOKS}/new", fields | ticked)

    assert Webhook.objects.get().subscriber.filters == ["custom.shop.*", "auth.*", "api.dataRow_created"]


def test_its_settings_are_changed_and_its_headers_kept_though_masked(console: Admin, hook: Webhook):
    console.press("Save", page_of(hook, "/settings"), {"headers": "Authorization: Bearer abc"})

    console.press("Save", page_of(hook, "/settings"), {"description": "CRM", "rate_per_second": "5"})

    changed = Webhook.objects.get()
    page = console.get(page_of(hook, "/settings"))
    assert (changed.description, changed.subscriber.rate_per_second) == ("CRM", 5)
    assert "Authorization: •••" in html.unescape(page.content.decode())
    assert "Bearer abc" not in page.content.decode()


def test_a_url_is_tried_while_it_is_typed(console: Admin, receiver: Receiver):
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', console.get(f"{WEBHOOKS}/new").content.decode())
    assert token

    def check(url: str) -> str:
        answer = console.client.post(f"{WEBHOOKS}/check", {"url": url, "csrfmiddlewaretoken": token[1]})
        return f"{answer.status_code} {answer.content.decode()}"

    assert "notice" not in check("")
    assert 'class="notice good"' in check(f"{receiver.url}/hook")
    assert 'class="notice bad"' in check("ftp://hooks.example.com")


@pytest.mark.django_db(transaction=True)
def test_a_test_is_sent_and_its_answer_shown(console: Admin, hook: Webhook, receiver: Receiver):
    receiver.on("/hook", answer(418, b"a teapot"))

    sent = console.press("Send test", page_of(hook))
    before = console.get(sent["Location"])
    assert work_until(lambda: "a teapot" in text_of(console.get(sent["Location"])))

    assert 'hx-trigger="every 1s"' in before.content.decode()
    after = console.get(sent["Location"])
    assert re.search(r"Answer failed .*Answered 418", text_of(after))
    assert "not tried yet" in text_of(console.get(page_of(hook)))
    assert "hx-trigger" not in after.content.decode()
    assert json.loads(receiver.calls[0].body)["test"] is True


def test_the_list_says_how_each_fares(console: Admin, hook: Webhook, subscribe: Callable[..., Webhook]):
    dead_letter(hook)
    happen()
    sequence_events()
    failing, _new = subscribe("/failing", "auth.*"), subscribe("/new", "auth.*")
    Webhook.objects.filter(pk=failing.pk).update(failing_since=timezone.now() - timedelta(days=2))

    text = text_of(console.get(WEBHOOKS))

    assert re.search(r"/hook healthy custom\.\* 1 1 0\.0 %", text)
    assert re.search(r"/failing failing since \d{4}", text)
    assert "/new not tried yet auth.*" in text


@pytest.mark.parametrize(
    ("failures", "said"), [(1, "It asked to be left alone for a while"), (5, "Too many calls failed")]
)
def test_one_that_is_not_called_for_a_while_says_why(
    console: Admin, hook: Webhook, monkeypatch: pytest.MonkeyPatch, failures: int, said: str
):
    monkeypatch.setattr(circuit, "FAILURES_TO_OPEN", 5)
    now = timezone.now()
    Webhook.objects.update(failing_since=now, failures=failures, open_until=now + timedelta(minutes=1))

    assert said in text_of(console.get(page_of(hook)))


def test_a_disabled_webhook_says_why_and_gets_what_it_missed(console: Admin, hook: Webhook):
    disable_webhook(webhook_id=hook.pk, reason="The receiver answered 410 Gone.")
    for _number in range(3):
        happen()
    sequence_events()

    page = console.get(page_of(hook))
    enabled = console.press("Enable and replay what it missed", page)

    assert "The receiver answered 410 Gone. It has missed 3 events since." in text_of(page)
    replay = Replay.objects.get()
    assert (replay.kind, replay.total, enabled["Location"]) == ("missed", 3, page_of(hook, f"/replays/{replay.pk}"))
    assert Webhook.objects.get().subscriber.enabled


def test_what_was_missed_is_offered_until_it_is_replayed(console: Admin, hook: Webhook):
    disable_webhook(webhook_id=hook.pk, reason="The receiver answered 410 Gone.")
    happen()
    sequence_events()

    console.press("Enable", page_of(hook, "/replay"))
    page = console.get(page_of(hook))
    console.press("Replay what it missed", page)

    assert "It missed 1 event while it was off." in text_of(page)
    assert Replay.objects.get().kind == "missed"
    assert "It missed" not in text_of(console.get(page_of(hook)))


def test_what_was_missed_is_offered_no_longer_once_there_is_nothing_to_replay(
    console: Admin, hook: Webhook, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("events.console.webhook_page.MOST", 1)
    monkeypatch.setattr("events.console.webhook_words.MOST", 1)
    disable_webhook(webhook_id=hook.pk, reason="The receiver answered 410 Gone.")
    happen(), happen(), happen()
    sequence_events()
    console.press("Enable", page_of(hook))

    offered = console.get(page_of(hook))
    done = console.press("Nothing to replay", page_of(hook, "/forget-missed"))

    assert "It missed 1+ events while it was off." in text_of(offered)
    assert page_of(hook, "/forget-missed") in offered.content.decode()
    after = text_of(console.get(done["Location"]))
    assert "What it missed is nothing to replay any more." in after
    assert "It missed" not in after


def test_beside_a_replay_under_way_a_webhook_is_enabled_alone(console: Admin, hook: Webhook):
    disable_webhook(webhook_id=hook.pk, reason="The receiver answered 410 Gone.")
    happen()
    sequence_events()
    console.press("Enable and replay what it missed", page_of(hook))
    disable_webhook(webhook_id=hook.pk, reason="The receiver answered 410 Gone.")
    happen()
    sequence_events()

    page = console.get(page_of(hook))
    enabled = console.press("Enable", page)

    assert "It has missed 1 event since." in text_of(page)
    assert "Enable and replay" not in text_of(page)
    assert "what-done=enabled" in enabled["Location"]


def test_a_disabled_webhook_is_enabled_from_its_settings(console: Admin, hook: Webhook):
    disable_webhook(webhook_id=hook.pk, reason="The receiver answered 410 Gone.")

    console.press("Enable", page_of(hook, "/settings"))

    assert Webhook.objects.get().subscriber.enabled


def test_what_is_lost_is_named_before_a_webhook_is_deleted(console: Admin, hook: Webhook):
    dead_letter(hook)
    happen()
    sequence_events()

    question = console.get(page_of(hook, "/delete"))
    gone = console.press("Delete webhook", question)

    assert "1 delivery that waits" in text_of(question)
    assert "1 dead letter" in text_of(question)
    assert gone["Location"].startswith(WEBHOOKS)
    assert not Webhook.objects.exists()


def test_where_no_call_arrives_nothing_is_delivered(console: Admin, hook: Webhook):
    before = text_of(console.get(page_of(hook)))
    Webhook.objects.update(failing_since=timezone.now())

    assert "Delivered, 24 h – Waiting" in before
    assert "Delivered, 24 h 0 % Waiting" in text_of(console.get(page_of(hook)))


def test_the_form_says_which_addresses_may_be_called_here(console: Admin, settings: Any):
    here = text_of(console.get(f"{WEBHOOKS}/new"))
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    elsewhere = text_of(console.get(f"{WEBHOOKS}/new"))

    assert "Here it may be on this machine or a private network" in here
    assert "It must be public." in elsewhere


def test_disabling_asks_first(console: Admin, hook: Webhook):
    console.press("Disable", page_of(hook, "/disable"))

    assert not Webhook.objects.get().subscriber.enabled


def test_a_rotated_secret_is_shown_once(console: Admin, hook: Webhook):
    question = console.get(page_of(hook, "/rotate"))

    shown = console.get(console.press("Rotate the secret", question)["Location"])

    assert "For 24 hours calls are signed with both" in text_of(question)
    assert "whsec_" in text_of(shown).split("Verify each call")[0]


def test_the_code_to_verify_a_call_works_and_refuses_what_was_changed():
    secret, body = make_secret(), b'{"type":"custom.x"}'
    sent = signed_headers("evt_1", int(timezone.now().timestamp()), body, [make_secret(), secret])
    script = f"{PYTHON}\nimport json, sys\nverify(json.loads(sys.argv[1]), sys.argv[2].encode())\n"

    def run(text: str) -> int:
        environment = {"WEBHOOK_SECRET": shown_secret(secret)}
        return subprocess.run(
            [sys.executable, "-c", script, json.dumps(sent), text], env=environment, check=False, capture_output=True
        ).returncode

    assert StandardWebhook(shown_secret(secret)).verify(body, sent)
    assert (run(body.decode()), run("{}")) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_delivery_is_shown_with_request_and_answers_and_made_once_more(
    console: Admin, hook: Webhook, receiver: Receiver
):
    receiver.on("/hook", answer(500, b"out of <order>"), answer(200, b"fine"))
    event = happen(total="12.50")
    assert work_until(lambda: event.finished_deliveries.exists())

    listed = console.get(f"{page_of(hook)}?state=delivered&type=custom.order_placed")
    [delivery] = read_deliveries(hook.pk).deliveries
    page = console.get(page_of(hook, f"/deliveries/{delivery.row.pk}"))
    again = console.press("Deliver once more", page)

    assert str(delivery.row.pk) in listed.content.decode()
    assert re.search(r'"total": "12.50".*Answered 500.*out of <order>.*fine', text_of(page))
    assert again.status_code == 303
    assert Delivery.objects.get(event=event).sequence == 2


def test_a_pending_delivery_says_what_it_waits_for(console: Admin, subscribe: Callable[..., Webhook]):
    hook = subscribe("/hook", "custom.*", mode="ordered")
    happen()
    happen()
    sequence_events()
    first, second = [page_of(hook, f"/deliveries/{each.pk}") for each in Delivery.objects.order_by("sequence")]

    tried = console.press("Try now", first)
    page = console.get(tried["Location"])
    Webhook.objects.update(open_until=timezone.now() + timedelta(minutes=1))

    assert "It was made due: it is tried as soon as the webhook’s turn comes." in text_of(page)
    assert "Next try as soon as its turn comes" in text_of(page)
    assert 'hx-trigger="every 2s"' in page.content.decode()
    assert re.search(r"Next try held back until \d\d:\d\d:\d\d UTC, as its calls failed", text_of(console.get(first)))
    assert "Next try waits behind number 1" in text_of(console.get(second))


def test_what_waits_until_it_is_in_another_order_says_so(console: Admin, subscribe: Callable[..., Webhook]):
    hook = subscribe("/hook", "custom.*", mode="ordered")
    happen()
    sequence_events()
    Webhook.objects.update(arranged_up_to=0)

    shown, waits = console.get(page_of(hook)), console.get(page_of(hook, f"/deliveries/{Delivery.objects.get().pk}"))

    assert "In order what waits is being put into it" in text_of(shown)
    assert "Next try waits until all that is pending is in its new order" in text_of(waits)


def test_a_delivery_of_another_webhook_is_not_found(console: Admin, hook: Webhook, subscribe: Callable[..., Webhook]):
    other = subscribe("/other", "auth.*")
    letter = dead_letter(hook)

    assert console.get(page_of(other, f"/deliveries/{letter.pk}")).status_code == 404


def test_a_replay_is_counted_first_then_begun_paused_and_cancelled(console: Admin, hook: Webhook):
    for _number in range(3):
        happen()
    sequence_events()

    counted = console.press("Count first", page_of(hook, "/replay"), {"events": "custom.order_placed"})
    assert not Replay.objects.exists()
    begun = console.press("Start the replay", counted)

    assert "3 events would be told once more." in text_of(counted)
    page = begun["Location"]
    console.press("Pause", page)
    for shown in (page, page_of(hook, "/replay")):
        assert "While it is paused, what it has still to queue is kept" in text_of(console.get(shown))
    console.press("Resume", page)
    console.press("Cancel the replay", page)
    assert Replay.objects.get().state == "cancelled"


def test_a_range_that_ends_before_it_begins_is_refused_at_its_end(console: Admin, hook: Webhook):
    times = {"begin": "2026-02-01T00:00", "end": "2026-01-01T00:00"}

    page = console.press("Count first", page_of(hook, "/replay"), times)

    assert page.status_code == 400
    assert re.search(r'id="id_end_error">The range ends before it begins\.', page.content.decode())


def test_the_replays_of_a_webhook_are_listed_newest_first(console: Admin, hook: Webhook):
    happen()
    sequence_events()
    paths = []
    for _number in range(2):
        path = console.press("Start the replay", console.press("Count first", page_of(hook, "/replay")))["Location"]
        console.press("Cancel the replay", path)
        paths.append(path)

    listed = console.get(page_of(hook, "/replay"))

    assert re.findall(r"cancelled \d of \d A time", text_of(listed)) == ["cancelled 0 of 1 A time"] * 2
    assert [path for path in re.findall(r'href="([^"]+)"', listed.content.decode()) if "/replays/" in path] == paths[
        ::-1
    ]


def test_dead_letters_are_replayed(console: Admin, hook: Webhook):
    dead_letter(hook)

    console.press("Start the replay", console.press("Count first", page_of(hook, "/replay?kind=deadLetters")))

    assert (Replay.objects.get().kind, Replay.objects.get().total) == ("deadLetters", 1)


def test_who_is_no_admin_sees_and_does_nothing(visitor: Visitor, hook: Webhook):
    visitor.sign_up()

    for path in (WEBHOOKS, f"{WEBHOOKS}/new", page_of(hook), page_of(hook, "/delete"), page_of(hook, "/replay")):
        assert visitor.get(path)["Location"].startswith("/console/login")
    assert visitor.client.post(page_of(hook, "/delete"))["Location"].startswith("/console/login")
    assert Webhook.objects.exists()


def test_the_pages_stay_small_and_ask_little(
    console: Admin, hook: Webhook, subscribe: Callable[..., Webhook], django_assert_max_num_queries: Any
):
    for number in range(50):
        subscribe(f"/{number}", "custom.*", "auth.*")
    for _number in range(60):
        happen()
    sequence_events()
    disable_webhook(webhook_id=hook.pk, reason="Gone.")
    letter = dead_letter(Webhook.objects.exclude(pk=hook.pk).latest("pk"))
    delivery = f"{WEBHOOKS}/{letter.subscriber_id}/deliveries/{letter.pk}"

    for path in (WEBHOOKS, page_of(hook), page_of(hook, "/settings"), page_of(hook, "/replay"), delivery):
        with django_assert_max_num_queries(12):
            page = console.get(path)
        assert page.status_code == 200
        assert len(page.content) < 100_000
    assert Event.objects.count() > 60
