"""What a column can hold: one small class per type. To add one, write it and name it here."""

from collections.abc import Mapping
from typing import Any

from datahub.column_types.column_type import BadOption, ColumnType, Unfit
from datahub.column_types.documents import Json, MultiChoice
from datahub.column_types.identities import Identifier, Relation
from datahub.column_types.moments import Date, DateTime
from datahub.column_types.numbers import Fixed, Float, Integer
from datahub.column_types.switches import Boolean
from datahub.column_types.texts import Choice, Email, LongText, Text, Url

ALL: tuple[type[ColumnType], ...] = (
    Text,
    LongText,
    Integer,
    Float,
    Fixed,
    Boolean,
    Date,
    DateTime,
    Choice,
    MultiChoice,
    Email,
    Url,
    Json,
    Identifier,
    Relation,
)
BY_NAME = {each.name: each for each in ALL}


def column_type(name: str, options: Mapping[str, Any]) -> ColumnType:
    """The type of a stored column; its options were checked when they were stored."""
    return BY_NAME[name](options)


__all__ = ["ALL", "BY_NAME", "BadOption", "ColumnType", "Relation", "Unfit", "column_type"]
