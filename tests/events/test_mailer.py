"""The built-in mailer: who is written to, when, and what."""

import struct
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation

from authpages.models import HostedAuthSettings
from authpages.services.auth_requests import resolve_due
from authpages.services.users import create_user
from events import mailer
from events.handlers import Registration, registered
from events.models import Event, EventSecret, FinishedDelivery
from events.services.webhook_health import disable_webhook
from events.services.webhooks import create_webhook
from fastgen_backend.environment import env
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api
from tests.events.conftest import work_until
from tests.mail_server import MailServer

pytestmark = pytest.mark.django_db(transaction=True)
VERIFICATION = "auth.email_verificationRequested"
Outbox = list[EmailMultiAlternatives]
Mailed = Callable[[str], str]


@pytest.fixture(autouse=True)
def builtin_mailer(no_handlers: dict[str, Registration]) -> None:
    """The handlers of the mailer, registered as they registered themselves."""
    ours = {path: each for path, each in no_handlers.items() if each.handler.__module__ == mailer.__name__}
    registered.update(ours)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


def _is_told(count: int = 1) -> Callable[[], bool]:
    """Whether the mailer has been told of so many events."""
    return lambda: FinishedDelivery.objects.filter(state="delivered").count() == count


def _html(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0][0])


def test_who_signed_up_twice_is_asked_to_set_a_password(api: Api, mailoutbox: Outbox):
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"require_verified_email": True})
    for _ in range(2):
        api.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD})
        resolve_due()

    work_until(_is_told(2))

    (mail,) = (each for each in mailoutbox if "/reset-password" in str(each.body))
    for part in (str(mail.body), _html(mail)):
        assert "with this address more than once" in part
        assert "/reset-password?token=" in part
        assert "your password stays as it is" not in part


def test_a_verification_mail_holds_the_link_in_both_parts(api: Api, mailed: Mailed, mailoutbox: Outbox):
    api.sign_up()

    work_until(_is_told())

    (mail,) = mailoutbox
    link = f"http://127.0.0.1:8000/verify-email?token={mailed(VERIFICATION)}"
    assert mail.to == ["ann@example.com"]
    assert mail.subject == "Verify your e-mail address for Fastgen"
    assert f"\n{link}\n" in str(mail.body)
    assert f'href="{link}"' in _html(mail)


def test_a_reset_mail_holds_the_link_in_both_parts(api: Api, mailed: Mailed, mailoutbox: Outbox):
    create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})

    work_until(_is_told())

    (mail,) = mailoutbox
    link = f"http://127.0.0.1:8000/reset-password?token={mailed('auth.password_reset')}"
    assert mail.subject == "Set a new password for Fastgen"
    assert f"\n{link}\n" in str(mail.body)
    assert f'href="{link}"' in _html(mail)


def test_a_mail_has_the_id_of_its_event(api: Api, mailoutbox: Outbox):
    api.sign_up()

    work_until(_is_told())

    event = Event.objects.get(type=VERIFICATION)
    assert mailoutbox[0].message()["Message-ID"].startswith(f"<{event.public_id}@")


def test_the_owner_is_told_that_the_password_was_changed(api: Api, mailed: Mailed, mailoutbox: Outbox):
    create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    api.post("/auth/password-reset/submit", {"token": mailed("auth.password_reset"), "password": "a new password"})

    work_until(_is_told(2))

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@example.com"], "Your Fastgen password was changed")
    assert "http://127.0.0.1:8000/forgot-password" in str(mail.body)
    assert 'href="http://127.0.0.1:8000/forgot-password"' in _html(mail)


def test_the_owner_is_told_that_someone_signed_up_again(api: Api, mailoutbox: Outbox):
    HostedAuthSettings.objects.create(require_verified_email=True)
    create_user(email="ann@example.com", password=PASSWORD, email_verified=True, origin=COMMAND_LINE)
    api.post("/auth/signup", {"email": "Ann@example.com", "password": "another password"})

    work_until(_is_told())

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@example.com"], "You already have an account at Fastgen")
    assert "http://127.0.0.1:8000/login" in str(mail.body)
    assert 'href="http://127.0.0.1:8000/login"' in _html(mail)


def test_who_sends_their_own_mail_switches_this_off(api: Api, key: Callable[..., Api], mailoutbox: Outbox):
    key("settings:write").patch("/settings/hosted-auth", {"builtinMailer": False})
    api.sign_up()

    assert work_until(_is_told())

    assert not mailoutbox


def test_a_link_that_was_used_meanwhile_is_not_mailed(api: Api, mailed: Mailed, mailoutbox: Outbox):
    api.sign_up()
    api.post("/auth/email-verification/submit", {"token": mailed(VERIFICATION)})

    assert work_until(_is_told())

    assert not mailoutbox


def test_a_link_that_expired_meanwhile_is_not_mailed(api: Api, mailoutbox: Outbox):
    api.sign_up()
    EventSecret.objects.update(expires_at=timezone.now())

    assert work_until(_is_told())

    assert not mailoutbox


def test_while_the_hosted_pages_are_off_there_is_a_code_and_no_link(
    api: Api, key: Callable[..., Api], mailed: Mailed, mailoutbox: Outbox
):
    key("settings:write").patch("/settings/hosted-auth", {"pagesEnabled": False})
    api.sign_up()

    work_until(_is_told())

    (mail,) = mailoutbox
    assert f"\n{mailed(VERIFICATION)}\n" in str(mail.body)
    assert f"<code>{mailed(VERIFICATION)}</code>" in _html(mail)
    assert "http" not in f"{mail.body}{_html(mail)}"


@pytest.mark.parametrize(("hours", "words"), [(24, "1 day"), (48, "2 days"), (1, "1 hour"), (36, "36 hours")])
def test_a_verification_mail_tells_how_long_its_link_is_good(
    api: Api, mailoutbox: Outbox, settings: Any, hours: int, words: str
):
    settings.VERIFICATION_LINK_HOURS = hours
    api.sign_up()

    work_until(_is_told())

    (mail,) = mailoutbox
    assert f"The link is good for {words}." in str(mail.body)
    assert f"It is good for {words}." in _html(mail)


@pytest.mark.parametrize(("minutes", "words"), [(60, "1 hour"), (5, "5 minutes"), (90, "90 minutes"), (120, "2 hours")])
def test_a_reset_mail_tells_how_long_its_link_is_good(
    api: Api, mailoutbox: Outbox, settings: Any, minutes: int, words: str
):
    settings.RESET_LINK_MINUTES = minutes
    create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})

    work_until(_is_told())

    (mail,) = mailoutbox
    assert f"The link is good for {words}." in str(mail.body)
    assert f"It is good for {words}." in _html(mail)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "1 minute"), (60, "1 minute"), (61, "2 minutes"), (3599, "1 hour"), (7201, "2 hours"), (86_000, "23 hours")],
)
def test_a_mail_that_is_late_promises_no_more_than_is_left(seconds: int, words: str):
    assert mailer.in_words(timedelta(seconds=seconds)) == words


def test_a_mail_is_in_the_language_of_its_person(api: Api, mailoutbox: Outbox, settings: Any, tmp_path: Path):
    _write_catalogue(
        tmp_path / "de/LC_MESSAGES/django.mo",
        {
            "Verify your e-mail address for %(product)s": "Ihre Adresse bei %(product)s",
            "The link is good for %(time_left)s.": "Der Link gilt %(time_left)s.",
            "It is good for %(time_left)s.": "Er gilt %(time_left)s.",
            "%(count)d day\0%(count)d days": "%(count)d Tag\0%(count)d Tage",
        },
    )
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    settings.VERIFICATION_LINK_HOURS = 48
    account = {"email": "ann@example.com", "password": PASSWORD}
    with translation.override(None):  # a request leaves its language behind in this thread
        api.post("/auth/signup", account, **{"accept-language": "de-AT,de;q=0.9"})

    work_until(_is_told())

    (mail,) = mailoutbox
    assert mail.subject == "Ihre Adresse bei Fastgen"
    assert "Der Link gilt 2 Tage." in str(mail.body)
    assert "Er gilt 2 Tage." in _html(mail)
    assert '<html lang="de' in _html(mail)


def test_a_mail_goes_out_over_smtp(
    api: Api, mailed: Mailed, mail_server: MailServer, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{mail_server.port}")
    for name, value in env.email_url("EMAIL_URL").items():
        setattr(settings, name, value)
    api.sign_up()

    work_until(_is_told())

    (mail,) = mail_server.mails
    message = message_from_bytes(mail.source, policy=policy.default)
    parts = [message.get_body([kind]) for kind in ("plain", "html")]
    assert mail.recipients == ["ann@example.com"]
    assert (message["To"], message["Subject"]) == ("ann@example.com", "Verify your e-mail address for Fastgen")
    assert all(part and mailed(VERIFICATION) in part.get_content() for part in parts)


def _write_catalogue(path: Path, texts: dict[str, str]) -> None:
    """A compiled catalogue of translations (GNU gettext manual, "The Format of GNU MO Files")."""
    header = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    entries = sorted((original.encode(), text.encode()) for original, text in {"": header, **texts}.items())
    size = 8 * len(entries)
    index, strings = b"", b""
    for column in (0, 1):
        for entry in entries:
            index += struct.pack("<2I", len(entry[column]), 28 + 2 * size + len(strings))
            strings += entry[column] + b"\0"
    path.parent.mkdir(parents=True)
    path.write_bytes(struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + size, 0, 0) + index + strings)


def test_admins_are_told_of_a_webhook_that_is_switched_off(mailoutbox: Outbox, settings: Any):
    for email in ("root@example.com", "boss@example.com"):
        create_user(email=email, password=PASSWORD, admin=True, may_manage_admins=True, origin=COMMAND_LINE)
    create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    webhook = create_webhook(
        url="https://hooks.example.com/in", filters=["auth.*"], origin=COMMAND_LINE, may_see_secrets=False
    ).webhook
    disable_webhook(webhook_id=webhook.pk, reason="The receiver answered 410 Gone.")

    work_until(_is_told())

    link = f"{settings.BASE_URL}/console/webhooks/{webhook.pk}"
    assert sorted(mail.to[0] for mail in mailoutbox) == ["boss@example.com", "root@example.com"]
    assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 2
    for mail in mailoutbox:
        for text in (mail.body, _html(mail)):
            assert link in text
            assert "https://hooks.example.com/•••" in text
            assert "The receiver answered 410 Gone." in text
