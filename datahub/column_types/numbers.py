"""Types that are numbers: integer, float, decimal."""

import math
import re
from abc import abstractmethod
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from datahub.column_types.column_type import BadOption, ColumnType, Unfit
from datahub.column_types.stored import ExactDecimalField

INTEGER_RANGE = (-(2**63), 2**63 - 1)
DECIMAL_DIGITS = 15  # what a double, which is how SQLite keeps it, gives back unchanged
SCALE_MAX = 10
SMALLEST_COMPARED = -100  # as a power of ten; well within doubles
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class _Number(ColumnType):
    """What the three share: `min` and `max`."""

    defaults = {"min": None, "max": None}

    def check_options(self) -> None:
        for option in ("min", "max"):
            bound = self.options[option]
            if bound is not None:
                try:
                    self._number(bound)
                except Unfit as unfit:
                    raise BadOption(option, unfit.reason) from None
        low, high = self._bound("min"), self._bound("max")
        if low is not None and high is not None and low > high:
            raise BadOption("max", _("The largest must not be smaller than the smallest."))

    def read(self, value: Any) -> Any:
        number = self._number(value)
        low, high = self._bound("min"), self._bound("max")
        if low is not None and number < low:
            raise Unfit(_("This must be %(min)s at least.") % {"min": self.options["min"]}, "too-small")
        if high is not None and number > high:
            raise Unfit(_("This must be %(max)s at most.") % {"max": self.options["max"]}, "too-large")
        return number

    def takes_all_of(self, older: ColumnType) -> bool:
        if self.options.get("scale") != older.options.get("scale"):
            return False
        low, high = self._bound("min"), self._bound("max")
        older_low, older_high = (self._bound_of(older, option) for option in ("min", "max"))
        takes_low = low is None or (older_low is not None and low <= older_low)
        return takes_low and (high is None or (older_high is not None and older_high <= high))

    def operand(self, operator: str, value: Any) -> Any:
        return self._number(value)

    def operand_from_text(self, operator: str, text: str) -> Any:
        return self._number(self._number_of_text(text))

    def parse(self, text: str) -> Any:
        return self.read(self._number_of_text(text))

    @abstractmethod
    def _number(self, value: Any) -> Any:
        """The JSON value as a number of this type, whatever the bounds."""

    @abstractmethod
    def _number_of_text(self, text: str) -> Any:
        """The text as what `_number` takes."""

    def _bound(self, option: str) -> Any:
        return self._bound_of(self, option)

    def _bound_of(self, type: ColumnType, option: str) -> Any:
        bound = type.options[option]
        return None if bound is None else self._number(bound)

    def _bounds_schema(self) -> dict[str, Any]:
        names = {"min": "minimum", "max": "maximum"}
        return {names[option]: self.options[option] for option in names if self.options[option] is not None}


class Integer(_Number):
    """A whole number of 64 bits."""

    name = "integer"

    def field(self) -> "models.Field[Any, Any]":
        return models.BigIntegerField(null=True)

    def convert(self, value: Any, source: ColumnType) -> int:
        if isinstance(value, bool):
            return int(self.read(int(value)))
        if isinstance(value, float | Decimal) and value == int(value):
            return int(self.read(int(value)))
        return int(super().convert(value, source))

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "format": "int64", **self._bounds_schema()}

    def _number(self, value: Any) -> int:
        if type(value) is not int:
            raise Unfit(_("This must be a whole number."), "not-an-integer")
        if not INTEGER_RANGE[0] <= value <= INTEGER_RANGE[1]:
            raise Unfit(_("This number needs more than 64 bits."), "out-of-range")
        return value

    def _number_of_text(self, text: str) -> int:
        text = text.strip()
        if not re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
            raise Unfit(_("This must be a whole number."), "not-an-integer")
        return int(text)


class Float(_Number):
    """A number of double precision (IEEE 754)."""

    name = "float"

    def field(self) -> "models.Field[Any, Any]":
        return models.FloatField(null=True)

    def write(self, value: float) -> str:
        return repr(float(value))

    def convert(self, value: Any, source: ColumnType) -> float:
        if isinstance(value, bool):
            return float(self.read(int(value)))
        return float(super().convert(value, source))

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "format": "double", **self._bounds_schema()}

    def _number(self, value: Any) -> float:
        if type(value) not in (int, float):
            raise Unfit(_("This must be a number."), "not-a-number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Unfit(_("This number is too large."), "out-of-range")
        return number + 0.0  # one zero: minus zero is it, too

    def _number_of_text(self, text: str) -> float:
        text = text.strip()
        if not NUMBER.fullmatch(text):
            raise Unfit(_("This must be a number."), "not-a-number")
        return float(text)


class Fixed(_Number):
    """A decimal number of at most 15 digits, of which exactly `scale` stand behind the point; shown as a string."""

    name = "decimal"
    defaults = {"scale": 2, "min": None, "max": None}
    writes_itself = False

    def check_options(self) -> None:
        scale = self.options["scale"]
        if type(scale) is not int or not 0 <= scale <= SCALE_MAX:
            raise BadOption("scale", _("This must be a number from 0 to %(max)d.") % {"max": SCALE_MAX})
        super().check_options()

    def field(self) -> "models.Field[Any, Any]":
        return ExactDecimalField(null=True, max_digits=DECIMAL_DIGITS, decimal_places=self._scale)

    def show(self, value: Decimal) -> str:
        return f"{value:.{self._scale}f}"

    def write(self, value: Decimal) -> str:
        return self.show(value)

    def convert(self, value: Any, source: ColumnType) -> Decimal:
        return Decimal(self.read(int(value))) if isinstance(value, bool) else Decimal(super().convert(value, source))

    def operand(self, operator: str, value: Any) -> Decimal:
        number = self._plain(value)
        digits = "".join(map(str, number.as_tuple().digits)).strip("0")
        if len(digits) > DECIMAL_DIGITS or (digits and number.adjusted() < SMALLEST_COMPARED):
            detail = _("What is compared with may have %(count)d digits.") % {"count": DECIMAL_DIGITS}
            raise Unfit(detail, "too-precise")
        return number

    def operand_from_text(self, operator: str, text: str) -> Decimal:
        return self.operand(operator, text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "decimal", "pattern": rf"^-?\d+(\.\d{{1,{max(self._scale, 1)}}})?$"}

    @property
    def _scale(self) -> int:
        return int(self.options["scale"])

    def _number(self, value: Any) -> Decimal:
        number = self._plain(value)
        unit = Decimal(1).scaleb(-self._scale)
        fixed = number.quantize(unit)
        if fixed != number:
            detail = _("This has more than %(count)d digits behind the point.")
            raise Unfit(detail % {"count": self._scale}, "too-precise")
        if len(fixed.as_tuple().digits) > DECIMAL_DIGITS:
            raise Unfit(_("This has more than %(count)d digits.") % {"count": DECIMAL_DIGITS}, "out-of-range")
        return fixed + 0  # one zero: minus zero is it, too

    def _number_of_text(self, text: str) -> str:
        return text

    def _plain(self, value: Any) -> Decimal:
        """The number as it was written; compared with, it need not fit the column."""
        if isinstance(value, str) and not NUMBER.fullmatch(value := value.strip()):
            raise Unfit(_("This must be a number."), "not-a-number")
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise Unfit(_("This must be a number, or a string that holds one."), "not-a-number")
        try:
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            raise Unfit(_("This must be a number."), "not-a-number") from None
        if not number.is_finite() or number.adjusted() >= DECIMAL_DIGITS or len(number.as_tuple().digits) > 40:
            raise Unfit(_("This has more than %(count)d digits.") % {"count": DECIMAL_DIGITS}, "out-of-range")
        return number
