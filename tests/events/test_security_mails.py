"""Mails that tell owners what may not have been them (OWASP ASVS 6.3.5, 6.3.7)."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.mail import EmailMultiAlternatives

from authpages.models import HostedAuthSettings, Session, User
from authpages.services.user_changes import change_user
from authpages.services.users import create_user
from events import mailer
from events.handlers import Registration, registered
from events.models import FinishedDelivery
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api
from tests.events.conftest import work_until

pytestmark = pytest.mark.django_db(transaction=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
BODY = {"email": "ann@example.com", "password": PASSWORD}
Outbox = list[EmailMultiAlternatives]


@pytest.fixture(autouse=True)
def builtin_mailer(no_handlers: dict[str, Registration]) -> None:
    """The handlers of the mailer, registered as they registered themselves."""
    ours = {path: each for path, each in no_handlers.items() if each.handler.__module__ == mailer.__name__}
    registered.update(ours)


@pytest.fixture
def ann(transactional_db: None) -> User:
    """Ann, who has logged in before."""
    ann = create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    assert Api().log_in().status_code == 200
    return ann


def _is_told(count: int = 1) -> Callable[[], bool]:
    return lambda: FinishedDelivery.objects.filter(state="delivered").count() == count


def _texts(mail: EmailMultiAlternatives) -> list[str]:
    return [str(mail.body), str(mail.alternatives[0][0])]


def _change(token: str) -> Any:
    return Api(token).post("/auth/password/change", {"currentPassword": PASSWORD, "newPassword": PASSWORD[::-1]})


def test_a_login_from_a_new_device_is_told_with_device_and_address(ann: User, mailoutbox: Outbox) -> None:
    Api().post("/auth/login", BODY, **{"user-agent": FIREFOX})

    assert work_until(_is_told())

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@example.com"], "New login to your Fastgen account")
    for text in _texts(mail):
        assert "Firefox on Linux" in text
        assert "127.0.0.1" in text
        assert "UTC" in text
        assert "http://127.0.0.1:8000/forgot-password" in text


def test_a_login_after_many_failures_is_told_with_their_number(ann: User, mailoutbox: Outbox, settings: Any) -> None:
    for _ in range(settings.LOGIN_FREE_FAILURES - 1):
        Api().log_in(password="wrong")
    settings.LOGIN_FREE_FAILURES -= 1
    Api().log_in()

    assert work_until(_is_told())

    (mail,) = mailoutbox
    assert mail.subject == "Someone logged in to your Fastgen account after many attempts"
    assert all("after 9 attempts with a wrong password" in text for text in _texts(mail))


def test_the_owner_is_told_of_a_change_of_their_own(ann: User, mailoutbox: Outbox) -> None:
    _change(Api().log_in().json()["session"]["accessToken"])

    assert work_until(_is_told())

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@example.com"], "Your Fastgen password was changed")


def test_the_owner_is_told_that_an_admin_set_a_password(ann: User, mailoutbox: Outbox) -> None:
    change_user(user_id=ann.pk, changes={"password": PASSWORD[::-1]}, origin=COMMAND_LINE)

    assert work_until(_is_told())

    assert [mail.subject for mail in mailoutbox] == ["Your Fastgen password was changed"]
    assert not Session.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("pages", [True, False])
def test_the_owner_is_told_that_the_password_was_taken_away_and_how_to_come_in(
    ann: User, mailoutbox: Outbox, pages: bool
) -> None:
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"pages_enabled": pages})
    change_user(user_id=ann.pk, changes={"password": None}, origin=COMMAND_LINE)

    assert work_until(_is_told())

    (mail,) = mailoutbox
    assert mail.subject == "Your Fastgen password was removed"
    for text in _texts(mail):
        assert "To log in again, set a new password" in text
        assert "was just changed" not in text
        assert ("http://127.0.0.1:8000/forgot-password" in text) == pages


def test_nobody_is_flooded_by_who_logs_in_again_and_again(ann: User, mailoutbox: Outbox, settings: Any) -> None:
    settings.MAILS_PER_ACCOUNT_PER_HOUR = 2
    for number in range(4):
        Api().post("/auth/login", BODY, **{"user-agent": f"Browser{number}/1.0"})

    assert work_until(_is_told(4))

    assert len(mailoutbox) == 2


def test_a_mail_that_fails_is_not_counted(ann: User, mailoutbox: Outbox, monkeypatch: Any, settings: Any) -> None:
    settings.MAILS_PER_ACCOUNT_PER_HOUR = 1
    event = {"id": "evt_1", "timestamp": "2026-11-27T12:00:00.000Z", "data": {"userId": str(ann.pk)}}
    with monkeypatch.context() as broken:
        broken.setattr(EmailMultiAlternatives, "send", Mock(side_effect=OSError("no mail server")))
        with pytest.raises(OSError, match="no mail server"):
            mailer.mail_password_changed(event)

    mailer.mail_password_changed(event)

    assert len(mailoutbox) == 1


def test_who_sends_their_own_mail_is_not_helped(ann: User, key: Callable[..., Api], mailoutbox: Outbox) -> None:
    key("settings:write").patch("/settings/hosted-auth", {"builtinMailer": False})
    Api().post("/auth/login", BODY, **{"user-agent": FIREFOX})

    assert work_until(_is_told())

    assert not mailoutbox
