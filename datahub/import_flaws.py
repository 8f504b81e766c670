"""What is wrong with rows of a file, and their cells as texts, such that they can be mended."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

KEPT_MAX = 20_000  # characters of a row that is to be mended
EXTRA_MAX = 20  # cells beyond the headers


@dataclass(slots=True)
class Flaw:
    """What is wrong with a row: its line, the JSON Pointer of what is to blame, and why.

    `cells` are its texts, one for each header and those beyond; None where they are too large to be kept.
    """

    line: int
    pointer: str
    detail: str
    cells: list[str] | None = None


def kept(cells: Sequence[str], width: int) -> list[str] | None:
    """The cells of a row under so many headers, unless they are too many or too large."""
    if len(cells) > width + EXTRA_MAX or sum(map(len, cells)) > KEPT_MAX:
        return None
    return list(cells)


def kept_record(record: Mapping[str, Any], headers: Sequence[str], as_json: Callable[[str], bool]) -> list[str] | None:
    """The same of an object; after the cells of the headers come its other members. `as_json` tells json columns."""
    if len(record) > len(headers) + EXTRA_MAX:
        return None
    cells = [text_of(record.get(header), as_json(header)) for header in headers]
    known = set(headers)
    others = [f"{_json(member)}: {_json(value)}" for member, value in record.items() if member not in known]
    return kept([*cells, *others], len(headers))


def text_of(value: Any, as_json: bool = False) -> str:
    """A value of JSON as a cell, to be read by the type of its column; `as_json` where that is json itself."""
    if value is None:
        return ""
    return value if isinstance(value, str) and not as_json else _json(value)


def wrong_width(line: int, end: int, record: Sequence[str], width: int) -> Flaw:
    """The flaw of a row of CSV, from its first line to its last, that has more or fewer cells than headers."""
    count = len(record)
    cells = ngettext("This row has %(count)d cell", "This row has %(count)d cells", count) % {"count": count}
    headers = ngettext("there is %(count)d header", "there are %(count)d headers", width) % {"count": width}
    detail = f"{cells}; {headers}."
    if end != line:
        spans = _("It goes on to line %(end)d; a quote may be missing or too many.") % {"end": end}
        detail = f"{detail} {spans}"
    return Flaw(line, "", detail, kept(record, width))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
