"""The built-in mailer: a subscriber of the events like any other, switched off by those who send their own mail."""

import math
from datetime import datetime, timedelta
from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from authpages import throttles
from authpages.models import HostedAuthSettings, User
from events.handlers import on_event
from fastgen_backend.errors import TooManyRequests


@on_event("auth.email_verificationRequested", atomic=False)
def mail_verification(event: dict[str, Any]) -> None:
    """The link that verifies an address, for as long as it is good."""
    if event["data"].get("token"):
        _send("verify_email", event)


@on_event("auth.password_reset:requested", atomic=False)
def mail_reset(event: dict[str, Any]) -> None:
    """The link that sets a new password, for as long as it is good."""
    if event["data"].get("token"):
        _send("reset_password", event)


@on_event("auth.password_reset:completed", "auth.password_changed", atomic=False)
def mail_password_changed(event: dict[str, Any]) -> None:
    """Word to the owner that the password was changed or taken away, by whomever (OWASP ASVS 6.3.7)."""
    person = _person_of(event)
    _notify("password_removed" if person and person.password is None else "password_changed", event)


@on_event("auth.new_device", atomic=False)
def mail_new_device(event: dict[str, Any]) -> None:
    """Word to the owner that someone came in from where they never were (OWASP ASVS 6.3.5)."""
    _notify("new_device", event)


@on_event("auth.login_afterFailures", atomic=False)
def mail_login_after_failures(event: dict[str, Any]) -> None:
    """Word to the owner that someone came in who may have guessed the password (OWASP ASVS 6.3.5)."""
    _notify("login_after_failures", event)


@on_event("auth.signUp_repeated", atomic=False)
def mail_sign_up_repeated(event: dict[str, Any]) -> None:
    """Word to the owner that someone, perhaps they themselves, signed up once more."""
    _send("signup_repeated", event)


@on_event("events.webhook_disabled", atomic=False)
def mail_webhook_disabled(event: dict[str, Any]) -> None:
    """Word to the admins that a webhook is told nothing any more, with the page on which it is mended."""
    hosted = HostedAuthSettings.load()
    path = reverse("console-webhooks-webhook", args=[event["data"]["webhookId"]])
    admins = (
        User.objects.admins().filter(blocked=False).order_by("pk") if hosted.builtin_mailer else User.objects.none()
    )
    mails = [
        _mail("webhook_disabled", event, admin, hosted, message_id=f"{event['id']}.{admin.pk.hex}", path=path)
        for admin in admins
    ]
    get_connection().send_messages(mails)


def _notify(name: str, event: dict[str, Any]) -> None:
    """As `_send`, so many times an hour of each kind: one is enough to warn an owner.

    What leads to them anyone can do who has the password. Who made an account with somebody else's address has it, and
    could flood them.
    """
    hosted, person = HostedAuthSettings.load(), _person_of(event)
    if not hosted.builtin_mailer or person is None:
        return
    limits = throttles.sent_mail_limits(name, person.email_key)
    try:
        throttles.count(limits)
    except TooManyRequests:
        return
    try:
        _mail(name, event, person, hosted, message_id=event["id"]).send()
    except Exception:
        throttles.uncount(limits)  # it is tried again
        raise


def _send(name: str, event: dict[str, Any]) -> None:
    """Mail the texts `templates/emails/<name>.txt|.html` to the person of the event."""
    hosted, person = HostedAuthSettings.load(), _person_of(event)
    if hosted.builtin_mailer and person:
        _mail(name, event, person, hosted, message_id=event["id"]).send()


def _person_of(event: dict[str, Any]) -> User | None:
    """Whom it is about; None where they are deleted meanwhile, and their events hold no one any more."""
    return User.objects.filter(pk=event["data"].get("userId")).first()


def _mail(
    name: str, event: dict[str, Any], person: User, hosted: HostedAuthSettings, *, message_id: str, **more: Any
) -> EmailMultiAlternatives:
    """One mail, in the language of whoever gets it.

    Its Message-ID comes from the event's id, so that a mail sent twice after a crash is seen to be one.
    """
    with translation.override(person.locale or settings.LANGUAGE_CODE):
        subject = _subjects()[name] % {"product": hosted.product_name}
        context = {
            "hosted": hosted,
            "person": person,
            "base_url": settings.BASE_URL,
            "subject": subject,
            "happened_at": datetime.fromisoformat(event["timestamp"]),
            **event["data"],
            **more,
        }
        if "expiresAt" in event["data"]:
            context["time_left"] = in_words(datetime.fromisoformat(event["data"]["expiresAt"]) - timezone.now())
        mail = EmailMultiAlternatives(
            subject=subject,
            body=render_to_string(f"emails/{name}.txt", context),
            from_email=formataddr((hosted.product_name, settings.DEFAULT_FROM_EMAIL)),
            to=[person.email],
            headers={
                "Message-ID": f"<{message_id}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>",
                "Auto-Submitted": "auto-generated",  # RFC 3834
            },
        )
        mail.attach_alternative(render_to_string(f"emails/{name}.html", context), "text/html")
    return mail


def in_words(span: timedelta) -> str:
    """A time that is left, in the language that is active: `1 day`, `23 hours`, `90 minutes`.

    A begun minute counts, so that a link just made is good for an hour. From two hours on, a begun hour does not, so
    that a mail that was sent late promises no more than is left.
    """
    minutes = math.ceil(span / timedelta(minutes=1))
    hours = minutes // 60
    if minutes and minutes % (24 * 60) == 0:
        return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}
    if hours >= 2 or minutes == 60:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def _subjects() -> dict[str, str]:
    return {
        "verify_email": _("Verify your e-mail address for %(product)s"),
        "reset_password": _("Set a new password for %(product)s"),
        "password_changed": _("Your %(product)s password was changed"),
        "password_removed": _("Your %(product)s password was removed"),
        "new_device": _("New login to your %(product)s account"),
        "login_after_failures": _("Someone logged in to your %(product)s account after many attempts"),
        "webhook_disabled": _("A webhook of %(product)s was switched off"),
        "signup_repeated": _("You already have an account at %(product)s"),
    }
