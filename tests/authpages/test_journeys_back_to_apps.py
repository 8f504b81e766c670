"""The way back to the app when a mail lies between: in the browser that began, and in another one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import AuthorizationCode, AuthorizationRequest, AuthRequest, HostedAuthSettings, OneTimeLink, User
from authpages.services.auth_requests import resolve_due
from authpages.services.user_mails import send_verification_mail
from events.models import Event, EventSecret
from events.services.secrets import open_secret
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import asking, make_app, told_to_app, way_on

NEW_PASSWORD = "another horse, another battery"
Mailed = Callable[[str], str]


@pytest.fixture
def strict(hosted: HostedAuthSettings) -> HostedAuthSettings:
    """A verified address is required."""
    hosted.require_verified_email = True
    hosted.save()
    return hosted


def sent_by_app(visitor: Visitor, page: str = "login", **changes: str) -> str:
    """Where an app's person comes to: the log-in page, or another one of the same journey."""
    at = str(visitor.get(asking(make_app(), **changes))["Location"])
    return at.replace("/login", f"/{page}", 1)


def arrives(visitor: Visitor, answer: Any) -> bool:
    """Whether this leads on to the app, with a code."""
    return "code" in told_to_app(visitor.get(answer["Location"]))


def log_in_there(visitor: Visitor, answer: Any, password: str = "") -> Any:
    """Log in on the page that this leads to, be it the next or the one after."""
    at = answer["Location"]
    at = at if at.startswith("/login") else visitor.get(at)["Location"]
    assert at.startswith("/login?"), at
    return visitor.log_in(at=at, **({"password": password} if password else {}))


def verifying(mailed: Mailed) -> str:
    return f"/verify-email?token={mailed('auth.email_verificationRequested')}"


def resetting(mailed: Mailed) -> str:
    return f"/reset-password?token={mailed('auth.password_reset')}"


@pytest.mark.parametrize("page", ["login", "signup"])
def test_the_app_at_the_end_of_the_way_is_named(visitor: Visitor, hosted: HostedAuthSettings, page: str) -> None:
    at = sent_by_app(visitor, page)

    said = text_of(visitor.get(at))
    hosted.product_name = "Notes"
    hosted.save()

    assert "to go on to Notes" in said
    assert "to go on" not in text_of(visitor.get(at))  # it is named above
    assert "to go on" not in text_of(visitor.get(f"/{page}"))


def test_who_verifies_in_another_browser_comes_back_there(visitor: Visitor, mailed: Mailed) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))
    phone = Visitor()

    verified = phone.send(verifying(mailed))
    landed = log_in_there(phone, verified)

    assert verified["Location"].startswith("/login?notice=verified&next=/oauth/authorize")
    assert "Your address is verified" in text_of(phone.get(verified["Location"]))
    assert arrives(phone, landed)


def test_who_verifies_in_the_same_browser_comes_back(visitor: Visitor, mailed: Mailed) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))

    assert arrives(visitor, visitor.send(verifying(mailed)))


def test_the_form_that_verifies_may_end_at_the_app(visitor: Visitor, mailed: Mailed) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))

    page = Visitor().get(verifying(mailed))

    assert "form-action 'self' https://notes.example;" in page["Content-Security-Policy"]


def test_a_second_click_leads_on_as_well(visitor: Visitor, mailed: Mailed) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))
    link = verifying(mailed)

    assert arrives(visitor, visitor.send(link))
    assert arrives(visitor, visitor.send(link))


def test_an_app_that_got_its_answer_long_ago_is_not_sent_another(
    visitor: Visitor, hosted: HostedAuthSettings, mailed: Mailed
) -> None:
    hosted.callback_url = "https://home.example/"
    hosted.save()
    assert arrives(visitor, visitor.sign_up(at=sent_by_app(visitor, "signup")))
    AuthorizationRequest.objects.update(answered_at=timezone.now() - timedelta(minutes=2))

    verified = visitor.send(verifying(mailed))

    assert verified["Location"].startswith("https://home.example/?iss=")


def test_a_link_whose_request_is_over_verifies_and_lands_where_it_would_without(
    visitor: Visitor, mailed: Mailed
) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))
    AuthorizationRequest.objects.update(expires_at=timezone.now())

    verified = visitor.send(verifying(mailed))

    assert (verified.status_code, verified["Location"]) == (303, "/account")
    assert User.objects.get().email_verified


def test_who_has_to_verify_first_comes_back_from_another_browser(
    visitor: Visitor, strict: HostedAuthSettings, mailed: Mailed
) -> None:
    waiting = visitor.sign_up(at=sent_by_app(visitor, "signup"))
    resolve_due()
    phone = Visitor()

    landed = log_in_there(phone, phone.send(verifying(mailed)))

    assert "Check your mail" in text_of(waiting)
    assert arrives(phone, landed)


def test_the_browser_that_waits_goes_on_by_a_login(
    visitor: Visitor, strict: HostedAuthSettings, mailed: Mailed
) -> None:
    at = sent_by_app(visitor, "signup")
    waiting = visitor.sign_up(at=at)
    resolve_due()
    Visitor().send(verifying(mailed))

    suffix = at.partition("?")[2]
    assert f'href="/login?{suffix}"' in waiting.content.decode()
    assert f'href="/verify-email?{suffix}"' in waiting.content.decode()
    assert arrives(visitor, visitor.log_in(at=f"/login?{suffix}"))


def test_a_new_link_leads_there_as_well(visitor: Visitor, strict: HostedAuthSettings, mailed: Mailed) -> None:
    at = sent_by_app(visitor, "signup")
    visitor.sign_up(at=at)
    resolve_due()
    OneTimeLink.objects.all().delete()
    refused = visitor.log_in(at=at.replace("/signup", "/login"))
    sent = visitor.send(f"/verify-email?{at.partition('?')[2]}", email="ann@example.com")
    resolve_due()

    landed = log_in_there(visitor, visitor.send(verifying(mailed)))

    for page in (refused, sent):
        assert f'href="/verify-email?{at.partition("?")[2]}"' in page.content.decode()
    assert arrives(visitor, landed)


def test_who_signs_up_once_more_comes_back_by_the_link_that_sets_a_password(
    visitor: Visitor, strict: HostedAuthSettings, mailed: Mailed
) -> None:
    Visitor().sign_up()
    resolve_due()
    visitor.sign_up(at=sent_by_app(visitor, "signup"))
    resolve_due()

    landed = log_in_there(visitor, visitor.send(resetting(mailed), password=NEW_PASSWORD), NEW_PASSWORD)

    assert arrives(visitor, landed)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_who_resets_a_password_logs_in_and_comes_back(visitor: Visitor, mailed: Mailed, elsewhere: bool) -> None:
    Visitor().sign_up()
    at = sent_by_app(visitor, "forgot-password")
    assert f'href="{at}"' in visitor.get(at.replace("/forgot-password", "/login")).content.decode()
    sent = visitor.send(at, email="ann@example.com")
    resolve_due()
    browser = Visitor() if elsewhere else visitor

    reset = browser.send(resetting(mailed), password=NEW_PASSWORD)
    landed = log_in_there(browser, reset, NEW_PASSWORD)

    assert f'href="{at}"' in sent.content.decode()
    assert reset["Location"].startswith("/login?notice=password-changed&next=/oauth/authorize")
    assert arrives(browser, landed)


def test_a_link_that_is_too_old_still_knows_the_way(visitor: Visitor, mailed: Mailed) -> None:
    Visitor().sign_up()
    at = sent_by_app(visitor, "forgot-password")
    visitor.send(at, email="ann@example.com")
    resolve_due()
    OneTimeLink.objects.update(expires_at=timezone.now())

    page = visitor.get(resetting(mailed))

    assert page.status_code == 400
    assert f'href="{at}"' in page.content.decode()


def test_unknown_addresses_leave_as_much(visitor: Visitor, strict: HostedAuthSettings) -> None:
    at = sent_by_app(visitor, "forgot-password")
    visitor.send(at, email="nobody@example.com")

    assert AuthRequest.objects.get().next_path == way_on()
    resolve_due()

    assert AuthRequest.objects.get().next_path == ""


@pytest.mark.parametrize("next", ["//evil.example/", "https://evil.example/", "/" + "a" * 300])
def test_no_other_way_is_kept(visitor: Visitor, next: str) -> None:
    visitor.sign_up(at=f"/signup?next={next}")
    visitor.send(f"/forgot-password?next={next}", email="ann@example.com")

    assert OneTimeLink.objects.get().next_path == ""
    assert AuthRequest.objects.get().next_path == ""


def test_any_path_of_our_own_is(visitor: Visitor, mailed: Mailed) -> None:
    visitor.sign_up(at="/signup?next=/logout")

    assert visitor.send(verifying(mailed))["Location"] == "/logout"


def test_events_and_mails_tell_nothing_of_it(visitor: Visitor) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))

    told = [event.data for event in Event.objects.all()]
    sealed = [open_secret(bytes(secret.sealed)) for secret in EventSecret.objects.all()]

    assert sealed
    assert "authorize" not in str(told + sealed)


def test_what_an_admin_sends_leads_nowhere(visitor: Visitor) -> None:
    visitor.sign_up(at=sent_by_app(visitor, "signup"))

    send_verification_mail(user_id=User.objects.get().pk, origin=COMMAND_LINE)

    assert OneTimeLink.objects.latest("pk").next_path == ""


def test_a_code_of_each_browser_is_for_who_is_logged_in_there(visitor: Visitor) -> None:
    Visitor().sign_up("bea@example.com")
    landed = visitor.sign_up(at=sent_by_app(visitor, "signup"))
    other = Visitor()
    other.log_in("bea@example.com")

    assert arrives(visitor, landed)
    assert arrives(other, landed)

    people = AuthorizationCode.objects.order_by("pk").values_list("session__user__email", flat=True)
    assert list(people) == ["ann@example.com", "bea@example.com"]
