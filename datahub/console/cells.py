"""Values as the grid shows them and as people type them: text, of which nothing is lost on the way there and back."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.utils.html import escape
from django.utils.translation import gettext as _

from datahub.column_types import ColumnType, Relation
from datahub.column_types.documents import Json, MultiChoice
from datahub.column_types.moments import DateTime
from datahub.column_types.numbers import Fixed
from datahub.column_types.switches import Boolean
from datahub.column_types.texts import Choice, LongText
from datahub.filter_reading import LISTS

SEAL = "sha256 "
SHOWN_MAX = 300  # characters of a value in its cell
KEPT_MAX = 10_000  # of one that the cell keeps whole, to be edited and copied; longer ones are the row's own page's
DAY_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,6})?)?)?", re.ASCII)
GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
PLAIN_ITEM = re.compile(r"[^\s,\"\[](?:[^,\"\r\n]*[^\s,\"])?")

Labels = Mapping[UUID, str]  # how the rows that a relation names are called


def text_of(type: ColumnType, value: Any) -> str:
    """A value as text that `value_of` reads back; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(type, DateTime):
        return _moment(value)
    if isinstance(type, MultiChoice) or (isinstance(type, Relation) and type.many):
        joined = ", ".join(value)
        is_plain = bool(value) and all(map(PLAIN_ITEM.fullmatch, value))
        is_one = len(value) > 1 and joined in type.options.get("choices", ())  # would be read as that choice
        return joined if is_plain and not is_one else json.dumps(value, ensure_ascii=False)
    return type.write(value)


def value_of(type: ColumnType, text: str) -> Any:
    """What was typed, as the services take it: JSON; None where it is empty. Raises `Unfit`.

    A moment without an offset is UTC, as the console shows it; seconds may be left out.
    """
    if not text or (text.isspace() and not type.is_searched):
        return None
    if isinstance(type, DateTime):
        text = _in_full(text)
    elif is_number(type) and GROUPED.fullmatch(text.strip()):
        text = text.replace(",", "")  # as decimals are shown, and spreadsheets copy numbers
    return type.show(type.parse(text))


def plain(text: str) -> str:
    """A text as browsers send it back: they know one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def sealed(text: str) -> str:
    """What stands for a long text, where only its changes are looked for; a short one stands for itself."""
    text = plain(text)
    return text if len(text) <= KEPT_MAX else SEAL + sha256(text.encode()).hexdigest()


def is_text_of(shown: str, text: str) -> bool:
    """Whether this is what was shown of the text, whole or sealed."""
    return plain(shown) == (sealed(text) if shown.startswith(SEAL) else plain(text))


def operand_text(type: ColumnType, operator: str, text: str) -> str:
    """What was typed to filter by, as the parameters of lists have it: a moment may be typed as it is shown."""
    if isinstance(type, DateTime):
        return ",".join(_in_full(part.strip()) for part in (text.split(",") if operator in LISTS else [text]))
    return text if operator in ("contains", "icontains", "startswith") else text.strip()


def html_of(type: ColumnType, value: Any, labels: Labels) -> tuple[str, str]:
    """The inside of a cell, and its attributes: `data-value` where what is seen is not the text of the value itself."""
    if value is None:
        return "", ""
    text = text_of(type, value)
    seen, inside = _seen(type, value, text, labels)
    if len(text) > KEPT_MAX:
        return inside, f' data-long="{len(text)}"'
    kept = escape(text).replace("\r", "&#13;")  # or browsers would take it for a line feed
    return inside, "" if seen == text else f' data-value="{kept}"'


def is_number(type: ColumnType) -> bool:
    """Whether values stand to the right, digit below digit."""
    return type.name in {"integer", "float", "decimal"}


def is_long(type: ColumnType) -> bool:
    """Whether values are written on several lines."""
    return isinstance(type, LongText | Json)


def _seen(type: ColumnType, value: Any, text: str, labels: Labels) -> tuple[str, str]:
    """What is seen of a value, as text and as HTML."""
    if isinstance(type, Boolean):
        return ("✓", '<span class="yes">✓</span>') if value else ("✗", '<span class="no">✗</span>')
    if isinstance(type, Choice):
        return text, _tag(text)
    if isinstance(type, MultiChoice):
        return "", "".join(map(_tag, value))
    if isinstance(type, Relation):
        return "", "".join(_tag(_label(id, labels)) for id in type.ids(value)[:20])
    if isinstance(type, Fixed):
        return f"{value:,}", f"{value:,.{type.options['scale']}f}"
    shown = text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"
    return (shown if shown == shown.strip() and "\n" not in shown and "\r" not in shown else ""), escape(shown)


def _in_full(text: str) -> str:
    """A moment in UTC as RFC 3339 has it, where it may be meant by the text; else the text."""
    found = DAY_AND_TIME.fullmatch(text.strip())
    if not found:
        return text
    day, time, seconds = found.groups()
    return f"{day}T{time or '00:00'}{seconds or ':00'}Z"


def _label(id: UUID, labels: Labels) -> str:
    return labels.get(id) or _("row %(id)s…") % {"id": str(id)[:8]}


def _tag(text: str) -> str:
    return f'<span class="tag">{escape(text)}</span>'


def _moment(value: datetime) -> str:
    utc = value.astimezone(UTC)
    seconds = f":{utc:%S}" if utc.second or utc.microsecond else ""
    return f"{utc:%Y-%m-%d %H:%M}".rjust(16, "0") + seconds + (f".{utc:%f}" if utc.microsecond else "")
