"""What an admin should look at, each with the way to where it is mended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from authpages.models import HostedAuthSettings, User
from events.models import FinishedDelivery, Webhook
from events.services.health import Health

WEBHOOKS_MAX = 5  # that are named
DEAD_MAX = 100  # that are counted
SLOW_SEQUENCING = timedelta(minutes=1)
SLOW_DELIVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Concern:
    """Something to look at; `kind` is `bad`, `warn` or empty, as of notices. Without a `url` the text says it all."""

    kind: str
    title: str
    text: str
    url: str = ""
    action: str = ""


def concerns_of(health: Health, now: datetime) -> list[Concern]:
    """What needs attention, the worst first."""
    found = [*_of_workers(health, now), *_of_webhooks(), *_of_settings()]
    return sorted(found, key=lambda concern: ["bad", "warn", ""].index(concern.kind))


def _of_workers(health: Health, now: datetime) -> list[Concern]:
    if health.is_silent:
        text = _(
            "Events are kept, but no webhook is called and no mail is sent. Start one with “manage.py events_worker”; "
            "“manage.py up” runs one by itself."
        )
        return [Concern("bad", _("No worker is running"), text)]
    found = []
    if waiting := _too_long(health.events.oldest, SLOW_SEQUENCING, now):
        text = _("The oldest has waited for %(time)s. Look into the log of the worker.")
        title = _("Events are not sequenced")
        found.append(Concern("bad", title, text % {"time": waiting}))
    if waiting := _too_long(health.deliveries.oldest, SLOW_DELIVERY, now):
        text = _("The oldest that is due has waited for %(time)s. More workers, or a higher concurrency, will help.")
        title = _("Deliveries are late")
        found.append(Concern("warn", title, text % {"time": waiting}))
    return found


def _of_webhooks() -> list[Concern]:
    found = []
    for webhook in Webhook.objects.in_trouble().select_related("subscriber")[:WEBHOOKS_MAX]:
        url, action = reverse("console-webhooks-webhook", args=[webhook.pk]), _("Open the webhook")
        if not webhook.subscriber.enabled:
            title = _("A webhook was disabled: %(url)s") % {"url": webhook.url}
            found.append(Concern("bad", title, webhook.disabled_reason, url, action))
        elif webhook.failing_since:
            title = _("A webhook fails: %(url)s") % {"url": webhook.url}
            text = _("Since %(time)s UTC. Calls are tried again.") % {"time": f"{webhook.failing_since:%Y-%m-%d %H:%M}"}
            found.append(Concern("warn", title, text, url, action))
    dead = FinishedDelivery.objects.dead_letters().order_by()[: DEAD_MAX + 1].count()
    if dead:
        title = ngettext("%(count)s delivery was given up", "%(count)s deliveries were given up", dead)
        text = _("The receiver failed at every try. They are kept, and can be sent again once it is mended.")
        count = f"> {DEAD_MAX}" if dead > DEAD_MAX else dead
        found.append(
            Concern("bad", title % {"count": count}, text, reverse("console-webhooks"), _("Open the webhooks"))
        )
    return found


def _of_settings() -> list[Concern]:
    found = []
    if not HostedAuthSettings.load().callback_url:
        title = _("No callback URL is set")
        text = _(
            "Whoever logs in without an app that sent them, or verifies their address, lands on their account page."
        )
        found.append(Concern("", title, text, reverse("console-settings"), _("Set the callback URL")))
    if len(User.objects.admins().values_list("pk")[:2]) == 1:
        text = _("If you lose your password and your mail, nobody can come in. Make a second admin.")
        found.append(Concern("", _("You are the only admin"), text, reverse("console-users"), _("Open the users")))
    return found


def _too_long(since: datetime | None, patience: timedelta, now: datetime) -> str:
    """How long something has waited, in words, where that is longer than it should be."""
    return timesince(since, now) if since and now - since > patience else ""
