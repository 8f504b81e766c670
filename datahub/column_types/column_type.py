"""What every type of column answers: how it stores, reads, shows and converts, and what can be asked of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _

from fastgen_backend.strict_json import UNSTORABLE

COMPARING = frozenset({"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "between", "isnull"})
MATCHING = frozenset({"eq", "ne", "in", "nin", "isnull"})
SEARCHING = COMPARING | {"contains", "icontains", "startswith", "empty"}


class Unfit(ValueError):
    """A value that a column can't take; says why."""

    def __init__(self, reason: str, code: str = "invalid") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class BadOption(ValueError):
    """An option that a type can't have: which, and why."""

    def __init__(self, option: str, reason: str) -> None:
        super().__init__(reason)
        self.option = option
        self.reason = reason


class ColumnType(ABC):
    """A type with its options. Values inside are Python's own; None never comes here, it is the absent value of all.

    `read` takes JSON and `parse` takes text (a CSV cell, a parameter); both raise `Unfit`. `show` and `write` are
    their inverses.
    """

    name: ClassVar[str]
    operators: ClassVar[frozenset[str]] = COMPARING
    defaults: ClassVar[Mapping[str, Any]] = {}  # every option there is
    is_searched: ClassVar[bool] = False  # by `q`
    is_sortable: ClassVar[bool] = True
    writes_itself: ClassVar[bool] = True  # our JSON writer shows the stored value as `show` does

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = {**self.defaults, **options}

    @classmethod
    def with_options(cls, given: Mapping[str, Any]) -> "ColumnType":
        """The type with these options; raises `BadOption`."""
        for option in given:
            if option not in cls.defaults:
                detail = _("This type has no options.")
                if cls.defaults:
                    there = ", ".join(cls.defaults)
                    detail = _("There is no such option of this type; there are: %(all)s.") % {"all": there}
                raise BadOption(option, detail)
        made = cls(given)
        made.check_options()
        return made

    def check_options(self) -> None:  # noqa: B027  most options need no check
        """Raise `BadOption` where one can't be."""

    def index_flaw(self) -> str:
        """Why no index can be made of such a column, in a sentence; empty where one can."""
        return ""

    @property
    def bytes_max(self) -> int:
        """How many bytes a value has at most, about, when it is written out."""
        return 40

    @abstractmethod
    def field(self) -> "models.Field[Any, Any]":
        """The field that stores it."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """A JSON value as the column keeps it."""

    def show(self, value: Any) -> Any:
        """A kept value as JSON."""
        return value

    @abstractmethod
    def parse(self, text: str) -> Any:
        """A text as the column keeps it."""

    def write(self, value: Any) -> str:
        """A kept value as text, such that `parse` gives it back."""
        return str(value)

    def convert(self, value: Any, source: "ColumnType") -> Any:
        """A value that a column of the type `source` keeps, as this one keeps it; by way of its text."""
        return self.parse(source.write(value))

    def takes_all_of(self, older: "ColumnType") -> bool:
        """Whether every value that a column of this type with the options of `older` keeps is one of these options."""
        return False

    def operand(self, operator: str, value: Any) -> Any:
        """What a filter compares with, from JSON; not for `isnull` and `empty`, whose operand is a boolean."""
        return self.read(value)

    def operand_from_text(self, operator: str, text: str) -> Any:
        """What a filter compares with, from a parameter."""
        return self.parse(text)

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what `show` gives and `read` takes; null apart."""


def checked_text(value: Any) -> str:
    """A string that both databases can keep; raises `Unfit`."""
    if type(value) is not str:
        raise Unfit(_("This must be a string."), "not-a-string")
    if "\0" in value or (not value.isascii() and UNSTORABLE.search(value)):
        raise Unfit(_("Text must not hold NUL or lone surrogates."), "invalid-characters")
    return value
