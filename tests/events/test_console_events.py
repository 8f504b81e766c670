"""The log in the console: searched, read page by page, live; one event with its deliveries."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import User
from events.models import Attempt, Delivery, Event, Webhook
from events.services import log_search
from events.services.delivery_log import deliveries_of
from events.services.log_search import LogSearch, search_log
from events.services.recording import record_custom_event
from events.services.sequencing import sequence_events
from fastgen_backend.ids import lowest_uuid7
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, admin, root, text_of, visitor
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver, answer

__all__ = ["admin", "root", "visitor"]
LOG = "/console/events"
ANN = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _types(page: Any) -> list[str]:
    """What the lines of the log are, from top to bottom."""
    return re.findall(r'<th scope="row"[^>]*><a [^>]*>([^<]+)</a>', page.content.decode())


def _url_of(page: Any, link: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>{link}</a>', page.content.decode())
    assert found, page.content.decode()
    return found[1].replace("&amp;", "&")


def fill_log(many: int, **members: Any) -> None:
    """So many positioned events behind those there are."""
    first = Event.objects.count() + 1
    made = {"type": "custom.filler", "source": "api", "data": {}, **members}
    Event.objects.bulk_create(Event(position=first + number, **made) for number in range(many))


def test_the_newest_events_come_first_and_the_next_page_goes_on(admin: Visitor):
    fill_log(60)
    fill_log(1, type="custom.last")

    first = admin.get(f"{LOG}?type=custom.*")
    second = admin.get(_url_of(first, "Next page"))

    assert _types(first) == ["custom.last", *["custom.filler"] * 49]
    assert _types(second) == ["custom.filler"] * 11


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "auth.password_reset:requested"},
        {"type": "auth.password_reset"},
        {"type": "auth.*", "source": "worker"},
        {"source": "worker"},
        {"subject": ANN},
        {"subject": "ann@example.com", "type": "auth.*"},
        {"actor": f"user:{ANN}"},
        {"actor": "ann@example.com", "source": "worker"},
        {"since": "2026-11-20T11:00", "until": "2026-11-20T13:00"},
    ],
)
def test_the_log_is_searched(admin: Visitor, asked: dict[str, str]):
    User.objects.create(pk=ANN, email="ann@example.com", email_key="ann@example.com")
    fill_log(3)
    fill_log(3, type="auth.password_reset", stage="completed", source="hosted")
    uid = lowest_uuid7(NOON)
    wanted = {"subject": ANN, "actor": f"user:{ANN}", "source": "worker", "created_at": NOON, "uid": uid}
    fill_log(1, type="auth.password_reset", stage="requested", **wanted)
    fill_log(2)

    page = admin.client.get(LOG, asked)

    assert "auth.password_reset" in _types(page)
    assert set(_types(page)) == {"auth.password_reset"}
    assert page.content.decode().count("requested</span>") == 1


def test_a_family_is_the_newest_of_all_its_types(admin: Visitor):
    for type in ("auth.user_loggedIn", "custom.a", "auth.user_signedUp", "auth.user_loggedIn", "custom.b"):
        fill_log(1, type=type)

    page = admin.get(f"{LOG}?type=auth.*&until=2100-01-01T00:00")

    assert _types(page)[-3:] == ["auth.user_loggedIn", "auth.user_signedUp", "auth.user_loggedIn"]
    assert not [type for type in _types(page) if type.startswith("custom.")]


def test_two_questions_are_answered_piece_by_piece(db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_search, "LOOKED_THROUGH_MAX", 10)
    fill_log(1, type="custom.rare", subject="a")
    fill_log(15, type="custom.often", subject="a")
    search = LogSearch(type="custom.rare", subject="a")

    first = search_log(search)
    second = search_log(search, before=first.next_before)

    assert (first.events, first.looked_back_to) == ([], 7)
    assert ([event.type for event in second.events], second.next_before) == (["custom.rare"], None)


PLANS = {
    "type": LogSearch(type="custom.rare"),
    "subject": LogSearch(subject="rare", type="custom.filler"),
    "actor": LogSearch(actor="rare", type="custom.filler"),
    "source": LogSearch(source="cli"),
}


@pytest.mark.parametrize("column", PLANS)
def test_each_question_is_answered_from_its_index(db: None, column: str):
    fill_log(3000)
    fill_log(20, type="custom.rare", subject="rare", actor="rare", source="cli")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")

    with CaptureQueriesContext(
        connection,
    ) as asked:
        search_log(PLANS[column])

    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {asked[0]['sql']}")
        plan = str(cursor.fetchall())
    assert f"events_by_{column}" in plan


def test_no_plan_is_kept_for_what_is_rare_now_and_common_then(db: None, key: Callable[..., Api]):
    reader = key("events:read")

    for number in range(10):
        search_log(LogSearch(actor=f"user:{number}"))
        reader.get("/events?types=auth.token_reused")

    assert [
        text for text in _prepared() if '"events_event"."actor" = ' in text or '"events_event"."type" = ' in text
    ] == []


def _prepared() -> list[str]:
    """The statements that PostgreSQL has a plan of, for this connection; SQLite keeps none for itself."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [text for (text,) in cursor.fetchall()]


def test_what_is_not_sequenced_yet_is_shown_as_such(admin: Visitor):
    happen("custom.early")

    page = admin.get(f"{LOG}?type=custom.*")

    assert _types(page) == ["custom.early"]
    assert "unsequenced" in text_of(page)


def test_new_events_come_by_themselves(admin: Visitor):
    fill_log(1, type="custom.old")
    live = _live_url(admin.get(f"{LOG}?type=custom.*"))
    nothing = admin.get(live)
    fill_log(1, type="custom.new")
    fill_log(1, type="auth.user_loggedOut")

    part = admin.get(live)

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert _types(part) == ["custom.new"]
    assert admin.get(_live_url(part)).status_code == 204


def test_to_look_for_new_events_costs_one_query(admin: Visitor, django_assert_num_queries: Any):
    fill_log(1)
    live = _live_url(admin.get(LOG))

    with CaptureQueriesContext(connection) as asked:
        admin.get(live)

    assert len([query for query in asked.captured_queries if "events_event" in query["sql"]]) == 1


def _live_url(page: Any) -> str:
    found = re.search(r'hx-get="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("type=nonsense", "none of: a type"),
        ("subject=nobody@example.com", "No account has this address"),
        ("subject=nothing", "no table this key"),
        ("since=yesterday", "Enter a valid date"),
        ("since=2026-02-01T00:00&until=2026-01-01T00:00", "This is before the time since when you ask."),
    ],
)
def test_a_question_that_means_nothing_is_refused_in_words(admin: Visitor, asked: str, said: str):
    assert said in text_of(admin.get(f"{LOG}?{asked}"))


def test_an_event_is_shown_with_every_delivery_and_try(
    transactional_db: None, admin: Visitor, subscribe: Callable[..., Webhook], receiver: Receiver
):
    receiver.on("/hook", answer(500, b"no <b>luck</b>"), answer(200, b"fine"))
    subscribe("/hook", "custom.*")
    event = happen(total="12.50")
    assert work_until(lambda: event.finished_deliveries.exists())

    page = admin.get(f"{LOG}/{event.public_id}")

    text = text_of(page)
    assert '"total": "12.50"' in text
    assert f"{receiver.url}/hook" in text
    assert re.search(r"delivered .* 500 .* Answered 500 .* 200 .* fine", text)
    assert "no &lt;b&gt;luck" in page.content.decode()


def test_an_event_as_large_as_they_come_makes_no_large_page(admin: Visitor, subscribe: Callable[..., Webhook]):
    for number in range(40):
        subscribe(f"/{number}", "custom.*")
    event = happen(text='"' * 30_000)
    sequence_events()
    first = Delivery.objects.first()
    assert first
    tries = {"at": NOON, "duration_ms": 1, "status": 500, "error": "Answered 500", "response_body": "<" * 16_000}
    Attempt.objects.bulk_create(Attempt(delivery_id=first.pk, **tries) for _number in range(10))

    page = admin.get(f"{LOG}/{event.public_id}")
    delivery = admin.get(f"/console/webhooks/{first.subscriber_id}/deliveries/{first.pk}")

    assert (page.status_code, delivery.status_code) == (200, 200)
    assert max(len(page.content), len(delivery.content)) < 100_000
    assert "And 20 more" in text_of(page)
    assert f'href="/api/v1/events/{event.public_id}"' in page.content.decode()


def test_no_answer_is_read_that_is_not_shown(db: None, subscribe: Callable[..., Webhook]):
    for number in range(3):
        subscribe(f"/{number}", "custom.*")
    event = happen()
    sequence_events()
    last = Delivery.objects.order_by("pk").last()
    assert last

    with CaptureQueriesContext(connection) as asked:
        told, number = deliveries_of(event, most=2)

    assert (len(told), number) == (2, 3)
    assert not any(form in asked[-1]["sql"] for form in (str(last.pk), last.pk.hex))


def test_a_link_that_lets_in_is_not_shown_even_to_an_admin(admin: Visitor, api: Api, mailed: Callable[[str], str]):
    api.sign_up()
    event = Event.objects.get(type="auth.email_verificationRequested")

    page = admin.get(f"{LOG}/{event.public_id}")

    assert '"token": "•••"' in text_of(page)
    assert mailed("auth.email_verificationRequested") not in page.content.decode()


def test_an_event_leads_to_the_person_it_is_about_while_there_is_one(admin: Visitor, api: Api, key: Callable[..., Api]):
    person = api.sign_up()["user"]["id"]
    event = Event.objects.get(type="auth.user_signedUp")

    before = admin.get(f"{LOG}/{event.public_id}").content.decode()
    assert key("*").delete(f"/users/{person}").status_code == 204
    after = admin.get(f"{LOG}/{event.public_id}").content.decode()

    assert f'href="/console/users/{person}"' in before
    assert f'href="/console/users/{person}"' not in after
    assert f"?subject={person}" in after


def test_the_id_of_an_event_leads_to_its_page(admin: Visitor):
    event = happen()

    found = admin.get(f"{LOG}?subject=+{event.public_id}+")

    assert (found.status_code, found["Location"]) == (303, f"{LOG}/{event.public_id}")
    assert "it is no id" in text_of(admin.get(f"{LOG}?subject=evt_{'0' * 32}"))


def test_an_unknown_event_is_not_found(admin: Visitor):
    assert admin.get(f"{LOG}/evt_{'0' * 32}").status_code == 404
    assert admin.get(f"{LOG}/nonsense").status_code == 404


def test_who_is_no_admin_sees_nothing_of_the_log(visitor: Visitor):
    visitor.sign_up()

    for path in (LOG, f"{LOG}/types", f"{LOG}/evt_{'0' * 32}"):
        assert visitor.get(path)["Location"].startswith("/console/login")


def test_the_pages_stay_small_and_ask_little(
    transactional_db: None, admin: Visitor, subscribe: Callable[..., Webhook], django_assert_max_num_queries: Any
):
    subscribe("/hook", "*")
    for number in range(60):
        record_custom_event(type="custom.order_placed", data={"text": "x" * 500, "n": number}, origin=COMMAND_LINE)
    assert sequence_events() >= 60
    event = Event.objects.latest("id")

    for path in (LOG, f"{LOG}?type=custom.*&source=cli&since=2020-01-01T00:00", f"{LOG}/{event.public_id}"):
        with django_assert_max_num_queries(12):
            page = admin.get(path)
        assert page.status_code == 200
        assert len(page.content) < 100_000
