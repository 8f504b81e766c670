"""Codes, links and tokens of which many make use at the same moment, on both databases.

Of fifty that exchange one code exactly one gets tokens; and since forty-nine others have the code as well, the session
that it came from ends, and those tokens with it (RFC 6749, 4.1.2; RFC 9700, 4.5.3). A refresh token is another thing:
two tabs, or a lost answer, are no theft, so all that come within ten seconds (here: a minute) get the same child.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import App, AppSession, Session, User
from authpages.services.apps import NOBODY, change_app, delete_app
from authpages.services.auth_requests import resolve_due
from authpages.services.consents import remove_access
from authpages.services.password_change import change_password
from authpages.services.users import create_user, delete_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import AppClient, confidential_app, public_app, userinfo
from tests.conftest import AT_ONCE, PASSWORD, Api, together

FIFTY = 50

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _everyone_may_hash(settings: Any) -> None:
    settings.HASH_CONCURRENCY = settings.REFRESH_REPEAT_SECONDS = 60


@pytest.fixture
def fifty(many_connections: None) -> int:
    return FIFTY


@pytest.fixture
def app() -> AppClient:
    """An app of ours, with Ann logged in by a program."""
    Api().sign_up()
    app = public_app()
    app.refresh(app.tokens()["refresh_token"])  # so that the signing key is there
    return app


def test_one_code_used_fifty_times_at_once_is_exchanged_once_and_ends_the_session(
    app: AppClient, told: Callable[[], list[str]], fifty: int
) -> None:
    code = app.code()

    answers = together(lambda _: app.exchange(code), fifty)

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (fifty - 1)
    assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    assert Session.objects.get().end_reason == "code_reused"
    assert told().count("auth.token_reused") == told().count("auth.session_ended") == 1
    assert userinfo(won["access_token"]).status_code == 401
    assert app.refresh(won["refresh_token"]).status_code == 400


def test_one_refresh_token_used_fifty_times_at_once_yields_one_child(app: AppClient, fifty: int) -> None:
    token = app.tokens()["refresh_token"]

    answers = together(lambda _: app.refresh(token), fifty)

    assert {answer.status_code for answer in answers} == {200}
    [child] = {answer.json()["refresh_token"] for answer in answers}
    assert Session.objects.get().ended_at is None
    assert app.refresh(child).status_code == 200
    assert {userinfo(answer.json()["access_token"]).status_code for answer in answers} == {200}


def test_one_reset_link_used_fifty_times_at_once_sets_one_password(mailed: Callable[[str], str], fifty: int) -> None:
    Api().sign_up()
    Api().post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    token = mailed("auth.password_reset")

    def reset(number: int) -> int:
        body = {"token": token, "password": f"password number {number}"}
        return int(Api().post("/auth/password-reset/submit", body).status_code)

    assert sorted(together(reset, fifty)) == [204] + [400] * (fifty - 1)


def test_one_verification_link_used_fifty_times_at_once_is_one_event(
    mailed: Callable[[str], str], told: Callable[[], list[str]], fifty: int
) -> None:
    Api().sign_up()
    body = {"token": mailed("auth.email_verificationRequested")}

    statuses = together(lambda _: Api().post("/auth/email-verification/submit", body).status_code, fifty)

    assert statuses == [200] * fifty
    assert told().count("auth.email_verified") == 1


def test_codes_of_one_session_are_exchanged_at_once(app: AppClient) -> None:
    codes = [app.code() for _ in range(AT_ONCE)]

    statuses = together(lambda number: app.exchange(codes[number]).status_code)

    assert statuses == [200] * AT_ONCE
    assert AppSession.objects.count() == AT_ONCE + 1


def test_what_is_refreshed_while_it_is_revoked_is_over_afterwards(app: AppClient) -> None:
    token = app.tokens()["refresh_token"]

    def act(number: int) -> int:
        return int((app.revoke(token) if number % 2 else app.refresh(token)).status_code)

    assert set(together(act)) <= {200, 400}
    assert app.refresh(token).status_code == 400
    assert AppSession.objects.alive(timezone.now()).count() == 1  # of the fixture's
    assert Session.objects.get().ended_at is None


def test_a_person_is_deleted_while_apps_exchange_and_refresh(app: AppClient) -> None:
    codes, token = [app.code() for _ in range(AT_ONCE)], app.tokens()["refresh_token"]
    person = User.objects.get().pk

    def act(number: int) -> int:
        if number == 3:
            delete_user(user_id=person, origin=COMMAND_LINE)
            return 204
        return int((app.exchange(codes[number]) if number % 2 else app.refresh(token)).status_code)

    create_user(email="root@example.com", admin=True, origin=COMMAND_LINE)

    assert set(together(act)) <= {200, 204, 400}
    assert not AppSession.objects.exists()


def test_an_app_is_deleted_while_it_exchanges_and_refreshes(app: AppClient) -> None:
    codes, token = [app.code() for _ in range(AT_ONCE)], app.tokens()["refresh_token"]

    def act(number: int) -> int:
        if number == 3:
            delete_app(app_id=app.app.pk)
            return 204
        return int((app.exchange(codes[number]) if number % 2 else app.refresh(token)).status_code)

    assert set(together(act)) <= {200, 204, 400, 401}
    assert not App.objects.filter(pk=app.app.pk).exists()
    assert Session.objects.get().ended_at is None


def test_access_is_removed_while_the_app_exchanges(app: AppClient) -> None:
    person = User.objects.get()

    def act(codes: list[str], number: int) -> int:
        if number % 4:
            return int(app.exchange(codes[number]).status_code)
        remove_access(user=person, app_id=app.app.pk, origin=COMMAND_LINE)
        return 204

    for _round in range(6):
        codes = [app.code() for _ in range(AT_ONCE)]
        assert set(together(partial(act, codes))) <= {200, 204, 400}

    assert Session.objects.get().ended_at is None


@pytest.mark.parametrize("becomes", [True, False])
def test_an_app_changes_its_party_while_it_exchanges_and_people_take_it_back(app: AppClient, becomes: bool) -> None:
    person, other = User.objects.get(), public_app(name="Other", first_party=not becomes)

    def act(codes: list[str], token: str, number: int) -> int:
        if number == 3:
            change_app(app_id=other.app.pk, changes={"first_party": becomes}, giver=NOBODY)
        elif number == 4:
            remove_access(user=person, app_id=other.app.pk, origin=COMMAND_LINE)
        else:
            return int((other.exchange(codes[number]) if number % 2 else other.refresh(token)).status_code)
        return 204

    for _round in range(3):
        other = AppClient(App.objects.get(pk=other.app.pk))
        change_app(app_id=other.app.pk, changes={"first_party": not becomes}, giver=NOBODY)
        other.app.first_party = not becomes
        scope = "openid offline_access"
        codes, token = [other.code(scope=scope) for _ in range(AT_ONCE)], other.tokens(scope=scope)["refresh_token"]
        assert set(together(partial(act, codes, token))) <= {200, 204, 400}
        assert not AppSession.objects.alive(timezone.now()).filter(app=other.app).exists()


def test_a_password_is_changed_while_apps_exchange_and_refresh(app: AppClient) -> None:
    codes, tokens = [app.code() for _ in range(AT_ONCE)], app.tokens()
    session = Session.objects.select_related("user").get()

    def act(number: int) -> int:
        if number == 3:
            change_password(session=session, current=PASSWORD, new=PASSWORD[::-1], origin=COMMAND_LINE)
            return 204
        answer = app.exchange(codes[number]) if number % 2 else app.refresh(tokens["refresh_token"])
        return int(answer.status_code)

    assert set(together(act)) <= {200, 204, 400}
    assert not AppSession.objects.alive(timezone.now()).exists()
    assert Session.objects.get().ended_at is None


def test_guesses_at_a_secret_sent_at_once_are_all_counted(settings: Any) -> None:
    settings.CLIENT_FAILURES_PER_ADDRESS_PER_HOUR = 4
    app = confidential_app()
    guessing = AppClient(app.app, "wrong")

    statuses = together(lambda _: guessing.client_credentials().status_code)

    assert sorted(statuses) == [401] * 4 + [429] * (AT_ONCE - 4)
