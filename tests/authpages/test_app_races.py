"""Apps at the same moment: one default app, one reference of a refusal, no URI lost, nothing left of a deleted app."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from authpages.models import App, AppSession, HostedAuthSettings, RefreshToken, RefusedRedirect, Session, token_hash
from authpages.services import refused_redirects
from authpages.services.apps import NOBODY, change_app, create_app, default_app, delete_app, read_app
from authpages.services.codes import exchange_code, find_code, issue_code
from authpages.services.refused_redirects import add_refused_redirect, note_refused_redirect
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.meetings import PATIENCE, comes_to_a_lock
from tests.authpages.test_races import meeting_of_locks
from tests.conftest import AT_ONCE, Api, together

pytestmark = pytest.mark.django_db(transaction=True)
CALLBACK = "https://shop.example.com/callback"


@pytest.fixture
def shop(transactional_db: None) -> App:
    return create_app(name="Shop", type="public", redirect_uris=[CALLBACK], giver=NOBODY).app


def note(app: App | None, uri: str) -> str:
    return note_refused_redirect(app=app, client_id="someone", uri=uri, for_logout=False)


def test_the_default_app_is_made_once():
    made = together(lambda _number: default_app().pk)

    assert {App.objects.get().pk} == set(made)
    assert len(made) == AT_ONCE


@pytest.mark.parametrize("known", [True, False])
def test_the_same_refusal_at_once_has_one_reference_and_is_counted(shop: App, known: bool):
    references = together(lambda _number: note(shop if known else None, "https://evil.example/"))

    row = RefusedRedirect.objects.get()
    assert references == [row.reference] * AT_ONCE
    assert row.count == AT_ONCE


def test_a_flood_at_once_is_bounded_and_everybody_has_a_reference(shop: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refused_redirects, "MOST_OF_AN_APP", 3)

    references = together(lambda number: [note(shop, f"https://evil.example/{number}/{each}") for each in range(4)])
    note(shop, "https://evil.example/last")

    assert len({each for some in references for each in some}) == 4 * AT_ONCE
    assert RefusedRedirect.objects.count() == 3


@pytest.fixture
def in_between(shop: App, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has an address refused the next time that room is made, between the look at what is there and what goes."""
    monkeypatch.setattr(refused_redirects, "MOST_OF_AN_APP", 3)
    look = refused_redirects._outranked

    def note_in_between(uri: str) -> None:
        def look_before_another(noted: RefusedRedirect) -> dict[int, int]:
            found = look(noted)
            monkeypatch.setattr(refused_redirects, "_outranked", look)
            note(shop, uri)
            return found

        monkeypatch.setattr(refused_redirects, "_outranked", look_before_another)

    return note_in_between


def test_two_who_make_room_leave_as_many_as_there_is_room_for(shop: App, in_between: Callable[[str], None]):
    RefusedRedirect.objects.bulk_create(_seen_once(shop, number) for number in range(4))

    in_between("https://evil.example/another")
    note(shop, "https://evil.example/first")
    meanwhile = RefusedRedirect.objects.count()
    note(shop, "https://evil.example/last")

    assert meanwhile >= 3
    assert RefusedRedirect.objects.count() == 3


def test_what_is_seen_again_while_room_is_made_stays(shop: App, in_between: Callable[[str], None]):
    for number in range(3):
        note(shop, f"https://evil.example/{number}")

    in_between("https://evil.example/0")
    note(shop, "https://evil.example/last")

    assert RefusedRedirect.objects.filter(uri="https://evil.example/0", count=2).exists()


def _seen_once(app: App, number: int) -> RefusedRedirect:
    uri = f"https://evil.example/{number}"
    return RefusedRedirect(reference=f"{number}", app=app, client_id=str(app.pk), uri=uri, uri_hash=token_hash(uri))


@meeting_of_locks
def test_a_refusal_is_noted_while_its_app_is_being_deleted(shop: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refused_redirects, "MOST_OF_AN_APP", 1)
    note(shop, "https://evil.example/first")
    make_room, deleting = refused_redirects._make_room, list[Future[None]]()

    def delete() -> None:
        try:
            delete_app(app_id=shop.pk)
        finally:
            connections.close_all()

    def make_room_as_it_is_deleted(noted: RefusedRedirect) -> None:
        make_room(noted)
        deleting.append(pool.submit(delete))
        assert comes_to_a_lock(deleting[0])

    monkeypatch.setattr(refused_redirects, "_make_room", make_room_as_it_is_deleted)
    with ThreadPoolExecutor() as pool:
        reference = note(shop, "https://evil.example/last")
        deleting[0].result(PATIENCE)

    assert reference
    assert not App.objects.exists()


@pytest.mark.parametrize("is_default", [True, False])
def test_no_uri_is_lost_where_several_are_added(shop: App, is_default: bool):
    app = default_app() if is_default else shop
    uris = [f"{CALLBACK}/{number}" for number in range(AT_ONCE)]
    references = [note(app, uri) for uri in uris]

    together(
        lambda number: add_refused_redirect(app_id=app.pk, reference=references[number], typed_host="shop.example.com")
    )

    registered = HostedAuthSettings.load().allowed_redirect_urls if is_default else read_app(app.pk).redirect_uris
    assert set(registered) >= set(uris)
    assert not RefusedRedirect.objects.exists()


def test_one_that_is_added_twice_at_once_is_there_once(shop: App):
    reference = note(shop, f"{CALLBACK}/")

    def add(_number: int) -> bool:
        try:
            add_refused_redirect(app_id=shop.pk, reference=reference)
        except DomainError:
            return False
        return True

    added = together(add)

    assert added.count(True) == 1
    assert read_app(shop.pk).redirect_uris == [CALLBACK, f"{CALLBACK}/"]


def test_nothing_is_left_of_an_app_that_is_deleted_while_people_come_back_to_it(shop: App):
    api = Api()
    session = Session.objects.get(pk=api.sign_up()["session"]["id"])
    codes = [
        issue_code(session=session, app=shop, redirect_uri=CALLBACK, scope="", nonce="", code_challenge="x")
        for _number in range(AT_ONCE)
    ]
    found = [find_code(code, shop) for code in codes]

    def race(number: int) -> str:
        code = found[number]
        assert code is not None
        try:
            if number == AT_ONCE // 2:
                delete_app(app_id=shop.pk)
            else:
                exchange_code(code=code, app=shop, origin=COMMAND_LINE)
        except DomainError as refusal:
            return refusal.code
        return ""

    answers = set(together(race))

    assert answers <= {"", "code-invalid"}
    assert not App.objects.exists()
    assert not AppSession.objects.exists()
    assert not RefreshToken.objects.filter(app_session__isnull=False).exists()
    assert Session.objects.get(pk=session.pk).ended_at is None


def test_a_refusal_of_an_app_that_is_deleted_meanwhile_is_noted_all_the_same(shop: App):
    def race(number: int) -> str:
        if number == AT_ONCE // 2:
            delete_app(app_id=shop.pk)
            return "deleted"
        return note(shop, f"https://evil.example/{number}")

    answers = together(race)

    assert len([each for each in answers if len(each) == 8]) == AT_ONCE - 1


def test_changes_of_several_members_at_once_are_all_there(shop: App):
    changes: list[dict[str, Any]] = [
        {"name": "Store"},
        {"redirect_uris": [f"{CALLBACK}/new"]},
        {"id_token_algorithm": "ES256"},
    ] * 4

    together(lambda number: change_app(app_id=shop.pk, changes=changes[number], giver=NOBODY))

    app = read_app(shop.pk)
    assert (app.name, app.redirect_uris, app.id_token_algorithm) == ("Store", [f"{CALLBACK}/new"], "ES256")
