"""Switching webhooks off and on, with an exact memory of what each missed meanwhile.

The sequencer promises an event only to subscribers that it has locked and found enabled, and commits position and
promises together. So whoever locks a subscriber to switch it off reads a head of the log up to which all was promised,
and beyond which nothing will be. To switch it on takes the head itself, before the subscriber: the sequencer is not
amid a batch then whose subscribers it read before, and everything behind that head is promised again.
"""

from datetime import datetime

from django.utils import timezone

from events.models import Outage, Subscriber, Webhook
from events.services.log_head import hold_head, newest_position


def switch_off(webhook: Webhook, *, reason: str, now: datetime | None = None) -> None:
    """Promise it nothing more. The caller has locked its subscriber, which is enabled, in this transaction."""
    now = now or timezone.now()
    Subscriber.objects.filter(pk=webhook.pk).update(enabled=False)
    webhook.disabled_at, webhook.disabled_reason = now, reason
    webhook.save(update_fields=["disabled_at", "disabled_reason"])
    _begin_outage(webhook)


def switch_all_off(*, reason: str) -> int:
    """The same for every webhook that is on, in an installation that does not run yet; tells how many.

    An installation of an older version may be just that: `begin_outages` once it is of this one.
    """
    enabled = Subscriber.objects.filter(kind=Subscriber.Kind.WEBHOOK, enabled=True)
    Webhook.objects.filter(subscriber__in=enabled).update(disabled_at=timezone.now(), disabled_reason=reason)
    return enabled.update(enabled=False)


def begin_outages() -> None:
    """Let each webhook that is off miss what comes from now on, unless it does already."""
    known = Outage.objects.filter(until=None).values("webhook")
    for webhook in Webhook.objects.filter(subscriber__enabled=False).exclude(pk__in=known):
        _begin_outage(webhook)


def before_switching_on() -> None:
    """Make sure that no event falls between what was missed and what is promised again: before any other lock."""
    hold_head()


def switch_on(webhook: Webhook) -> None:
    """Promise it events again, and take it for healthy. The caller held the log, then locked its subscriber."""
    Subscriber.objects.filter(pk=webhook.pk).update(enabled=True)
    webhook.failing_since = webhook.open_until = webhook.disabled_at = None
    webhook.failures, webhook.disabled_reason = 0, ""
    webhook.save(update_fields=["failing_since", "open_until", "failures", "disabled_at", "disabled_reason"])
    Outage.objects.filter(webhook=webhook, until=None).update(until=newest_position(), ended_at=timezone.now())


def _begin_outage(webhook: Webhook) -> None:
    Outage.objects.create(
        webhook=webhook,
        reason=webhook.disabled_reason,
        failing_since=webhook.failing_since,
        began_at=webhook.disabled_at or timezone.now(),
        after=newest_position(),
    )
