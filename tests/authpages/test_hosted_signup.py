"""Signing up and logging in on the hosted pages."""

from collections.abc import Callable

import pytest

from authpages.models import HostedAuthSettings, Session, User, token_hash
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import PASSWORD

CALLBACK = "https://app.example.com/back?tenant=7"
LANDING = "https://app.example.com/back?tenant=7&iss=http%3A%2F%2F127.0.0.1%3A8000"


def test_a_sign_up_logs_in_and_lands_on_the_account(visitor: Visitor, told: Callable[[], list[str]]) -> None:
    answer = visitor.sign_up()

    assert (answer.status_code, answer["Location"]) == (303, "/account")
    assert "ann@example.com" in text_of(visitor.get("/account"))
    assert told() == ["auth.user_signedUp", "auth.email_verificationRequested"]


def test_a_sign_up_lands_on_the_callback_where_there_is_one(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.callback_url = CALLBACK
    hosted.save()

    answer = visitor.sign_up()

    assert (answer.status_code, answer["Location"]) == (303, LANDING)


def test_the_form_may_end_at_the_callback_and_nowhere_else(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.callback_url = CALLBACK
    hosted.save()

    policies = [visitor.get(path)["Content-Security-Policy"] for path in ("/signup", "/login", "/verify-email")]

    assert all("form-action 'self' https://app.example.com;" in policy for policy in policies)
    assert "form-action 'self';" in visitor.get("/forgot-password")["Content-Security-Policy"]


def test_the_account_says_that_a_mail_is_on_its_way(visitor: Visitor) -> None:
    visitor.sign_up()

    assert "A mail with a link is on its way" in text_of(visitor.get("/account"))


def test_a_taken_address_is_told_in_the_field_with_the_way_on(visitor: Visitor) -> None:
    Visitor().sign_up()

    answer = visitor.sign_up(at="/signup?next=/account")

    assert answer.status_code == 409
    assert "There already is an account with this e-mail address." in text_of(answer)
    assert '<a href="/login?next=/account">Log in instead</a>' in answer.content.decode()


def test_a_weak_password_is_told_in_the_field(visitor: Visitor) -> None:
    answer = visitor.sign_up(password="password")

    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="id_password_error"' in page
    assert 'aria-invalid="true"' in page
    assert 'role="alert"' in page
    assert 'value="password"' not in page


def test_where_a_verified_address_is_required_all_addresses_are_answered_alike(
    visitor: Visitor, hosted: HostedAuthSettings
) -> None:
    Visitor().sign_up()
    hosted.require_verified_email = True
    hosted.save()

    known, unknown = visitor.sign_up("ann@example.com"), Visitor().sign_up("bob@example.com")

    assert known.status_code == unknown.status_code == 200
    assert text_of(known).replace("ann@", "bob@") == text_of(unknown)
    assert not visitor.client.cookies.get("fastgen_session")


def test_closed_sign_up_is_a_friendly_403(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    visitor.get("/login")
    hosted.allow_signups = False
    hosted.save()

    shown = visitor.get("/signup")
    sent = visitor.client.post("/signup", {"csrfmiddlewaretoken": visitor.client.cookies["fastgen_csrf"].value})

    assert shown.status_code == sent.status_code == 403
    assert "Sign-up is closed" in text_of(shown)
    assert "/signup" not in visitor.get("/login").content.decode()


@pytest.mark.parametrize("path", ["/signup", "/login", "/logout", "/verify-email", "/forgot-password", "/account"])
def test_pages_that_are_switched_off_are_not_there(visitor: Visitor, hosted: HostedAuthSettings, path: str) -> None:
    hosted.pages_enabled = False
    hosted.save()

    assert visitor.get(path).status_code == 404


def test_unknown_address_and_wrong_password_are_answered_alike(visitor: Visitor) -> None:
    visitor.sign_up()

    wrong = Visitor().log_in(password="not the password")
    unknown = Visitor().log_in("bob@example.com")

    assert wrong.status_code == unknown.status_code == 401
    assert "don’t match" in text_of(wrong)
    assert text_of(wrong) == text_of(unknown)


def test_a_login_ends_the_session_of_another_person_that_the_browser_held(visitor: Visitor) -> None:
    Visitor().sign_up("bea@example.com")
    visitor.sign_up()

    visitor.log_in("bea@example.com")

    assert list(User.objects.get(email="ann@example.com").sessions.values_list("end_reason", flat=True)) == ["logout"]


def test_a_login_of_the_same_person_goes_on_with_their_session_behind_a_new_cookie(visitor: Visitor) -> None:
    visitor.sign_up()
    before, cookie = Session.objects.get(), visitor.client.cookies["fastgen_session"].value

    visitor.log_in()

    after = Session.objects.get()
    assert (after.pk, after.end_reason) == (before.pk, "")
    assert after.auth_time > before.auth_time
    assert bytes(after.cookie_hash or b"") == token_hash(visitor.client.cookies["fastgen_session"].value)
    assert visitor.client.cookies["fastgen_session"].value != cookie


def test_who_is_logged_in_is_offered_to_go_on(visitor: Visitor) -> None:
    visitor.sign_up()

    answer = visitor.get("/login")

    assert answer.status_code == 200
    assert "You are logged in as ann@example.com Continue" in text_of(answer)


def test_a_throttled_login_says_when_to_try_again(visitor: Visitor, settings: object) -> None:
    settings.LOGIN_FREE_FAILURES = 1  # type: ignore[attr-defined]
    visitor.sign_up()
    visitor.log_in(password="not the password")

    answer = visitor.log_in()

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "please wait" in text_of(answer)


def test_an_unverified_person_is_offered_a_new_link(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    visitor.sign_up()
    hosted.require_verified_email = True
    hosted.save()

    answer = Visitor().log_in()

    assert answer.status_code == 403
    assert '<a href="/verify-email">Send a new link</a>' in answer.content.decode()


def test_logging_out_takes_a_click(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.get("/logout")
    assert visitor.get("/account").status_code == 200

    answer = visitor.send("/logout")

    assert (answer.status_code, answer["Location"]) == (303, "/login")
    assert visitor.get("/account")["Location"] == "/login?next=/account"


def test_the_account_of_a_visitor_is_behind_the_login(visitor: Visitor) -> None:
    answer = visitor.get("/account")

    assert (answer.status_code, answer["Location"]) == (303, "/login?next=/account")


@pytest.mark.parametrize("path", ["/signup", "/login", "/logout", "/verify-email", "/forgot-password"])
def test_a_form_without_its_token_is_refused(visitor: Visitor, path: str) -> None:
    answer = visitor.client.post(path, {"email": "ann@example.com", "password": PASSWORD})

    assert answer.status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("path", ["/signup", "/login", "/forgot-password", "/verify-email"])
@pytest.mark.parametrize("email", ["", "a\0@example.com", "\ud800@example.com", "a" * 10_000 + "@example.com", "no"])
def test_strange_addresses_are_refused_or_ignored_and_never_an_error(visitor: Visitor, path: str, email: str) -> None:
    sent = email.encode("utf-8", "surrogatepass").decode("latin-1")

    answer = visitor.send(path, email=sent, password=PASSWORD)

    assert answer.status_code in {200, 400, 401}


@pytest.mark.parametrize("path", ["/signup", "/login"])
@pytest.mark.parametrize("password", ["", "a\0bcdefghijk", "ä" * 100_000])
def test_strange_passwords_are_refused_and_never_an_error(visitor: Visitor, path: str, password: str) -> None:
    answer = visitor.send(path, email="ann@example.com", password=password)

    assert answer.status_code in {400, 401}


def test_the_pages_carry_the_customers_name_and_not_ours(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.product_name, hosted.terms_url, hosted.support_email = (
        "<b>Acme",
        "https://acme.example/t",
        "help@acme.example",
    )
    hosted.save()

    page = visitor.get("/login").content.decode()

    assert "Log in to &lt;b&gt;Acme" in page
    assert 'href="https://acme.example/t"' in page
    assert 'href="mailto:help@acme.example"' in page
    assert "fastgen" not in page.lower()
