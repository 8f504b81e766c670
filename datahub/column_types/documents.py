"""Types that hold other values: multiChoice, json."""

import csv
import json
import math
from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from datahub.column_types.column_type import ColumnType, Unfit, checked_text
from datahub.column_types.stored import DocumentField, ListField, NumberDecoder, is_kept_exactly
from datahub.column_types.texts import Choice, check_choices, no_choice
from fastgen_backend.strict_json import MAX_DEPTH, UNSTORABLE

JSON_MAX_BYTES = 1_000_000
ESCAPED = 3  # times as many: SQLite keeps é as six bytes instead of two


class MultiChoice(ColumnType):
    """Some of some texts, each once, in the order they were given."""

    name = "multiChoice"
    operators = frozenset({"contains", "isnull", "empty"})
    defaults = {"choices": ()}
    is_sortable = False

    def check_options(self) -> None:
        check_choices(self.options["choices"])

    def takes_all_of(self, older: ColumnType) -> bool:
        return set(older.options["choices"]) <= set(self.options["choices"])

    @property
    def bytes_max(self) -> int:
        return sum(4 * len(choice) + 4 for choice in self.options["choices"])

    def index_flaw(self) -> str:
        return _("A list of choices can’t be indexed or unique.")

    def field(self) -> "models.Field[Any, Any]":
        return ListField(null=True)

    def read(self, value: Any) -> list[str]:
        return items_of_list(value, self._chosen, most=len(self.options["choices"]))

    def parse(self, text: str) -> list[str]:
        """A JSON array, or else one choice, or several between commas."""
        one = text.strip()
        is_one = one in self.options["choices"] and not one.startswith("[")
        return [one] if is_one else self.read(list_of_text(text))

    def write(self, value: list[str]) -> str:
        return json.dumps(value, ensure_ascii=False)

    def convert(self, value: Any, source: ColumnType) -> list[str]:
        """Of one choice a list, whatever it looks like."""
        return self.read([value]) if isinstance(source, Choice) else super().convert(value, source)

    def operand(self, operator: str, value: Any) -> str:
        return checked_text(value)

    def operand_from_text(self, operator: str, text: str) -> str:
        return checked_text(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self.options["choices"])}}

    def _chosen(self, item: Any) -> str:
        text = checked_text(item)
        if text not in self.options["choices"]:
            raise Unfit(no_choice(text, self.options["choices"]), "not-a-choice")
        return text


class Json(ColumnType):
    """Any JSON value of up to 1,000,000 bytes; null is the absent value."""

    name = "json"
    operators = frozenset({"isnull", "empty"})
    is_sortable = False

    @property
    def bytes_max(self) -> int:
        return ESCAPED * JSON_MAX_BYTES

    def index_flaw(self) -> str:
        return _("JSON can’t be indexed or unique.")

    def field(self) -> "models.Field[Any, Any]":
        return DocumentField(null=True, decoder=NumberDecoder)

    def read(self, value: Any) -> Any:
        size = _size(value)
        _refuse_too_large(size)  # first of all: to look into what is larger takes long
        level = [value]
        for _depth in range(MAX_DEPTH + 1):
            size += sum(map(_digits_beside, level))
            level = _checked_below(level)
        _refuse_too_large(size)
        if level:
            raise _too_deep()
        return value

    def parse(self, text: str) -> Any:
        try:
            return self.read(json.loads(text, parse_constant=_no_constant))
        except (ValueError, RecursionError) as error:
            if isinstance(error, Unfit):
                raise
            raise Unfit(_("This is no JSON."), "not-json") from None

    def write(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def convert(self, value: Any, source: ColumnType) -> Any:
        """Of a text what it says, of anything else what it is shown as."""
        return self.parse(value) if isinstance(value, str) else self.read(source.show(value))

    def schema(self) -> dict[str, Any]:
        return {}


def items_of_list(value: Any, read_item: Callable[[Any], Any], *, most: int) -> list[Any]:
    """A JSON array of different items, each read by `read_item`; how many there are is looked at before."""
    if not isinstance(value, list):
        raise Unfit(_("This must be an array."), "not-an-array")
    if len(value) > most:
        raise Unfit(_("This may have %(count)d items at most.") % {"count": most}, "too-many")
    items = [read_item(item) for item in value]
    if len(set(items)) < len(items):
        raise Unfit(_("An item stands twice."), "repeated-item")
    return items


def list_of_text(text: str) -> list[Any]:
    """A JSON array, or else items between commas."""
    text = text.strip()
    if text.startswith("["):
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            raise Unfit(_("This is no JSON array."), "not-an-array") from None
        return list(parsed)
    try:
        items = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:
        raise Unfit(_("These are no items between commas."), "not-an-array") from None
    return [item.strip() for item in items if item.strip()]


def _size(value: Any) -> int:
    """How many bytes the value has as JSON. Raises `Unfit` where it is no JSON that anyone could write."""
    try:
        return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _bad_number() from None  # of more digits than Python writes


def _refuse_too_large(size: int) -> None:
    if size > JSON_MAX_BYTES:
        detail = _("This may have %(count)s bytes at most.") % {"count": f"{JSON_MAX_BYTES:,}"}
        raise Unfit(detail, "too-large")


def _digits_beside(value: Any) -> int:
    """How many digits PostgreSQL writes of a number beside those that we do: it knows no exponents."""
    if not isinstance(value, float) or not value or 1e-5 < abs(value) < 1e16 or not math.isfinite(value):
        return 0
    return int(abs(math.log10(abs(value))))


def _checked_below(values: list[Any]) -> list[Any]:
    """What is in these values, one level deeper, after each was looked at itself. Raises `Unfit`."""
    below: list[Any] = []
    for value in values:
        if isinstance(value, str):
            if UNSTORABLE.search(value):
                raise Unfit(_("Text must not hold NUL or lone surrogates."), "invalid-characters")
        elif isinstance(value, list):
            below += value
        elif isinstance(value, dict):
            below += value.keys()
            below += value.values()
        elif (isinstance(value, int) and not is_kept_exactly(value)) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise _bad_number()
    return below


def _too_deep() -> Unfit:
    return Unfit(_("This may be nested %(count)d levels deep.") % {"count": MAX_DEPTH}, "too-deep")


def _bad_number() -> Unfit:
    return Unfit(_("Whole numbers may have 64 bits, others what fits a double."), "out-of-range")


def _no_constant(name: str) -> None:
    raise ValueError(name)
