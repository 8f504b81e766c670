"""What the columns of a new table are, from every value of the file: the narrowest type that holds them all.

boolean, integer, decimal, date, dateTime, or else text; longText where one has more than 255 characters. Nothing that
would come back otherwise is taken for a number: `007`, `+1` and more than 15 digits stay text. NDJSON knows numbers
from texts, so there the types are JSON's own, texts may be days and moments, and what is mixed is json.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from datahub.column_types.numbers import DECIMAL_DIGITS, SCALE_MAX
from datahub.column_types.texts import CHOICE_MAX

SHORT_MAX = 255
DIFFERENT_MAX = 50  # values that are worth a choice
NUMBER = re.compile(r"(?!-0(?:\.0*)?\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
BOOLEANS = frozenset(["true", "false", "True", "False", "TRUE", "FALSE"])


@dataclass(frozen=True, slots=True)
class Guess:
    """A type of column, and its options."""

    type: str
    options: Mapping[str, Any] = field(default_factory=dict)


class TextGuess:
    """What a column of texts is, batch by batch; an empty text is no value."""

    def __init__(self) -> None:
        self._possible: dict[str, Callable[[Collection[str]], bool]] = {
            "boolean": BOOLEANS.issuperset,
            "integer": self._are_numbers,  # or decimal
            "date": _are_days,
            "dateTime": _are_moments,
        }
        self._has_any = False
        self._whole = self._scale = self._longest = 0

    def see(self, cells: Sequence[str]) -> None:
        """Take these values into account."""
        if self._possible:
            values = set(cells)
            values.discard("")
            if not values:
                return
            self._has_any = True
            self._possible = {type: holds for type, holds in self._possible.items() if holds(values)}
        if self._longest <= SHORT_MAX and cells:
            self._longest = max(self._longest, max(map(len, cells)))

    def guess(self) -> Guess:
        """What holds all of them."""
        found = next(iter(self._possible), "text") if self._has_any else "text"
        if found == "integer" and self._scale:
            return Guess("decimal", {"scale": self._scale})
        return Guess(found) if found != "text" else self.as_text()

    def as_text(self) -> Guess:
        """What holds them as texts, whatever they look like."""
        return Guess("text" if self._longest <= SHORT_MAX else "longText")

    def _are_numbers(self, values: Collection[str]) -> bool:
        if not all(map(NUMBER.fullmatch, values)):
            return False
        pointed = [value for value in values if "." in value]
        if pointed:
            self._scale = max(self._scale, max(len(value) - value.index(".") - 1 for value in pointed))
        self._whole = max(self._whole, max(len(value.partition(".")[0].lstrip("-")) for value in values))
        return self._scale <= SCALE_MAX and self._whole + self._scale <= DECIMAL_DIGITS


class JsonGuess:
    """What a column of JSON values is; null, like an absent member, is no value."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._texts, self._numbers = TextGuess(), TextGuess()
        self._has_empty = False  # a text without characters, which is no absent value here

    def see(self, cells: Sequence[Any]) -> None:
        """Take these values into account."""
        types = set(map(type, cells)) - {type(None)}
        self._kinds |= {_kind(each) for each in types}
        if str in types:
            texts = [cell for cell in cells if type(cell) is str]
            self._has_empty = self._has_empty or "" in texts
            self._texts.see(texts)
        if int in types or float in types:
            self._numbers.see([_digits(cell) for cell in cells if type(cell) in (int, float)])

    def guess(self) -> Guess:
        """What holds all of them."""
        if not self._kinds:
            return Guess("text")
        if len(self._kinds) > 1:
            return Guess("json")
        [kind] = self._kinds
        if kind == "text":
            guessed = self._texts.guess()
            is_time = guessed.type in ("date", "dateTime") and not self._has_empty
            return guessed if is_time else self._texts.as_text()
        if kind == "number":
            guessed = self._numbers.guess()
            return guessed if guessed.type in ("integer", "decimal") else Guess("json")
        return Guess(kind)


class Different:
    """The different values of a column in the order they come, as long as they could be the choices of one."""

    def __init__(self) -> None:
        self._values: dict[str, None] | None = {}

    def see(self, cells: Sequence[Any]) -> None:
        """Take these values into account; empty texts and null are none."""
        if self._values is None:
            return
        if not {str, type(None)}.issuperset(map(type, cells)):
            self._values = None
            return
        new = [cell for cell in dict.fromkeys(cells) if cell and cell not in self._values]
        if len(self._values) + len(new) > DIFFERENT_MAX or not all(map(_is_choice, new)):
            self._values = None
            return
        self._values |= dict.fromkeys(new)

    @property
    def values(self) -> list[str]:
        """All of them; none where they are too many, or not fit to be chosen from."""
        return list(self._values or ())


def _is_choice(text: str) -> bool:
    return len(text) <= CHOICE_MAX and bool(text.strip()) and text.isprintable()


def _kind(type: type) -> str:
    return {bool: "boolean", int: "number", float: "number", str: "text"}.get(type, "json")


def _digits(number: float) -> str:
    """The number as it is written without an exponent, if it can be."""
    text = repr(number)
    return text.removesuffix(".0") if isinstance(number, float) and "e" not in text else text


def _are_days(values: Collection[str]) -> bool:
    return all(map(DAY.fullmatch, values)) and _are_all(date.fromisoformat, values)


def _are_moments(values: Collection[str]) -> bool:
    return all(map(MOMENT.fullmatch, values)) and _are_all(_utc_year, values)


def _are_all(read: Callable[[str], Any], values: Iterable[str]) -> bool:
    try:
        for value in values:
            read(value)
    except (ValueError, OverflowError):
        return False
    return True


def _utc_year(text: str) -> int:
    """Raises where there is no such moment, in UTC as well."""
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    return (moment.replace(tzinfo=None) - offset).year if offset else moment.year
