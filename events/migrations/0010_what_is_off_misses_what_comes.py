"""Webhooks that were switched off before outages were kept have one, too.

What matched was promised to them up to then, one event after the other: so they missed what came behind the last of
these, or behind their own beginning where there was none.
"""

from typing import Any

from django.db import migrations
from django.utils import timezone


def remember_outages(apps: Any, schema_editor: Any) -> None:
    outages = apps.get_model("events", "Outage").objects
    webhooks = apps.get_model("events", "Webhook").objects.select_related("subscriber")
    known = outages.filter(until=None).values("webhook")
    for webhook in webhooks.filter(subscriber__enabled=False).exclude(pk__in=known):
        outages.create(
            webhook=webhook,
            reason=webhook.disabled_reason,
            failing_since=webhook.failing_since,
            began_at=webhook.disabled_at or timezone.now(),
            after=_promised_last(apps, webhook.pk) or _newest_before(apps, webhook.subscriber.created_at),
        )


def _promised_last(apps: Any, subscriber: Any) -> int:
    """The position of what it was promised last; 0 where that was nothing."""
    models = (apps.get_model("events", name) for name in ("Delivery", "FinishedDelivery"))
    theirs = (model.objects.filter(subscriber=subscriber).order_by("-sequence") for model in models)
    return max(rows.values_list("event__position", flat=True).first() or 0 for rows in theirs)


def _newest_before(apps: Any, moment: Any) -> int:
    before = apps.get_model("events", "Event").objects.filter(position__isnull=False, created_at__lt=moment)
    return before.order_by("-position").values_list("position", flat=True).first() or 0


class Migration(migrations.Migration):
    dependencies = [("events", "0009_trial_calls_are_kept_apart_from_deliveries")]

    operations = [migrations.RunPython(remember_outages, migrations.RunPython.noop)]
