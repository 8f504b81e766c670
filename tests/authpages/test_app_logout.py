"""Apps send people to log out, and get them back (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from authpages.models import App, HostedAuthSettings, RefusedRedirect, Session, User
from authpages.services.apps import default_app
from tests.authpages.app_client import AppClient, confidential_app, public_app, userinfo
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import Api

AFTER = "https://notes.example/bye"


@pytest.fixture
def notes(db: None) -> AppClient:
    """An app that people are logged out by."""
    return public_app(post_logout_redirect_uris=[AFTER, "http://127.0.0.1/bye", "com.example.notes:/bye"])


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


def logging_out(**sent: str) -> str:
    return f"/oauth/logout?{urlencode(sent)}"


def is_logged_in(visitor: Visitor) -> bool:
    return bool(visitor.get("/account").status_code == 200)


def test_the_app_of_this_session_logs_out_at_once_and_gets_its_person_back(
    ann: Visitor, notes: AppClient, told: Callable[[], list[str]]
) -> None:
    hint = notes.tokens()["id_token"]

    answer = ann.get(logging_out(id_token_hint=hint, post_logout_redirect_uri=AFTER, state="a state & more"))

    assert (answer.status_code, answer["Location"]) == (303, f"{AFTER}?state=a+state+%26+more")
    assert answer.cookies["fastgen_session"].value == ""
    assert Session.objects.get().end_reason == "logout"
    assert told()[-1] == "auth.user_loggedOut"
    assert not is_logged_in(ann)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:54321/bye", "com.example.notes:/bye"])
def test_native_apps_get_their_people_back_too(ann: Visitor, notes: AppClient, uri: str) -> None:
    hint = notes.tokens()["id_token"]

    answer = ann.get(logging_out(id_token_hint=hint, post_logout_redirect_uri=uri))

    assert (answer.status_code, answer["Location"]) == (303, uri)


def test_what_apps_hold_of_the_session_ends_with_it(ann: Visitor, notes: AppClient) -> None:
    other = confidential_app(name="Other")
    tokens, others = notes.tokens(), other.tokens()

    ann.get(logging_out(id_token_hint=tokens["id_token"]))

    for app, held in [(notes, tokens), (other, others)]:
        assert userinfo(held["access_token"]).status_code == 401
        assert Api(held["access_token"]).get("/auth/me").status_code == 401
        assert app.refresh(held["refresh_token"]).json()["error"] == "invalid_grant"
    assert other.introspect(others["access_token"]).json() == {"active": False}


def test_an_id_token_that_is_over_will_do(ann: Visitor, notes: AppClient, settings: Any) -> None:
    settings.ACCESS_TOKEN_SECONDS = -10_000
    hint = notes.tokens()["id_token"]

    assert ann.get(logging_out(id_token_hint=hint, post_logout_redirect_uri=AFTER))["Location"] == AFTER
    assert not is_logged_in(ann)


def test_an_id_token_with_an_elliptic_curve_will_do(ann: Visitor) -> None:
    app = public_app(id_token_algorithm="ES256", post_logout_redirect_uris=[AFTER])

    assert ann.get(logging_out(id_token_hint=app.tokens()["id_token"]))["Location"] == "/oauth/logout"
    assert not is_logged_in(ann)


def test_without_an_address_to_go_to_the_page_says_that_it_is_done(ann: Visitor, notes: AppClient) -> None:
    answer = ann.get(logging_out(id_token_hint=notes.tokens()["id_token"], state="alone"))
    page = ann.get(answer["Location"])

    assert (answer.status_code, answer["Location"]) == (303, "/oauth/logout")
    assert page.status_code == 200
    assert "You are logged out" in text_of(page)
    assert 'href="/login"' in page.content.decode()


def test_who_was_logged_out_before_goes_on_to_the_app(ann: Visitor, notes: AppClient) -> None:
    link = logging_out(id_token_hint=notes.tokens()["id_token"], post_logout_redirect_uri=AFTER, state="s")

    answers = [ann.get(link), ann.get(link), Visitor().get(link)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, f"{AFTER}?state=s")] * 3


def test_a_hint_ends_no_session_that_this_browser_does_not_hold(ann: Visitor, notes: AppClient) -> None:
    hint = notes.tokens()["id_token"]

    Visitor().get(logging_out(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert is_logged_in(ann)


# Where the page asks ------------------------------------------------------------------------------------------------


def test_who_says_so_on_the_page_is_logged_out_and_goes_on(ann: Visitor, notes: AppClient) -> None:
    link = logging_out(client_id=notes.id, post_logout_redirect_uri=AFTER, state="s")

    page = ann.get(link)
    answer = ann.send(link)

    assert page.status_code == 200
    assert "Notes asks to log you out of Fastgen" in text_of(page)
    assert "ann@example.com" in text_of(page)
    assert "form-action 'self' https://notes.example;" in page["Content-Security-Policy"]
    assert (answer.status_code, answer["Location"]) == (303, f"{AFTER}?state=s")
    assert not is_logged_in(ann)


def test_a_form_that_is_sent_twice_goes_on_twice(ann: Visitor, notes: AppClient) -> None:
    link = logging_out(client_id=notes.id, post_logout_redirect_uri=AFTER)
    token = {"csrfmiddlewaretoken": ann.get(link).context["csrf_token"]}

    answers = [ann.client.post(link, token) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, AFTER)] * 2


def test_whom_nobody_names_stays_here_and_is_told_why(ann: Visitor, notes: AppClient) -> None:
    link = logging_out(post_logout_redirect_uri=AFTER, state="s")

    page, answer = ann.get(link), ann.send(link)

    assert "The app didn’t say which one it is" in text_of(page)
    assert "form-action 'self';" in page["Content-Security-Policy"]
    assert (answer.status_code, answer["Location"]) == (303, "/oauth/logout")
    assert not RefusedRedirect.objects.exists()


def test_who_is_not_logged_in_gets_a_way_back(visitor: Visitor, notes: AppClient) -> None:
    page = visitor.get(logging_out(client_id=notes.id, post_logout_redirect_uri=AFTER, state="<s>"))

    assert page.status_code == 200
    assert f'href="{AFTER}?state=%3Cs%3E"' in page.content.decode()
    assert "Back to Notes" in text_of(page)


def test_the_default_app_goes_by_the_name_of_the_product(visitor: Visitor) -> None:
    app = default_app()
    App.objects.filter(pk=app.pk).update(post_logout_redirect_uris=[AFTER])

    page = visitor.get(logging_out(client_id=str(app.pk), post_logout_redirect_uri=AFTER))

    assert "Back to Fastgen" in text_of(page)


# By POST ------------------------------------------------------------------------------------------------------------


def test_an_app_that_posts_is_led_to_the_page_itself(ann: Visitor, notes: AppClient) -> None:
    sent = {"id_token_hint": notes.tokens()["id_token"], "post_logout_redirect_uri": AFTER, "state": "s", "more": "x"}
    elsewhere = Visitor()  # its form comes without our cookie
    elsewhere.client.defaults["HTTP_ORIGIN"] = "https://notes.example"

    posted = elsewhere.client.post("/oauth/logout", sent)
    address = posted["Location"]
    answer = ann.get(address)

    assert posted.status_code == 303
    assert parse_qs(urlsplit(address).query).keys() == sent.keys() - {"more"}
    assert (answer.status_code, answer["Location"]) == (303, f"{AFTER}?state=s")


@pytest.mark.parametrize("sent", [{"csrfmiddlewaretoken": "made up"}, {"csrfmiddlewaretoken": ""}])
def test_our_own_form_is_not_to_be_forged(ann: Visitor, sent: dict[str, str]) -> None:
    answer = ann.client.post("/oauth/logout", sent)

    assert answer.status_code == 403
    assert is_logged_in(ann)


# Languages, and while the pages are off -----------------------------------------------------------------------------


def test_the_page_takes_the_languages_that_the_app_asks_for(visitor: Visitor) -> None:
    page = visitor.get(logging_out(ui_locales="xx-YY en", logout_hint="ann@example.com"))

    assert (page.status_code, page["Content-Language"]) == (200, "en")


def test_people_are_logged_out_while_the_pages_are_off(
    ann: Visitor, notes: AppClient, hosted: HostedAuthSettings
) -> None:
    hint = notes.tokens()["id_token"]
    hosted.pages_enabled = False
    hosted.save()

    page = ann.get("/oauth/logout")
    answer = ann.get(logging_out(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert page.status_code == 200
    assert 'href="/account"' not in page.content.decode()
    assert answer["Location"] == AFTER
    assert Session.objects.get().end_reason == "logout"


def test_the_session_of_the_console_is_another_one(admin: Visitor, root: User) -> None:
    admin.log_in(root.email)

    admin.send("/oauth/logout")

    assert not is_logged_in(admin)
    assert admin.get("/console").status_code == 200
