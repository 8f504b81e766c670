"""Where an app may not send people is remembered under a reference, however often and by whomever it is asked for."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from authpages import throttles
from authpages.hosted_pages import redirect_refused
from authpages.models import App, HostedAuthSettings, RefusedRedirect
from authpages.services import refused_redirects
from authpages.services.apps import default_app
from authpages.services.refused_redirects import LETTERS, find_refused_redirect, note_refused_redirect
from authpages.services.retention import forget_some
from tests.authpages.conftest import text_of
from tests.authpages.oauth import NOT_OPENED

pytestmark = pytest.mark.django_db

URI = "https://app.example.com/callback/"


@pytest.fixture
def app(db: None) -> App:
    return default_app()


def note(app: App | None, uri: str = URI, *, client_id: str = "someone", for_logout: bool = False) -> str:
    return note_refused_redirect(app=app, client_id=client_id, uri=uri, for_logout=for_logout)


def test_a_reference_can_be_read_out(app: App):
    reference = note(app)

    assert len(reference) == 8
    assert set(reference) <= set(LETTERS)


def test_the_same_again_counts_up_and_keeps_its_reference(app: App):
    assert note(app) == note(app)

    row = RefusedRedirect.objects.get()
    assert (row.count, row.uri, row.client_id) == (2, URI, str(app.pk))
    assert row.last_at > row.first_at


def test_what_differs_has_a_reference_of_its_own(app: App):
    each = {note(app), note(app, URI + "x"), note(app, for_logout=True), note(None), note(None, client_id="other")}

    assert len(each) == 5


def test_it_is_found_however_its_reference_is_typed(app: App):
    reference = note(app)
    typed = f" {reference[:4].lower()}-{reference[4:].lower()} "

    found = find_refused_redirect(typed)

    assert found is not None
    assert found.app == app
    assert find_refused_redirect("") is None
    assert find_refused_redirect("\0") is None


@pytest.mark.parametrize("text", ["\0", "\ud800", "a\nb\x1b[31m", "x" * 3000])
def test_what_nobody_can_read_is_kept_as_far_as_it_can_be_shown(text: str):
    note(None, text, client_id=text)

    row = RefusedRedirect.objects.get()
    assert row.uri.isprintable()
    assert row.client_id.isprintable()
    assert (len(row.uri), len(row.client_id)) == (min(len(text), 2000), min(len(text), 100))


def test_a_line_break_is_seen_as_one(app: App):
    note(app, f"{URI}\r\n")

    assert RefusedRedirect.objects.get().uri == f"{URI}\u240d\u240a"


def test_long_addresses_that_begin_alike_are_told_apart(app: App):
    assert note(app, "x" * 2000 + "a") != note(app, "x" * 2000 + "b")


def test_a_flood_washes_away_itself_and_not_what_happens_day_by_day(app: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refused_redirects, "MOST_OF_AN_APP", 3)
    real = {note(app), note(app), note(None, client_id="elsewhere")}

    last = [note(app, f"https://evil.example/{number}") for number in range(9)][-1]

    assert RefusedRedirect.objects.filter(app=app).count() == 3
    assert set(RefusedRedirect.objects.values_list("reference", flat=True)) > {*real, last}


def test_unknown_clients_have_room_for_so_many_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refused_redirects, "MOST_OF_NO_APP", 3)

    for number in range(9):
        note(None, client_id=f"client {number}")

    assert RefusedRedirect.objects.count() == 3


def test_it_is_forgotten_after_the_days_of_links(app: App):
    note(app)
    kept = note(app, "https://other.example")
    RefusedRedirect.objects.filter(uri=URI).update(last_at=timezone.now() - timedelta(days=7.1))

    forget_some()

    assert RefusedRedirect.objects.get().reference == kept


def refused(rf: RequestFactory, app: App | None, uri: str = URI, **headers: str) -> Any:
    request: HttpRequest = rf.get("/oauth/authorize", {"redirect_uri": uri}, headers=headers)
    return redirect_refused(request, app=app, client_id="someone", uri=uri, for_logout=False)


def test_the_page_tells_the_reference_and_sends_nobody_anywhere(
    hosted: HostedAuthSettings, rf: RequestFactory, app: App
):
    hosted.support_email = "help@example.com"
    hosted.save()

    page = refused(rf, app)

    assert page.status_code == 400
    assert "Location" not in page
    assert RefusedRedirect.objects.get().reference in text_of(page)
    assert "help@example.com" in text_of(page)
    assert "app.example.com" not in page.content.decode()


def test_of_an_address_so_many_are_noted_and_what_is_known_keeps_its_reference(
    rf: RequestFactory, app: App, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(throttles, "REFUSALS_PER_ADDRESS_PER_HOUR", 2)
    reference = note(app)

    pages = [refused(rf, app, f"https://evil.example/{number}") for number in range(3)]
    known = refused(rf, app)

    assert [page.status_code for page in pages] == [400] * 3
    assert RefusedRedirect.objects.count() == 3
    assert "Reference" not in text_of(pages[2])
    assert reference in text_of(known)
    assert RefusedRedirect.objects.get(reference=reference).count == 1


@pytest.mark.parametrize("said", NOT_OPENED)
def test_what_nobody_sees_is_not_noted(rf: RequestFactory, app: App, said: dict[str, str]):
    page = refused(rf, app, **said)

    assert page.status_code == 400
    assert not RefusedRedirect.objects.exists()
