"""JSON as it comes in, read strictly, and what of it can be kept."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 32  # of JSON that we keep
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and half of a character
MOST_DIGITS = 1000  # to read them takes time that grows with their square; Python itself stops at 4,300


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: no NaN, no member twice, no number beyond a double, no endless nesting or digits."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            return load_strictly(stream.read().decode("utf-8"))
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply."), code="malformed-json") from None
        except UnicodeDecodeError:
            raise ParseError(_("The body is not UTF-8."), code="malformed-json") from None
        except ValueError as error:
            detail = _("The body is not valid JSON: %(reason)s") % {"reason": error}
            raise ParseError(detail, code="malformed-json") from None


def load_strictly(text: str) -> Any:
    """The value that `text` is; raises `ValueError`, or `RecursionError` for one that is nested too deeply."""
    return json.loads(
        text,
        object_pairs_hook=_members_once,
        parse_constant=_no_constant,
        parse_float=_finite,
        parse_int=_short,
    )


def is_too_deep(value: Any, depth: int = 0) -> bool:
    """Whether `value` is nested beyond what is sensible, and what a recursive walk can do."""
    if depth > MAX_DEPTH:
        return True
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(is_too_deep(each, depth + 1) for each in below)


def is_storable(value: Any) -> bool:
    """Whether both databases can keep `value` in a JSON column."""
    match value:
        case str():
            return not UNSTORABLE.search(value)
        case dict():
            return all(is_storable(each) for pair in value.items() for each in pair)
        case list():
            return all(map(is_storable, value))
    return True


def _members_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = _first_repeated(name for name, _value in pairs)
        raise ValueError(_("the member %(name)r stands twice") % {"name": repeated})
    return members


def _first_repeated(names: Iterable[str]) -> str:
    seen: set[str] = set()
    return next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _no_constant(name: str) -> None:
    raise ValueError(_("%(name)s is not a JSON value") % {"name": name})


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _too_large(text)
    return value


def _short(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise _too_large(text)
    return int(text)


def _too_large(number: str) -> ValueError:
    return ValueError(_("the number %(number)s is too large") % {"number": number[:40]})
