"""What people change of their own account, over REST and on their page."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import KnownDevice, Session, User
from authpages.pages.account import SHOWN_SESSIONS
from authpages.services import sessions
from events.models import Event
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import PASSWORD, Api

PROFILE = {"firstName": "Ann", "lastName": "Lee", "locale": "de-AT", "metadata": {"theme": "dark"}}


@pytest.fixture
def ann(api: Api) -> Api:
    api.sign_up()
    return api


def test_people_write_their_name_their_language_and_their_metadata(ann: Api) -> None:
    answer = ann.patch("/auth/me", PROFILE)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in PROFILE} == PROFILE
    assert answer.json() == ann.get("/auth/me").json()


def test_a_change_is_an_event_that_names_what_changed(ann: Api) -> None:
    ann.patch("/auth/me", {"firstName": "Ann", "lastName": ""})

    event = Event.objects.latest("id")
    assert (event.type, event.data["changed"]) == ("auth.user_updated", ["firstName"])


def test_what_changes_nothing_is_no_event(ann: Api, told: Callable[[], list[str]]) -> None:
    ann.patch("/auth/me", {"firstName": "", "metadata": {}})

    assert "auth.user_updated" not in told()


@pytest.mark.parametrize("member", ["email", "emailVerified", "roles", "admin", "blocked", "appMetadata", "password"])
def test_nobody_gives_themselves_more(ann: Api, member: str) -> None:
    before = User.objects.values().get()

    answer = ann.patch("/auth/me", {member: True, "firstName": "Ann"})

    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{member}"]
    assert User.objects.values().get() == before


def test_a_language_that_is_none_is_refused(ann: Api) -> None:
    answer = ann.patch("/auth/me", {"locale": "not a language"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/locale")


def test_an_admin_writes_their_own_name_too(admin: Visitor, settings: Any) -> None:
    admin.get("/console/login")
    token = {"X-CSRFToken": admin.client.cookies[settings.CSRF_COOKIE_NAME].value}

    answer = admin.client.patch("/api/v1/auth/me", {"firstName": "Root"}, "application/json", headers=token)

    assert (answer.status_code, answer.json()["firstName"]) == (200, "Root")


def test_a_program_has_no_account_of_its_own(key: Callable[..., Api]) -> None:
    assert key("*").patch("/auth/me", PROFILE).status_code == 403


NEW = "an entirely new password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


@pytest.fixture
def page(visitor: Visitor) -> Visitor:
    """Ann, at her page, who is logged in with Firefox too."""
    visitor.sign_up()
    firefox = {"email": "ann@example.com", "password": PASSWORD}
    Api().post("/auth/login", firefox, **{"user-agent": FIREFOX})
    return visitor


def _post(page: Visitor, path: str, **fields: str) -> Any:
    """Send one of the page's forms, with the token that they share."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.get("/account").content.decode())
    assert token
    return page.client.post(path, {"csrfmiddlewaretoken": token[1], **fields})


def _other_session() -> Session:
    return Session.objects.get(user_agent=FIREFOX)


def test_a_name_is_saved_and_shown(page: Visitor) -> None:
    answer = _post(page, "/account/profile", first_name="Ann", last_name="Lee")

    assert (answer.status_code, answer["Location"]) == (303, "/account?notice=profile-saved")
    text = text_of(page.get(answer["Location"]))
    assert "Your name is saved." in text
    assert "Ann Lee" in text


def test_a_password_is_changed_and_every_other_device_logged_out(page: Visitor, settings: Any) -> None:
    before = page.client.cookies[settings.SESSION_COOKIE_NAME].value

    answer = _post(page, "/account/password", current_password=PASSWORD, new_password=NEW)

    assert (answer.status_code, answer["Location"]) == (303, "/account?notice=password-changed")
    assert page.client.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert "every other device is logged out" in text_of(page.get(answer["Location"]))
    assert _other_session().end_reason == "password_changed"
    assert Visitor().log_in(password=NEW).status_code == 303


def test_a_password_that_is_changed_leaves_only_this_device_known(page: Visitor) -> None:
    Visitor().log_in()

    _post(page, "/account/password", current_password=PASSWORD, new_password=NEW)

    assert KnownDevice.objects.count() == 1
    page.send("/logout")
    assert page.log_in(password=NEW).status_code == 303
    assert KnownDevice.objects.count() == 1


@pytest.mark.parametrize(
    ("current", "new", "error"),
    [
        ("wrong", NEW, 'id="id_current_password_error">This is not your current password.'),
        (PASSWORD, "short", 'id="id_new_password_error">Use at least 8 characters.'),
        ("", "", 'id="id_current_password_error">Please fill this in.'),
    ],
)
def test_a_refused_password_is_told_at_its_field(page: Visitor, current: str, new: str, error: str) -> None:
    answer = _post(page, "/account/password", current_password=current, new_password=new)

    assert answer.status_code == 400
    assert error in answer.content.decode()
    assert "Firefox on Linux" in text_of(answer)
    assert _other_session().ended_at is None


def test_who_has_to_wait_is_told_so(page: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 1
    _post(page, "/account/password", current_password="wrong", new_password=NEW)

    answer = _post(page, "/account/password", current_password=PASSWORD, new_password=NEW)

    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert "please wait" in text_of(answer)


def test_who_has_no_password_gets_one_by_mail(page: Visitor) -> None:
    User.objects.update(password=None)

    text = page.get("/account").content.decode()

    assert "You have no password yet" in text
    assert 'name="current_password"' not in text


def test_a_device_is_logged_out_from_another_one(page: Visitor) -> None:
    answer = _post(page, f"/account/sessions/{_other_session().pk}/end")

    assert (answer.status_code, answer["Location"]) == (303, "/account?notice=session-ended")
    assert _other_session().end_reason == "ended_by_owner"
    assert "Firefox" not in text_of(page.get("/account"))


def test_every_other_device_is_logged_out_at_once(page: Visitor) -> None:
    Visitor().log_in()

    answer = _post(page, "/account/sessions/end-others")

    assert (answer.status_code, answer["Location"]) == (303, "/account?notice=sessions-ended")
    assert page.get("/account").status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("meanwhile", ["cookie_hash", "ended_at"])
@pytest.mark.parametrize("does", ["end_other_sessions", "end_session_of"])
def test_whoever_presses_with_a_cookie_that_is_worthless_by_then_is_shown_nothing(
    page: Visitor, monkeypatch: pytest.MonkeyPatch, meanwhile: str, does: str
) -> None:
    """A stolen one may have waited for its owner, who logs out every other device."""
    own = Session.objects.exclude(pk=_other_session().pk).get()
    changed = {meanwhile: timezone.now() if meanwhile == "ended_at" else b"another cookie"}

    def do_late(**named: Any) -> Any:
        Session.objects.filter(pk=own.pk).update(**changed)
        return getattr(sessions, does)(**named)

    monkeypatch.setattr(f"authpages.pages.account.{does}", do_late)
    answer = _post(page, f"/account/sessions/{'end-others' if does == 'end_other_sessions' else f'{UUID(int=7)}/end'}")

    assert answer.status_code == 303
    assert answer["Location"] == "/login?next=/account%3Fnotice%3Dnot-sent"
    assert _other_session().ended_at is None


def test_nobody_logs_out_a_device_of_another(page: Visitor) -> None:
    bob = Visitor()
    bob.sign_up("bob@example.com")

    answer = _post(bob, f"/account/sessions/{_other_session().pk}/end")

    assert answer.status_code == 404
    assert "There is no such session" in text_of(answer)
    assert _other_session().ended_at is None


@pytest.mark.parametrize("path", ["/account/profile", "/account/password", f"/account/sessions/{UUID(int=7)}/end"])
def test_the_address_of_a_form_leads_to_the_page(page: Visitor, path: str) -> None:
    assert page.get(path)["Location"] == "/account"
    assert Visitor().get(path)["Location"] == "/login?next=/account"


def test_the_page_is_quick_and_small_however_many_devices_there_are(page: Visitor) -> None:
    owner = User.objects.get()
    Session.objects.bulk_create(
        Session(user=owner, user_agent=FIREFOX, expires_at=_other_session().expires_at) for _ in range(200)
    )

    with CaptureQueriesContext(connection) as queries:
        answer = page.get("/account")

    assert len(queries) <= 6
    assert len(answer.content) < 100_000
    assert answer.content.count(b"/end#sessions") == SHOWN_SESSIONS - 1
    assert "There are more than these" in text_of(answer)


def test_who_was_logged_out_meanwhile_reads_that_the_form_was_not_taken(page: Visitor) -> None:
    token = page.client.cookies["fastgen_csrf"].value
    del page.client.cookies["fastgen_session"]

    sent = page.client.post("/account/profile", {"csrfmiddlewaretoken": token, "first_name": "Ann"})
    back = page.log_in(at=sent["Location"])["Location"]

    assert back == "/account?notice=not-sent"
    assert "so what you sent was not taken. Please send it again." in text_of(page.get(back))
