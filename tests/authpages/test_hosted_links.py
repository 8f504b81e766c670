"""One-time links on the hosted pages: verification and reset."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from authpages.models import AuthRequest, HostedAuthSettings, OneTimeLink, User
from authpages.services.auth_requests import resolve_due
from tests.authpages.conftest import Visitor, text_of

VERIFICATION = "auth.email_verificationRequested"
RESET = "auth.password_reset"
NEW_PASSWORD = "another horse, another battery"


@pytest.fixture
def verify_path(visitor: Visitor, mailed: Callable[[str], str]) -> str:
    """The link that ann got when she signed up in the visitor's browser."""
    visitor.sign_up()
    return f"/verify-email?token={mailed(VERIFICATION)}"


@pytest.fixture
def reset_path(visitor: Visitor, mailed: Callable[[str], str]) -> str:
    """The link that ann got when she forgot her password."""
    visitor.sign_up()
    Visitor().send("/forgot-password", email="ann@example.com")
    resolve_due()
    return f"/reset-password?token={mailed(RESET)}"


def test_a_scanner_that_opens_the_link_changes_nothing(verify_path: str) -> None:
    scanner = Visitor()

    answers = [scanner.get(verify_path), scanner.client.head(verify_path), scanner.get(verify_path)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not User.objects.get().email_verified


def test_only_the_browser_that_asked_submits_by_itself(visitor: Visitor, verify_path: str) -> None:
    assert "submit-at-once.js" in visitor.get(verify_path).content.decode()
    assert "submit-at-once.js" not in Visitor().get(verify_path).content.decode()


def test_the_button_verifies_and_lands(visitor: Visitor, verify_path: str, told: Callable[[], list[str]]) -> None:
    answer = visitor.send(verify_path)

    assert (answer.status_code, answer["Location"]) == (303, "/account")
    assert User.objects.get().email_verified
    assert told()[-1] == "auth.email_verified"


def test_in_another_browser_it_ends_at_the_login_with_a_word_each_time(verify_path: str) -> None:
    other = Visitor()

    answers = [other.send(verify_path) for _click in range(2)]

    assert [answer["Location"] for answer in answers] == ["/login?notice=verified"] * 2
    assert "Your address is verified. Log in to go on." in text_of(other.get("/login?notice=verified"))


def test_it_lands_on_the_callback(verify_path: str, hosted: HostedAuthSettings) -> None:
    hosted.callback_url = "https://app.example.com/back"
    hosted.save()

    answer = Visitor().send(verify_path)

    assert answer["Location"] == "https://app.example.com/back?iss=http%3A%2F%2F127.0.0.1%3A8000"


def test_a_second_click_is_a_success_and_no_event(verify_path: str, told: Callable[[], list[str]]) -> None:
    Visitor().send(verify_path)

    answer = Visitor().send(verify_path)

    assert answer.status_code == 303
    assert told().count("auth.email_verified") == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "%00", "%ED%A0%80"])
@pytest.mark.parametrize("path", ["/verify-email", "/reset-password"])
def test_a_link_that_is_not_ours_is_told_so_with_the_way_out(visitor: Visitor, path: str, token: str) -> None:
    answer = visitor.get(f"{path}?token={token}")

    assert answer.status_code == 400
    assert "This link doesn’t work" in text_of(answer)
    assert "new link" in text_of(answer)


@pytest.mark.parametrize("fixture", ["verify_path", "reset_path"])
def test_an_expired_link_is_told_so_on_opening_and_on_sending(request: pytest.FixtureRequest, fixture: str) -> None:
    path = request.getfixturevalue(fixture)
    other = Visitor()
    csrf = {"csrfmiddlewaretoken": _csrf(other, path)}
    OneTimeLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    opened = other.get(path)
    fields = {"token": path.partition("=")[2], "password": NEW_PASSWORD}
    sent = other.client.post(path.partition("?")[0], csrf | fields)

    assert opened.status_code == sent.status_code == 400
    assert "This link is too old" in text_of(opened)
    assert "This link is too old" in text_of(sent)


def test_a_new_link_is_asked_for_alike_for_all_addresses(visitor: Visitor) -> None:
    Visitor().sign_up()

    known = visitor.send("/verify-email?token=old", email="ann@example.com")
    unknown = Visitor().send("/verify-email?token=old", email="bob@example.com")

    assert known.status_code == unknown.status_code == 200
    assert text_of(known).replace("ann@", "bob@") == text_of(unknown)
    assert AuthRequest.objects.count() == 2


def test_the_browser_that_asked_for_a_new_link_submits_it_by_itself(mailed: Callable[[str], str]) -> None:
    Visitor().sign_up()
    other = Visitor()
    other.send("/verify-email", email="ann@example.com")
    resolve_due()

    page = other.get(f"/verify-email?token={mailed(VERIFICATION)}")

    assert "submit-at-once.js" in page.content.decode()


def test_the_account_sends_a_new_link(visitor: Visitor, told: Callable[[], list[str]]) -> None:
    visitor.sign_up()

    answer = visitor.send("/account")

    assert (answer.status_code, answer["Location"]) == (303, "/account?notice=mail-sent")
    assert told().count(VERIFICATION) == 2
    assert "A new link is on its way" in text_of(visitor.get(answer["Location"]))


def test_too_many_mails_are_refused_on_the_account(visitor: Visitor, settings: object) -> None:
    settings.MAILS_PER_ACCOUNT_PER_HOUR = 1  # type: ignore[attr-defined]
    visitor.sign_up()
    visitor.send("/account")

    answer = visitor.send("/account")

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_a_reset_is_asked_for_alike_for_all_addresses(visitor: Visitor) -> None:
    Visitor().sign_up()

    known = visitor.send("/forgot-password", email="ann@example.com")
    unknown = Visitor().send("/forgot-password", email="bob@example.com")

    assert known.status_code == unknown.status_code == 200
    assert text_of(known).replace("ann@", "bob@") == text_of(unknown)


def test_a_reset_ends_at_the_login_with_a_word(visitor: Visitor, reset_path: str) -> None:
    other = Visitor()

    answer = other.send(reset_path, password=NEW_PASSWORD)

    assert (answer.status_code, answer["Location"]) == (303, "/login?notice=password-changed")
    assert "Your password was changed" in text_of(other.get(answer["Location"]))
    assert other.log_in(password=NEW_PASSWORD).status_code == 303
    assert visitor.get("/account").status_code == 303


def test_a_weak_new_password_is_explained_and_spends_nothing(reset_path: str) -> None:
    other = Visitor()

    weak = other.send(reset_path, password="short")

    assert weak.status_code == 400
    assert "Use at least 8 characters." in text_of(weak)
    assert other.send(reset_path, password=NEW_PASSWORD).status_code == 303


def test_a_spent_reset_link_is_told_so(reset_path: str) -> None:
    Visitor().send(reset_path, password=NEW_PASSWORD)

    answer = Visitor().get(reset_path)

    assert answer.status_code == 400
    assert 'href="/forgot-password"' in answer.content.decode()


def test_no_address_that_a_form_is_sent_to_holds_a_token(verify_path: str) -> None:
    page = Visitor().get(verify_path).content.decode()

    assert '<form method="post" action="/verify-email"' in page


def _csrf(visitor: Visitor, path: str) -> str:
    visitor.get(path)
    return str(visitor.client.cookies["fastgen_csrf"].value)
