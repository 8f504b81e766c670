"""Who holds which rows of apps, and who waits for whom: one stands still in the middle while another comes along."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from authpages.errors import TokenInvalid
from authpages.models import App, AppSession, AuthorizationCode, Consent, RefreshToken, Session, User, token_hash
from authpages.models.apps import AppSessionQuerySet
from authpages.services import password_change, refresh_tokens, sessions
from authpages.services.apps import NOBODY, change_app, delete_app
from authpages.services.consents import agree
from authpages.services.password_change import change_password
from authpages.services.retention import forget_some
from authpages.services.sessions import end_other_sessions
from authpages.services.users import create_user, delete_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import AppClient, public_app
from tests.authpages.meetings import PATIENCE, comes_to_a_lock
from tests.authpages.test_races import meeting_of_locks
from tests.conftest import PASSWORD, Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def app() -> AppClient:
    """An app of ours, with Ann logged in by a program."""
    Api().sign_up()
    return public_app()


class Pause:
    """Where one thread stands still, until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.over = threading.Event(), threading.Event()

    def here(self) -> None:
        self.reached.set()
        self.over.wait(PATIENCE)


@pytest.fixture
def pause() -> Pause:
    return Pause()


@pytest.fixture
def begin() -> Iterator[Callable[..., Future[Any]]]:
    """Begins a call in a thread of its own."""
    with ThreadPoolExecutor() as pool:

        def run(call: Callable[[], Any]) -> Any:
            try:
                return call()
            finally:
                connections.close_all()

        yield lambda call: pool.submit(run, call)


@pytest.mark.parametrize("stands", ["before", "after"])
def test_an_app_is_deleted_when_a_refresh_that_began_before_is_done(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause, monkeypatch: pytest.MonkeyPatch, stands: str
) -> None:
    token, rotate = app.tokens()["refresh_token"], refresh_tokens._rotate

    def slowly(*args: Any) -> Any:
        if stands == "before":
            pause.here()
        rotated = rotate(*args)
        if stands == "after":
            pause.here()
        return rotated

    monkeypatch.setattr(refresh_tokens, "_rotate", slowly)

    refreshing = begin(lambda: app.refresh(token).status_code)
    assert pause.reached.wait(PATIENCE)
    deleting = begin(lambda: delete_app(app_id=app.app.pk))
    comes_to_a_lock(deleting)
    pause.over.set()

    assert refreshing.result(PATIENCE) in {200, 401}  # the app may be gone before its answer is made
    deleting.result(PATIENCE)
    assert not App.objects.filter(pk=app.app.pk).exists()
    assert not RefreshToken.objects.exclude(app_session=None).exists()


@meeting_of_locks
@pytest.mark.parametrize("does", ["go on to it", "agree to it"])
def test_nobody_waits_for_an_app_with_their_session_or_account_in_their_hands(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause, does: str
) -> None:
    def change_slowly() -> None:
        with transaction.atomic():
            App.objects.select_for_update().get(pk=app.app.pk)
            pause.here()

    session = Session.objects.select_related("user").get()
    agreeing: dict[str, Any] = {"session": session, "app": app.app, "scope": "openid", "origin": COMMAND_LINE}
    changing = begin(change_slowly)
    assert pause.reached.wait(PATIENCE)
    asking = begin(lambda: agree(**agreeing) if does == "agree to it" else app.code(session))
    waits = comes_to_a_lock(asking)
    try:
        with transaction.atomic():
            User.objects.select_for_update(nowait=True).get()
            Session.objects.select_for_update(nowait=True).get()
    finally:
        pause.over.set()

    changing.result(PATIENCE)
    asking.result(PATIENCE)
    assert waits
    assert [AuthorizationCode.objects.count(), Consent.objects.count()] == ([0, 1] if does == "agree to it" else [1, 0])


def test_a_person_is_deleted_while_an_app_changes_its_party(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.tokens()
    app.code()
    create_user(email="root@example.com", admin=True, origin=COMMAND_LINE)
    person, end, deleter = User.objects.get(email="ann@example.com").pk, AppSessionQuerySet.end, threading.local()

    def end_slowly(held: AppSessionQuerySet) -> None:
        end(held)
        if getattr(deleter, "is_here", False):
            pause.here()

    def delete() -> None:
        deleter.is_here = True
        delete_user(user_id=person, origin=COMMAND_LINE)

    monkeypatch.setattr(AppSessionQuerySet, "end", end_slowly)

    deleting = begin(delete)
    assert pause.reached.wait(PATIENCE)
    changing = begin(lambda: change_app(app_id=app.app.pk, changes={"first_party": False}, giver=NOBODY))
    comes_to_a_lock(changing)
    pause.over.set()

    deleting.result(PATIENCE)
    assert not changing.result(PATIENCE).first_party
    assert not AppSession.objects.exists()


def test_nothing_is_agreed_to_by_a_cookie_that_a_new_password_made_worthless_meanwhile(app: AppClient) -> None:
    Session.objects.update(cookie_hash=b"a cookie")
    stranger = public_app(first_party=False).app
    stolen, own = (Session.objects.select_related("user").get() for _copy in range(2))
    change_password(session=own, current=PASSWORD, new=PASSWORD[::-1], origin=COMMAND_LINE)

    agree(session=stolen, app=stranger, scope="openid", origin=COMMAND_LINE)
    assert not Consent.objects.exists()

    agree(session=own, app=stranger, scope="openid", origin=COMMAND_LINE)
    assert Consent.objects.exists()


@meeting_of_locks
def test_who_agrees_waits_for_a_new_password_and_is_asked_for_their_cookie_after_it(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    Session.objects.update(cookie_hash=b"a cookie")
    stranger = public_app(first_party=False).app
    stolen, own = (Session.objects.select_related("user").get() for _copy in range(2))
    end = AppSessionQuerySet.end

    def end_slowly(held: AppSessionQuerySet) -> None:
        end(held)
        pause.here()

    monkeypatch.setattr(AppSessionQuerySet, "end", end_slowly)

    changing = begin(lambda: change_password(session=own, current=PASSWORD, new=PASSWORD[::-1], origin=COMMAND_LINE))
    assert pause.reached.wait(PATIENCE)
    agreeing = begin(lambda: agree(session=stolen, app=stranger, scope="openid", origin=COMMAND_LINE))
    waits = comes_to_a_lock(agreeing)
    pause.over.set()
    changing.result(PATIENCE)
    agreeing.result(PATIENCE)

    assert waits
    assert not Consent.objects.exists()


@meeting_of_locks
def test_every_other_device_is_logged_out_by_one_alone(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copied the cookie may press at the same moment, and would get the newest one."""
    Session.objects.update(cookie_hash=b"a cookie")
    own, stolen = (Session.objects.select_related("user").get() for _copy in range(2))
    end = AppSessionQuerySet.end

    def end_slowly(held: AppSessionQuerySet) -> None:
        end(held)
        pause.here()

    monkeypatch.setattr(AppSessionQuerySet, "end", end_slowly)

    first = begin(lambda: end_other_sessions(session=own, origin=COMMAND_LINE).cookie)
    assert pause.reached.wait(PATIENCE)
    second = begin(lambda: end_other_sessions(session=stolen, origin=COMMAND_LINE))
    comes_to_a_lock(second)
    pause.over.set()

    kept = token_hash(first.result(PATIENCE))
    with pytest.raises(TokenInvalid):
        second.result(PATIENCE)
    assert bytes(Session.objects.get().cookie_hash or b"") == kept


@pytest.mark.parametrize("how", ["a new password", "every other device logged out"])
def test_an_app_is_deleted_while_somebody_shuts_others_out(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first = Session.objects.get()
    app.tokens(session=first)
    Api().log_in()
    own = Session.objects.select_related("user").exclude(pk=first.pk).get()
    app.tokens(session=own)
    module = password_change if how == "a new password" else sessions
    renew = sessions.renew_session

    def renew_slowly(*, session: Session) -> Any:
        renewed = renew(session=session)
        pause.here()
        return renewed

    monkeypatch.setattr(module, "renew_session", renew_slowly)

    def shut_out() -> Any:
        if how == "a new password":
            return change_password(session=own, current=PASSWORD, new=PASSWORD[::-1], origin=COMMAND_LINE)
        return end_other_sessions(session=own, origin=COMMAND_LINE)

    shutting = begin(shut_out)
    assert pause.reached.wait(PATIENCE)
    deleting = begin(lambda: delete_app(app_id=app.app.pk))
    comes_to_a_lock(deleting)
    pause.over.set()

    assert shutting.result(PATIENCE)
    deleting.result(PATIENCE)
    assert [each.pk for each in Session.objects.filter(ended_at=None)] == [own.pk]


@meeting_of_locks
def test_what_somebody_uses_just_now_is_forgotten_another_time(
    app: AppClient, begin: Callable[..., Future[Any]], pause: Pause
) -> None:
    app.tokens()
    AppSession.objects.update(ends_at=timezone.now())

    def use() -> None:
        with transaction.atomic():
            Session.objects.select_for_update().get()
            pause.here()

    using = begin(use)
    assert pause.reached.wait(PATIENCE)
    more = begin(forget_some).result(PATIENCE)
    kept = AppSession.objects.exists()
    pause.over.set()
    using.result(PATIENCE)
    forget_some()

    assert not more
    assert kept
    assert not AppSession.objects.exists()
