"""What the types of columns are called in the console, and the sign of each."""

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

TYPE_WORDS: dict[str, Promise] = {
    "text": _("Text"),
    "longText": _("Long text"),
    "integer": _("Whole number"),
    "decimal": _("Decimal number"),
    "float": _("Floating-point number"),
    "boolean": _("Yes or no"),
    "date": _("Date"),
    "dateTime": _("Date and time"),
    "choice": _("Choice"),
    "multiChoice": _("Several choices"),
    "email": _("E-mail address"),
    "url": _("Web address"),
    "json": _("JSON"),
    "uuid": _("UUID"),
    "relation": _("Relation to a table"),
}
TYPE_CHOICES = [(name, format_lazy("{word} · {name}", word=word, name=name)) for name, word in TYPE_WORDS.items()]
GLYPHS: dict[str, str] = {
    "text": "T",
    "longText": "¶",
    "integer": "1",
    "float": "~",
    "decimal": "1.2",
    "boolean": "✓",
    "date": "▦",
    "dateTime": "◷",
    "choice": "◉",
    "multiChoice": "☰",
    "email": "@",
    "url": "↗",
    "json": "{}",
    "uuid": "#",
    "relation": "→",
}
