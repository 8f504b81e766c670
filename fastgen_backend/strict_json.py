"""JSON as it comes in, read strictly."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: no NaN, no member twice, no number beyond a double, no endless nesting."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            text = stream.read().decode("utf-8")
            return json.loads(text, object_pairs_hook=_members_once, parse_constant=_no_constant, parse_float=_finite)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.", code="malformed-json") from None
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8.", code="malformed-json") from None
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}", code="malformed-json") from None


def _members_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError(f"the member {_first_repeated(name for name, _ in pairs)!r} stands twice")
    return members


def _first_repeated(names: Iterable[str]) -> str:
    seen: set[str] = set()
    return next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value
