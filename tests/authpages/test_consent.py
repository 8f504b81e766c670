"""The page on which people agree to what a third-party app learns of them."""

from typing import Any

import pytest

from authpages.models import App, AuthorizationCode, AuthorizationRequest, Consent, Session, User
from authpages.services.consents import agree
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import ISSUER, asking, consent_page, make_app, told_to_app
from tests.conftest import Api, together


@pytest.fixture
def stranger(db: None) -> App:
    """A third-party app."""
    return make_app(name="Stranger & Sons", first_party=False)


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


def test_it_says_who_asks_what_it_learns_and_where_it_leads(ann: Visitor, stranger: App) -> None:
    page = ann.get(consent_page(ann, stranger, scope="openid profile email roles offline_access"))

    text = text_of(page)
    assert "Stranger & Sons wants to use your Fastgen account" in text
    assert "You are logged in as ann@example.com Use another" in text
    for words in ("Recognise you", "See your name", "See your e-mail address", "which roles", "while you are away"):
        assert words in text
    assert "You will be taken to notes.example ." in text
    assert "form-action 'self' https://notes.example;" in page["Content-Security-Policy"]
    assert page["Cache-Control"] == "no-store"
    assert not Consent.objects.exists()


def test_what_is_not_asked_for_is_not_said(ann: Visitor, stranger: App) -> None:
    text = text_of(ann.get(consent_page(ann, stranger, scope="openid")))

    assert "Recognise you" in text
    assert "e-mail address" not in text


def test_who_agrees_comes_back_with_a_code(ann: Visitor, stranger: App) -> None:
    answer = ann.send(consent_page(ann, stranger), answer="allow")

    assert set(told_to_app(answer)) == {"code", "state", "iss"}
    agreed = Consent.objects.get()
    assert (agreed.user.email, agreed.app, agreed.scope) == ("ann@example.com", stranger, "openid email")


def test_who_does_not_comes_back_with_a_no(ann: Visitor, stranger: App) -> None:
    told = told_to_app(ann.send(consent_page(ann, stranger), answer="deny"))

    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "a state", ISSUER)
    assert not Consent.objects.exists()
    assert not AuthorizationCode.objects.exists()


def test_it_is_remembered(ann: Visitor, stranger: App) -> None:
    ann.send(consent_page(ann, stranger, scope="openid email profile"), answer="allow")

    assert "code" in told_to_app(ann.get(asking(stranger)))
    assert "code" in told_to_app(ann.get(asking(stranger, scope="openid profile", prompt="none")))


def test_more_is_asked_for_anew_and_adds_to_it(ann: Visitor, stranger: App) -> None:
    ann.send(consent_page(ann, stranger, scope="openid email"), answer="allow")

    refused = told_to_app(ann.get(asking(stranger, scope="openid roles", prompt="none")))
    ann.send(consent_page(ann, stranger, scope="openid roles"), answer="allow")

    assert refused["error"] == "consent_required"
    assert Consent.objects.get().scope == "openid email roles"


def test_a_no_takes_nothing_back(ann: Visitor, stranger: App) -> None:
    ann.send(consent_page(ann, stranger), answer="allow")
    ann.send(consent_page(ann, stranger, prompt="consent"), answer="deny")

    assert Consent.objects.get().scope == "openid email"


def test_an_app_may_ask_each_time(ann: Visitor, stranger: App) -> None:
    ann.send(consent_page(ann, stranger), answer="allow")

    answer = ann.send(consent_page(ann, stranger, prompt="consent"), answer="allow")

    assert "code" in told_to_app(answer)


def test_our_own_apps_don_t_ask(ann: Visitor) -> None:
    assert "code" in told_to_app(ann.get(asking(make_app(), prompt="consent")))


def test_an_app_that_is_ours_no_more_does(ann: Visitor) -> None:
    app = make_app()
    assert "code" in told_to_app(ann.get(asking(app)))
    app.first_party = False
    app.save()

    assert consent_page(ann, app)


def test_each_person_is_asked(ann: Visitor, stranger: App) -> None:
    ann.send(consent_page(ann, stranger), answer="allow")
    bea = Visitor()
    bea.sign_up("bea@example.com")

    assert consent_page(bea, stranger)


def test_who_logs_in_agrees_and_comes_back(visitor: Visitor, stranger: App) -> None:
    Visitor().sign_up()
    landed = visitor.log_in(at=visitor.get(asking(stranger))["Location"])

    asked = visitor.get(landed["Location"])
    answer = visitor.send(asked["Location"], answer="allow")

    assert "code" in told_to_app(answer)


def test_another_account_is_used(ann: Visitor, stranger: App) -> None:
    Visitor().sign_up("bea@example.com")
    page = consent_page(ann, stranger)
    way = f"/login?next=/oauth/authorize%3Frequest%3D{page[-36:]}"

    assert f'href="{way}"' in ann.get(page).content.decode()
    landed = ann.log_in("bea@example.com", at=way)
    ann.send(ann.get(landed["Location"])["Location"], answer="allow")

    assert Consent.objects.get().user.email == "bea@example.com"
    assert not Session.objects.filter(user__email="ann@example.com", ended_at=None).exists()


def test_a_yes_is_that_of_the_person_who_was_named(ann: Visitor, stranger: App) -> None:
    Visitor().sign_up("bea@example.com")
    page = consent_page(ann, stranger)
    ann.log_in("bea@example.com")

    answer = ann.send(page, answer="allow", person=str(User.objects.get(email="ann@example.com").pk))

    assert (answer.status_code, answer["Location"]) == (303, page)
    assert not Consent.objects.exists()


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_what_is_neither_is_asked_again(ann: Visitor, stranger: App, answer: str) -> None:
    page = consent_page(ann, stranger)

    sent = ann.send(page, answer=answer)

    assert (sent.status_code, sent["Location"]) == (303, page)


def test_a_second_click_comes_back_too(ann: Visitor, stranger: App) -> None:
    page = consent_page(ann, stranger, prompt="consent")

    answers = [ann.send(page, answer="allow") for _click in range(2)]

    assert all("code" in told_to_app(answer) for answer in answers)
    assert Consent.objects.count() == 1


def test_a_form_of_another_site_is_refused(ann: Visitor, stranger: App) -> None:
    page = consent_page(ann, stranger)
    person = str(User.objects.get().pk)

    answer = ann.client.post(page, {"person": person, "answer": "allow"}, headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
    assert "text/html" in answer["Content-Type"]
    assert not Consent.objects.exists()


def test_a_head_agrees_to_nothing(ann: Visitor, stranger: App) -> None:
    answer = ann.client.head(consent_page(ann, stranger))

    assert answer.status_code == 200
    assert not Consent.objects.exists()


@pytest.mark.parametrize("path", ["", "?request=x", "?request=00000000-0000-4000-8000-000000000000"])
def test_what_is_unknown_is_begun_again(ann: Visitor, path: str) -> None:
    page = ann.get(f"/oauth/consent{path}")

    assert page.status_code == 410
    assert "Please begin again in the app" in text_of(page)


def test_who_is_logged_out_meanwhile_logs_in(ann: Visitor, stranger: App) -> None:
    page = consent_page(ann, stranger)
    Session.objects.update(ended_at="2026-01-01T00:00:00Z", end_reason="logout")

    answer = ann.get(page)

    assert (answer.status_code, answer["Location"]) == (303, f"/oauth/authorize?request={page[-36:]}")


def test_an_app_that_may_not_send_people_there_any_more_does_not(ann: Visitor, stranger: App) -> None:
    page = consent_page(ann, stranger)
    stranger.redirect_uris = []
    stranger.save()

    assert ann.get(page).status_code == 400


def test_an_app_on_the_device_is_named_by_what_opens_it(ann: Visitor) -> None:
    uri = "com.example.notes:/callback"
    app = make_app(first_party=False, redirect_uris=[uri])

    page = ann.get(consent_page(ann, app))

    assert "that opens com.example.notes: ." in text_of(page)
    assert "form-action 'self' com.example.notes:;" in page["Content-Security-Policy"]


def test_the_app_s_name_is_text(ann: Visitor) -> None:
    app = make_app(name="<b>Evil</b>", first_party=False)

    assert "<b>Evil" not in ann.get(consent_page(ann, app)).content.decode()


def test_a_request_is_answered_once_for_links_in_mails(ann: Visitor, stranger: App) -> None:
    ann.send(consent_page(ann, stranger), answer="deny")

    assert AuthorizationRequest.objects.get().answered_at


def test_a_deleted_app_is_gone_with_all_of_it(ann: Visitor, stranger: App) -> None:
    page = consent_page(ann, stranger)
    stranger.delete()

    assert ann.get(page).status_code == 410


def test_the_app_picks_the_language(ann: Visitor, stranger: App, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]

    page = ann.get(consent_page(ann, stranger, ui_locales="de"))

    assert page["Content-Language"] == "de"


@pytest.mark.django_db(transaction=True)
def test_what_is_agreed_to_at_the_same_moment_adds_up() -> None:
    Api().sign_up()
    session = Session.objects.get()
    app, scopes = make_app(first_party=False), ["openid", "openid email", "openid roles", "profile"]

    together(lambda number: agree(session=session, app=app, scope=scopes[number % 4], origin=COMMAND_LINE))

    assert set(Consent.objects.get().scope.split()) == {"openid", "email", "roles", "profile"}
