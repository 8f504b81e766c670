"""What a delivery waits for, in words."""

from datetime import datetime

from django.utils.translation import gettext as _

from events.models import Delivery, Subscriber, Webhook
from events.services.delivery_log import LoggedDelivery


def wait_words(delivery: LoggedDelivery, now: datetime) -> str:
    """Why a pending delivery is not made at this moment; empty where it waits for the time of its next try only."""
    row = delivery.row
    if delivery.is_test:
        return _("in a moment")
    if not isinstance(row, Delivery):
        return ""
    if row.worker:
        return _("it is tried at this moment")
    if not row.subscriber.enabled:
        return _("waits until the webhook is enabled")
    if _is_being_arranged(row):
        return _("waits until all that is pending is in its new order")
    if delivery.waits_behind is not None:
        return _("waits behind number %(number)d") % {"number": delivery.waits_behind}
    if (until := _held_until(row)) and until > max(now, row.due_at):
        return _("held back until %(time)s UTC, as its calls failed") % {"time": f"{until:%H:%M:%S}"}
    return "" if row.due_at > now else _("as soon as its turn comes")


def _is_being_arranged(row: Delivery) -> bool:
    """Whether its webhook's mode was just changed to one that keeps an order."""
    if row.subscriber.kind != Subscriber.Kind.WEBHOOK:
        return False
    webhook = row.subscriber.webhook
    return webhook.arranged_up_to is not None and webhook.mode != Webhook.Mode.PARALLEL


def _held_until(row: Delivery) -> datetime | None:
    """Until when the circuit of its webhook is open; handlers have none."""
    is_webhook = row.subscriber.kind == Subscriber.Kind.WEBHOOK
    return row.subscriber.webhook.open_until if is_webhook else None
