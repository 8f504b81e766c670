"""What an app holds of a session: it has an end of its own, which nothing moves on, and it ends where it has to."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from authpages.models import App, AppSession, AuthorizationCode, Consent, RefreshToken, Session, User
from authpages.services.apps import NOBODY, change_app
from authpages.services.codes import issue_code
from authpages.services.password_change import change_password
from authpages.services.retention import forget_some
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import AppClient, confidential_app, public_app, refusal, userinfo
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import asking, told_to_app
from tests.conftest import PASSWORD, Api

NEW = "an entirely new one"
pytestmark = pytest.mark.django_db


@pytest.fixture
def app(visitor: Visitor) -> AppClient:
    """An app of ours, with Ann logged in in a browser."""
    visitor.sign_up()
    return public_app()


def is_good(app: AppClient, tokens: dict[str, Any]) -> set[bool]:
    """Whether anything can be done with what an app got: refreshing, asking for the person, calling our API."""
    token = tokens["access_token"]
    answers = [userinfo(token), Api(token).get("/auth/me"), app.refresh(tokens["refresh_token"])]
    return {answer.status_code == 200 for answer in answers}


def holders(app: AppClient) -> list[int]:
    """How many people are logged in through the app, as its page tells it, and the list of apps."""
    now = timezone.now()
    listed = App.objects.with_holders(now).get(pk=app.app.pk).listed_holders
    return [app.app.holders(now).people, listed.people]


# An end of its own


def test_it_ends_by_itself_though_the_session_lives(app: AppClient) -> None:
    server, tokens = confidential_app(), app.tokens()
    AppSession.objects.update(ends_at=timezone.now())

    told = [server.introspect(tokens[kind]).json() for kind in ("access_token", "refresh_token")]

    assert told == [{"active": False}] * 2
    assert is_good(app, tokens) == {False}
    assert Session.objects.get().ended_at is None


def test_neither_use_nor_a_new_login_moves_its_end(app: AppClient, visitor: Visitor, settings: Any) -> None:
    tokens = app.tokens()
    ends_at = AppSession.objects.get().ends_at

    tokens = app.refresh(tokens["refresh_token"]).json()
    visitor.log_in()

    assert AppSession.objects.get().ends_at == ends_at
    assert abs(ends_at - timezone.now() - timedelta(days=settings.SESSION_DAYS)) < timedelta(minutes=1)
    assert is_good(app, tokens) == {True}


def test_a_session_that_lives_for_a_login_keeps_no_app_longer(app: AppClient, visitor: Visitor) -> None:
    tokens, years = app.tokens(), timedelta(days=365)
    Session.objects.update(expires_at=timezone.now() + years)
    held = AppSession.objects.get()
    AppSession.objects.update(ends_at=held.ends_at - years)

    visitor.log_in()

    assert is_good(app, tokens) == {False}


def test_introspection_tells_the_end_that_comes_first(app: AppClient) -> None:
    server, tokens = confidential_app(), app.tokens()
    soon = timezone.now() + timedelta(hours=1)
    AppSession.objects.update(ends_at=soon)

    assert server.introspect(tokens["refresh_token"]).json()["exp"] == int(soon.timestamp())


def test_what_has_ended_is_shown_nowhere(app: AppClient, visitor: Visitor, admin: Visitor) -> None:
    app.tokens(session=Session.objects.get(kind=Session.Kind.END_USER))
    pages = [(visitor, "/account"), (admin, f"/console/users/{User.objects.get(email='ann@example.com').pk}")]
    before = ["Notes" in text_of(who.get(path)) for who, path in pages]
    held = holders(app)

    AppSession.objects.update(ends_at=timezone.now())

    assert (before, held) == ([True, True], [1, 1])
    assert ["Notes" in text_of(who.get(path)) for who, path in pages] == [False, False]
    assert holders(app) == [0, 0]


def test_what_has_ended_is_forgotten_and_nothing_else(app: AppClient) -> None:
    first, second = app.tokens(), app.tokens()
    app.revoke(first["refresh_token"])

    forget_some()

    assert AppSession.objects.count() == RefreshToken.objects.count() == 1
    assert is_good(app, second) == {True}


def test_a_token_of_what_has_ended_ends_no_session(app: AppClient) -> None:
    first = app.tokens()["refresh_token"]
    app.refresh(app.refresh(first).json()["refresh_token"])
    AppSession.objects.update(ends_at=timezone.now())

    assert refusal(app.refresh(first)) == (400, "invalid_grant")
    assert Session.objects.get().ended_at is None


# A password, and every other device


def _change_password(visitor: Visitor) -> None:
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.get("/account").content.decode())[-1]
    passwords = {"current_password": PASSWORD, "new_password": NEW}
    answer = visitor.client.post("/account/password", {"csrfmiddlewaretoken": token} | passwords)
    assert answer["Location"] == "/account?notice=password-changed"


def _end_others(visitor: Visitor) -> None:
    Visitor().log_in()
    answer = visitor.press("/account", "/account/sessions/end-others#sessions")
    assert answer["Location"] == "/account?notice=sessions-ended"


BY_OWNER = {"a new password": _change_password, "every other device logged out": _end_others}


@pytest.mark.parametrize("how", BY_OWNER)
def test_what_a_stolen_cookie_became_is_over(app: AppClient, visitor: Visitor, how: str) -> None:
    thief = public_app(name="Of the thief")
    tokens, code = thief.tokens(), thief.code()
    visitor.log_in()
    name, copied = settings.SESSION_COOKIE_NAME, Visitor()
    copied.client.cookies[name] = visitor.client.cookies[name].value
    assert "code" in told_to_app(copied.get(asking(thief.app)))

    BY_OWNER[how](visitor)

    assert is_good(thief, tokens) == {False}
    assert refusal(thief.exchange(code)) == (400, "invalid_grant")
    assert copied.get(asking(thief.app))["Location"].startswith("/login")
    assert Session.objects.filter(ended_at=None).count() == 1
    assert visitor.get("/account").status_code == 200


def test_an_app_that_changes_the_password_goes_on_alone(app: AppClient) -> None:
    other = public_app(name="Other")
    tokens, others, code = app.tokens(), other.tokens(), other.code()

    answer = Api(tokens["access_token"]).post(
        "/auth/password/change", {"currentPassword": PASSWORD, "newPassword": NEW}
    )

    assert is_good(other, others) == {False}
    assert refusal(other.exchange(code)) == (400, "invalid_grant")
    renewed = answer.json()["session"]
    assert is_good(app, {"access_token": renewed["accessToken"], "refresh_token": renewed["refreshToken"]}) == {True}


def test_a_login_in_the_same_browser_ends_nothing(app: AppClient, visitor: Visitor) -> None:
    tokens, code = app.tokens(), app.code()

    visitor.log_in()

    assert is_good(app, tokens) == {True}
    assert app.exchange(code).status_code == 200


# A third-party app


@pytest.fixture
def stranger(visitor: Visitor) -> AppClient:
    """A third-party app, with Ann logged in in a browser."""
    visitor.sign_up()
    return public_app(name="Stranger", first_party=False)


def _nothing(_app: AppClient) -> None:
    Consent.objects.all().delete()


def _less(_app: AppClient) -> None:
    Consent.objects.update(scope="openid")


@pytest.mark.parametrize("agreed", [_nothing, _less])
def test_a_third_party_app_gets_nothing_that_nobody_agrees_to(
    stranger: AppClient, agreed: Callable[[AppClient], None]
) -> None:
    code = stranger.code()
    agreed(stranger)

    assert refusal(stranger.exchange(code)) == (400, "invalid_grant")
    assert not AppSession.objects.exists()
    assert AuthorizationCode.objects.get().used_at is None


@pytest.mark.parametrize("becomes", [True, False])
def test_another_party_has_nothing_of_what_was_on_its_way(visitor: Visitor, becomes: bool) -> None:
    visitor.sign_up()
    app = public_app(first_party=not becomes)
    scope = "openid offline_access"
    tokens, code = app.tokens(scope=scope), app.code(scope=scope)

    change_app(app_id=app.app.pk, changes={"first_party": becomes}, giver=NOBODY)

    assert refusal(app.exchange(code)) == (400, "invalid_grant")
    assert userinfo(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    assert not Consent.objects.exists()


def test_a_change_of_party_that_is_refused_ends_nothing(app: AppClient) -> None:
    tokens = app.tokens()

    with pytest.raises(Exception, match="redirect URI"):
        change_app(app_id=app.app.pk, changes={"first_party": False, "redirect_uris": []}, giver=NOBODY)

    assert is_good(app, tokens) == {True}


def test_who_asked_with_a_cookie_just_before_the_password_is_changed_gets_no_code(
    app: AppClient, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the change, as a thief with the cookie may, finds that the session stands behind another one."""
    session = Session.objects.select_related("user").get()

    def issue_after_the_change(**asked: Any) -> str:
        change_password(session=session, current=PASSWORD, new=NEW, origin=COMMAND_LINE)
        return issue_code(**asked)

    monkeypatch.setattr("authpages.services.authorization.issue_code", issue_after_the_change)
    answer = visitor.get(asking(app.app))

    assert answer["Location"].startswith("/login?next=")
    assert not AuthorizationCode.objects.exists()
