"""Words of events in templates: the catalogue's descriptions, and what a delivery waits for."""

import re

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from events.console.delivery_words import wait_words
from events.services.delivery_log import LoggedDelivery

register = template.Library()


@register.filter
def with_code(text: str) -> SafeString:
    """`text`, escaped, with code as such: what stands between backticks."""
    parts = re.split(r"`([^`]+)`", text)
    marked = (format_html("<code>{}</code>", part) if index % 2 else part for index, part in enumerate(parts))
    return format_html_join("", "{}", ((part,) for part in marked))


@register.filter
def wait(delivery: LoggedDelivery) -> str:
    """What a pending delivery waits for; empty where that is the time of its next try."""
    return wait_words(delivery, timezone.now())
