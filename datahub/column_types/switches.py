"""The type that is true or false: boolean."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from datahub.column_types.column_type import MATCHING, ColumnType, Unfit

WORDS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


class Boolean(ColumnType):
    """true or false."""

    name = "boolean"
    operators = MATCHING

    def field(self) -> "models.Field[Any, Any]":
        return models.BooleanField(null=True)

    def read(self, value: Any) -> bool:
        if type(value) is not bool:
            raise Unfit(_("This must be true or false."), "not-a-boolean")
        return value

    def parse(self, text: str) -> bool:
        try:
            return WORDS[text.strip().lower()]
        except KeyError:
            raise Unfit(_("This must be true or false."), "not-a-boolean") from None

    def write(self, value: bool) -> str:
        return "true" if value else "false"

    def convert(self, value: Any, source: ColumnType) -> bool:
        """Of a number, 0 and 1."""
        if isinstance(value, int | float | Decimal) and value in (0, 1):
            return bool(value)
        return bool(super().convert(value, source))

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}
