"""Pages of a list, each from where the last one ended: as quick at the end of a long list as at its beginning."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from fastgen_backend.connections import planned_for_its_values
from fastgen_backend.errors import FieldError, InvalidInput

Row = TypeVar("Row", bound=models.Model)
NUL = "\0"  # between the values of a cursor: neither database stores it in a text


def rows_after(cursor: str, rows: models.QuerySet[Row], *, order: Sequence[str], limit: int) -> tuple[list[Row], str]:
    """Up to `limit` of `rows` behind `cursor` (empty: the first ones), and the cursor that goes on, empty at the end.

    `order` names columns that are never null and together unique, each with a minus where it runs backwards. Raises
    `InvalidInput` for a cursor that was not made here.
    """
    if cursor:
        rows = rows.filter(_behind(rows.model, order, open_cursor(cursor)))
    with planned_for_its_values():
        found = list(rows.order_by(*order)[: limit + 1])
    shown = found[:limit]
    if len(found) == len(shown):
        return shown, ""
    return shown, make_cursor(NUL.join(str(getattr(shown[-1], each.removeprefix("-"))) for each in order))


def _behind(model: type[models.Model], order: Sequence[str], ended: str) -> models.Q:
    """The condition for rows behind the one with the values `ended`: (a, b) > (x, y) is a ≥ x and (a > x or b > y)."""
    texts = ended.split(NUL)
    if len(texts) != len(order):
        raise invalid_cursor()
    condition = models.Q()
    for each, text in reversed(list(zip(order, texts, strict=True))):
        name, way = each.removeprefix("-"), "lt" if each.startswith("-") else "gt"
        value = _value_of(model, name, text)
        beyond = models.Q(**{f"{name}__{way}": value})
        condition = models.Q(**{f"{name}__{way}e": value}) & (beyond | condition) if condition else beyond
    return condition


def _value_of(model: type[models.Model], name: str, text: str) -> Any:
    """The value of the column `name` that a cursor wrote as `text`."""
    field = cast("models.Field[Any, Any]", model._meta.get_field(name))
    try:
        return field.to_python(text)
    except ValidationError:
        raise invalid_cursor() from None


def invalid_cursor() -> InvalidInput:
    """The refusal of a cursor that `make_cursor` never made for this list."""
    return InvalidInput([FieldError("/cursor", "invalid-cursor", _("This is no cursor of this list."))])


def make_cursor(value: object) -> str:
    """An opaque cursor that stands for `value`."""
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def open_cursor(cursor: str) -> str:
    """What `make_cursor` was given; raises `InvalidInput` for anything else."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text or make_cursor(text) != cursor:
        raise invalid_cursor()
    return text
