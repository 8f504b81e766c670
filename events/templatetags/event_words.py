"""How the catalogue's descriptions are shown: what stands between backticks is code."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def with_code(text: str) -> SafeString:
    """`text`, escaped, with code as such."""
    parts = re.split(r"`([^`]+)`", text)
    marked = (format_html("<code>{}</code>", part) if index % 2 else part for index, part in enumerate(parts))
    return format_html_join("", "{}", ((part,) for part in marked))
