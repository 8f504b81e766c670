"""Types that are days and moments: date, dateTime."""

import re
from datetime import UTC, date, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from datahub.column_types.column_type import ColumnType, Unfit

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Date(ColumnType):
    """A day of the Gregorian calendar, `2026-11-24`."""

    name = "date"

    def field(self) -> "models.Field[Any, Any]":
        return models.DateField(null=True)

    def read(self, value: Any) -> date:
        if type(value) is not str or not DAY.fullmatch(value):
            raise Unfit(_("This must be a day such as 2026-11-24."), "not-a-date")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise Unfit(_("There is no such day."), "not-a-date") from None

    def show(self, value: date) -> str:
        return value.isoformat()

    def parse(self, text: str) -> date:
        return self.read(text.strip())

    def convert(self, value: Any, source: ColumnType) -> date:
        """Of a moment its day in UTC."""
        return value.date() if isinstance(value, datetime) else self.parse(source.write(value))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


class DateTime(ColumnType):
    """A moment to the microsecond, kept and shown in UTC (RFC 3339)."""

    name = "dateTime"

    def field(self) -> "models.Field[Any, Any]":
        return models.DateTimeField(null=True)

    def read(self, value: Any) -> datetime:
        if type(value) is not str or not MOMENT.fullmatch(value):
            example = "2026-11-24T09:30:00Z"
            raise Unfit(_("This must be a moment such as %(example)s.") % {"example": example}, "not-a-date-time")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Unfit(_("There is no such moment."), "not-a-date-time") from None

    def show(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def parse(self, text: str) -> datetime:
        return self.read(text.strip())

    def write(self, value: datetime) -> str:
        return self.show(value)

    def convert(self, value: Any, source: ColumnType) -> datetime:
        """Of a day its first moment in UTC."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        return self.parse(source.write(value))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}
