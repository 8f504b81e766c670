"""An app that any program on a device could pass itself off for gets no code without a word of the person.

RFC 8252, 8.6. A third-party one is agreed to each time; a first-party one is named, and its person says that it is it.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import App, AuthorizationCode, Consent, HostedAuthSettings, Session
from authpages.pages.views import LoginPage
from authpages.services.apps import default_app
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import asking, consent_page, make_app, told_to_app, way_on


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


DEVICE = [
    "com.example.notes:/callback",
    "http://127.0.0.1:6666/callback",
    "http://localhost/callback",
    "https://localhost:8443/callback",
    "https://notes.localhost./callback",
    "https://127.1/callback",
]


@pytest.mark.parametrize("uri", DEVICE)
def test_where_anything_on_the_device_may_listen_each_code_takes_a_yes(ann: Visitor, uri: str) -> None:
    app = make_app(first_party=False, redirect_uris=[uri, "https://notes.example/callback"])

    answers = [ann.send(consent_page(ann, app), answer="allow") for _time in range(2)]
    silently = told_to_app(ann.get(asking(app, prompt="none")), uri)

    assert all("code" in told_to_app(answer, uri) for answer in answers)
    assert silently["error"] == "consent_required"
    assert "code" in told_to_app(ann.get(asking(app, redirect_uri="https://notes.example/callback")))


@pytest.mark.parametrize("fields", [{"first_party": True}, {"type": "confidential", "secret_hash": b"a hash"}])
def test_who_is_ours_or_has_a_secret_is_known_there_too(ann: Visitor, fields: dict[str, Any]) -> None:
    app = make_app(**{"first_party": False, "redirect_uris": [DEVICE[1]]} | fields)
    if not app.first_party:
        ann.send(consent_page(ann, app), answer="allow")

    assert "code" in told_to_app(ann.get(asking(app)), DEVICE[1])


@pytest.mark.parametrize("uri", DEVICE)
def test_an_own_app_that_any_program_there_could_be_is_named_before_it_gets_a_code(
    ann: Visitor, settings: Any, uri: str
) -> None:
    """RFC 8252, 8.6: no request is processed without the person where nothing assures which app it is."""
    settings.IS_LOOPBACK = False
    app = make_app(redirect_uris=[uri, "https://notes.example/callback"])

    page = consent_page(ann, app)
    text = text_of(ann.get(page))
    silently = told_to_app(ann.get(asking(app, prompt="none")), uri)
    answers = [told_to_app(ann.send(page, answer=said), uri) for said in ("deny", "continue")]

    assert "Continue to Notes?" in text
    assert "Continue only if you have just opened this app yourself." in text
    assert "It will be able to" not in text
    assert silently["error"] == "interaction_required"
    assert answers[0]["error"] == "access_denied"
    assert "code" in answers[1]
    assert not Consent.objects.exists()
    assert "code" in told_to_app(ann.get(asking(app, redirect_uri="https://notes.example/callback")))


def test_a_site_is_no_device_however_its_scheme_is_written(ann: Visitor, settings: Any) -> None:
    settings.IS_LOOPBACK = False
    app = make_app(redirect_uris=["HTTPS://notes.example/callback"])

    assert "code" in told_to_app(ann.get(asking(app)), "HTTPS://notes.example/callback")


@pytest.mark.parametrize("comes", ["logs in", "signs up"])
def test_who_comes_in_on_the_way_to_an_own_app_has_said_so(visitor: Visitor, settings: Any, comes: str) -> None:
    settings.IS_LOOPBACK = False
    Visitor().sign_up()
    app = make_app(redirect_uris=DEVICE)

    if comes == "logs in":
        landed = visitor.log_in(at=visitor.get(asking(app))["Location"])
    else:
        landed = visitor.sign_up("bob@example.com", at=visitor.get(asking(app, prompt="create"))["Location"])

    assert "code" in told_to_app(visitor.get(landed["Location"]), DEVICE[0])


def test_a_login_for_anything_else_says_nothing_of_the_app(visitor: Visitor, settings: Any) -> None:
    """Any program can send such a request by itself, and open the way on when the person is logged in."""
    settings.IS_LOOPBACK = False
    at = Visitor().get(asking(make_app(redirect_uris=DEVICE)))["Location"]
    visitor.sign_up()

    assert visitor.get(way_on())["Location"].startswith("/oauth/consent?request=")
    visitor.log_in()
    assert visitor.get(way_on())["Location"].startswith("/oauth/consent?request=")
    visitor.log_in(at=at)
    assert "code" in told_to_app(visitor.get(way_on()), DEVICE[0])
    assert visitor.get(way_on())["Location"].startswith("/oauth/consent?request=")  # it is said once


@pytest.mark.parametrize("name", ["", "Fastgen"])
def test_a_login_on_a_page_that_named_no_app_says_nothing_of_it(
    visitor: Visitor, hosted: HostedAuthSettings, settings: Any, name: str
) -> None:
    settings.IS_LOOPBACK = False
    hosted.callback_url = DEVICE[1]
    hosted.save()
    app = make_app(name=name, redirect_uris=DEVICE) if name else default_app()
    Visitor().sign_up()
    at = visitor.get(asking(app, redirect_uri=DEVICE[1]))["Location"]

    assert "to go on to" not in text_of(visitor.get(at))
    landed = visitor.log_in(at=at)

    assert visitor.get(landed["Location"])["Location"].startswith("/oauth/consent?request=")


def test_an_app_that_is_deleted_while_somebody_logs_in_for_it_costs_nobody_their_session(
    visitor: Visitor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IS_LOOPBACK = False
    Visitor().sign_up()
    app = make_app(redirect_uris=DEVICE)
    at, enter = visitor.get(asking(app))["Location"], LoginPage.enter

    def enter_late(page: Any, started: Any) -> Any:
        App.objects.filter(pk=app.pk).delete()
        return enter(page, started)

    monkeypatch.setattr(LoginPage, "enter", enter_late)
    landed = visitor.log_in(at=at)

    assert visitor.get(landed["Location"]).status_code == 410
    assert visitor.get("/account").status_code == 200


def test_a_login_for_an_app_is_a_word_for_a_while_and_in_that_browser_alone(visitor: Visitor, settings: Any) -> None:
    settings.IS_LOOPBACK = False
    at, other = visitor.get(asking(make_app(redirect_uris=DEVICE)))["Location"], Visitor()
    other.sign_up()
    visitor.log_in(at=at)

    elsewhere = other.get(way_on())["Location"]
    Session.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    later = visitor.get(way_on())["Location"]

    assert elsewhere.startswith("/oauth/consent?request=")
    assert later.startswith("/oauth/consent?request=")


def test_a_no_is_a_no_though_the_person_has_logged_in_meanwhile(ann: Visitor, settings: Any) -> None:
    settings.IS_LOOPBACK = False
    page = consent_page(ann, make_app(redirect_uris=DEVICE))
    ann.log_in(at=f"/login?next={way_on()}")
    token = ann.get("/account").content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    answer = ann.client.post(page, {"csrfmiddlewaretoken": token, "answer": "deny"})

    assert told_to_app(answer, DEVICE[0])["error"] == "access_denied"
    assert not AuthorizationCode.objects.exists()


def test_the_default_app_is_named_as_the_product(ann: Visitor, hosted: HostedAuthSettings, settings: Any) -> None:
    settings.IS_LOOPBACK = False
    hosted.callback_url = DEVICE[1]
    hosted.save()

    assert "Continue to Fastgen?" in text_of(ann.get(consent_page(ann, default_app(), redirect_uri=DEVICE[1])))


def test_a_yes_is_to_what_the_page_said(ann: Visitor, settings: Any) -> None:
    """The app may have become a third-party one since: nobody was told what that learns."""
    settings.IS_LOOPBACK = False
    app = make_app(redirect_uris=[DEVICE[1]])
    page = consent_page(ann, app)
    App.objects.update(first_party=False)

    answer = ann.send(page, answer="continue")

    assert answer["Location"] == page
    assert not AuthorizationCode.objects.exists()
    assert not Consent.objects.exists()


def test_an_own_scheme_is_named_whatever_stands_in_the_place_of_its_host(ann: Visitor) -> None:
    app = make_app(first_party=False, redirect_uris=["com.evil.app://accounts.example.com/callback"])

    text = text_of(ann.get(consent_page(ann, app)))

    assert "the app on this device that opens com.evil.app: ." in text
    assert "accounts.example.com" not in text
