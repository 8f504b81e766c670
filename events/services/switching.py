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
    Outage.objects.create(
        webhook=webhook,
        reason=reason,
        failing_since=webhook.failing_since,
        began_at=now,
        after=newest_position(),
    )


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
