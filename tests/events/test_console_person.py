"""A person's page: their story, why they can't sign in, and the way to delete them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import EndReason, HostedAuthSettings, KnownDevice, OneTimeLink, Session, User
from authpages.services.api_keys import create_api_key
from authpages.services.app_sessions import start_app_session
from authpages.services.apps import Giver, create_app
from authpages.services.users import create_user
from authpages.throttles import Attempt, count_failed_login
from datahub.services.tables import create_table
from events.console.person import END_WORDS
from events.models import Event
from events.services.sequencing import sequence_events
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.oauth import make_app
from tests.conftest import PASSWORD
from tests.events.test_overview import console, text_of

__all__ = ["console"]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ann(db: None) -> User:
    """Somebody whom nothing keeps out."""
    return create_user(email="ann@example.com", password=PASSWORD, email_verified=True, origin=COMMAND_LINE)


@pytest.fixture
def story(console: Client, ann: User) -> Callable[[], str]:
    """What Ann's page says."""
    return lambda: text_of(console.get(f"/console/users/{ann.pk}"))


def test_nothing_stands_in_the_way_of_who_can_sign_in(story: Callable[[], str]) -> None:
    assert "Nothing stands in their way" in story()


def _block(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(blocked=True)


def _demand_verification(ann: User) -> None:
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"require_verified_email": True})
    User.objects.filter(pk=ann.pk).update(email_verified=False)


def _forget_password(ann: User) -> None:
    User.objects.filter(pk=ann.pk).update(password=None)


def _fail(times: int) -> Callable[[User], None]:
    def fail(ann: User) -> None:
        for _ in range(times):
            count_failed_login(Attempt(ann.email_key, None, None))

    return fail


def _fail_in_a_browser_of_theirs(ann: User) -> None:
    device = KnownDevice.objects.create(user=ann, hash=b"known")
    for _ in range(12):
        count_failed_login(Attempt(ann.email_key, None, device.pk))


def _close_pages(ann: User) -> None:
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"pages_enabled": False})


@pytest.mark.parametrize(
    ("happens", "said", "button"),
    [
        (_block, "They are blocked", "unblock"),
        (_demand_verification, "Their address is not verified", "send-verification"),
        (_forget_password, "They have no password", "send-reset"),
        (_fail(2), "Wrong passwords were tried 2 wrong passwords in a row.", "lift-throttle"),
        (_fail(12), "They have to wait 12 wrong passwords in a row.", "lift-throttle"),
        (_fail_in_a_browser_of_theirs, "The next try in a browser of theirs is refused until", "lift-throttle"),
        (_fail(settings.LOGIN_MAX_FAILURES), "a right one from a device of theirs still counts.", "send-reset"),
        (_close_pages, "The hosted pages are off", "/console/settings"),
    ],
)
def test_what_keeps_somebody_out_is_told_with_the_button_that_mends_it(
    console: Client, ann: User, happens: Callable[[User], None], said: str, button: str
) -> None:
    happens(ann)

    page = console.get(f"/console/users/{ann.pk}")

    reasons = page.content.decode().partition('id="in"')[2].partition("</section>")[0]
    assert said in text_of(page)
    assert button in reasons


def test_sessions_are_told_by_their_device(story: Callable[[], str], ann: User) -> None:
    login = {"email": ann.email, "password": PASSWORD}
    Client(headers={"host": "127.0.0.1:8000", "user-agent": FIREFOX}).post("/login", login)

    assert "Firefox on Linux" in story()


def test_sessions_that_ended_are_told_with_the_reason(story: Callable[[], str], ann: User) -> None:
    client = Client(headers={"host": "127.0.0.1:8000", "user-agent": FIREFOX})
    client.post("/login", {"email": ann.email, "password": PASSWORD})
    client.post("/logout")

    assert "Firefox on Linux ended: they logged out" in story()


@pytest.mark.whichever_database
def test_however_many_sessions_there_were_the_newest_are_found_by_an_index(console: Client, ann: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        console.get(f"/console/users/{ann.pk}")

    lists = [each["sql"] for each in asked if 'ORDER BY "authpages_session"' in each["sql"]]
    with connection.cursor() as cursor:
        plans = [str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()) for sql in lists]
    assert ["(user_id=? AND ended_at" in plan for plan in plans] == [True, True]


def test_every_reason_has_its_words() -> None:
    assert set(END_WORDS) == set(EndReason)


def test_links_are_told_with_what_became_of_them(story: Callable[[], str], ann: User) -> None:
    now = timezone.now()
    became: list[dict[str, Any]] = [{}, {"spent_at": now}, {"voided_at": now}, {"expires_at": now}]
    for place, state_of_it in enumerate(became):
        fields = {"purpose": "reset", "expires_at": now + timedelta(hours=1), **state_of_it}
        OneTimeLink.objects.create(user=ann, hash=bytes([place]), **fields)

    page = story()

    for state in ("open", "used", "void", "too old"):
        assert f"Reset {state}" in page


def test_what_happened_is_told_newest_first_and_in_pages(console: Client, ann: User) -> None:
    for _ in range(30):
        Event.objects.create(type="auth.user_loggedIn", source="api", subject=str(ann.pk), data={})
    Event.objects.create(type="auth.login_failed", source="api", subject="someone else", data={})
    sequence_events()
    path = f"/console/users/{ann.pk}"

    page = console.get(path).content.decode()

    assert "auth.login_failed" not in page.partition('id="happened"')[2]
    assert page.count(">auth.user_loggedIn<") == 25
    older = page.partition("#happened")[0].rpartition('href="')[2]
    assert ">auth.user_created<" in console.get(older).content.decode()


def test_what_has_no_place_in_the_log_yet_is_told_too(story: Callable[[], str]) -> None:
    happened = story().partition("What happened")[2]

    assert "auth.user_created" in happened
    assert "unsequenced" in happened


def test_what_an_admin_may_not_do_to_themselves_leads_back(console: Client) -> None:
    own = f"/console/users/{User.objects.get(email='root@example.com').pk}"

    answer = console.post(f"{own}/delete", headers={"referer": f"http://127.0.0.1:8000{own}"})

    assert answer.status_code == 409
    assert f'<a href="{own}">Go back</a>' in answer.content.decode()


def test_deleting_says_what_is_lost_and_deletes(console: Client, ann: User) -> None:
    create_table(name="Notes", on_owner_delete="delete", origin=COMMAND_LINE)
    create_table(name="Orders", on_owner_delete="clear", origin=COMMAND_LINE)
    create_api_key(name="Importer", scopes=["*"], made_by=ann)
    create_app(name="Billing", type="confidential", scopes=["*"], giver=Giver(lambda _scope: True, ann.pk))
    create_app(name="Shop", type="confidential", giver=Giver(lambda _scope: True, ann.pk))
    path = f"/console/users/{ann.pk}/delete"

    page = text_of(console.get(path))

    assert "API keys that they made stop working: Importer." in page
    assert "until another admin gives them a new secret: Billing." in page
    assert "Shop" not in page
    assert "Their rows in these tables are deleted: Notes." in page
    assert "Their rows in these tables stay, without an owner: Orders." in page
    assert console.post(path)["Location"] == "/console/users?what-done=deleted"
    assert not User.objects.filter(pk=ann.pk).exists()


def test_nobody_deletes_themselves(console: Client) -> None:
    root = User.objects.get(email="root@example.com")

    assert console.post(f"/console/users/{root.pk}/delete").status_code == 409
    assert "This is you." in text_of(console.get(f"/console/users/{root.pk}"))


def test_who_is_not_there_is_not_found(console: Client, ann: User) -> None:
    ann.delete()

    assert console.get(f"/console/users/{ann.pk}").status_code == 404


def test_a_full_story_stays_light(console: Client, ann: User) -> None:
    now = timezone.now()
    later = now + timedelta(hours=1)
    Session.objects.bulk_create(Session(user=ann, user_agent=FIREFOX, expires_at=later) for _ in range(100))
    OneTimeLink.objects.bulk_create(
        OneTimeLink(user=ann, purpose="reset", hash=bytes([place]), expires_at=later) for place in range(40)
    )
    Event.objects.bulk_create(
        Event(type="auth.user_loggedIn", source="api", subject=str(ann.pk), data={}) for _ in range(60)
    )
    sequence_events()

    with CaptureQueriesContext(connection) as queries:
        page = console.get(f"/console/users/{ann.pk}")

    assert len(queries) <= 12
    assert len(page.content) <= 100_000


def test_a_session_names_the_apps_that_hold_it(ann: User, story: Callable[[], str]) -> None:
    over = timezone.now() + timedelta(days=1)
    session = Session.objects.create(user=ann, user_agent=FIREFOX, expires_at=over)
    for app in (make_app(), make_app(name="", is_default=True)):
        for _number in range(2):
            start_app_session(session=session, app=app, scope="openid")

    assert "Apps: the default app, Notes" in story()
