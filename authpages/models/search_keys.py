"""Keys that people are found by: the beginning of one, in whatever letter case, finds the person by an index.

They are made in Python, because SQLite folds ASCII only, and compared byte by byte in both databases, so that all that
begins with a text lies in one range of the index.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Left
from django.db.models.lookups import Exact

LONGEST_KEY = 200  # characters; who looks for more finds by so many
LAST_CHARACTER = "\U0010ffff"


def search_key(text: str) -> str:
    """The one spelling that stands for every spelling of a name: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())[:LONGEST_KEY]


def any_begins(keys: Mapping[str, str], *, by_index: bool = True) -> Q:
    """That one of the `KeyField`s in `keys` begins with its key.

    It is asked as a range, which needs no escaping and which the field's index serves; or, not `by_index`, so that none
    does: for SQLite, which can't know that half the table is in a range, and would sort all that.
    """
    begin = _in_range if by_index else _by_comparison
    return reduce(or_, (begin(field, key) for field, key in keys.items()))


def _in_range(field: str, key: str) -> Q:
    return Q(**{f"{field}__gte": key, f"{field}__lt": key + LAST_CHARACTER})


def _by_comparison(field: str, key: str) -> Q:
    return Q(Exact(Left(field, len(key)), key))


class KeyField(models.CharField):  # type: ignore[type-arg]
    """A text that is compared byte by byte: SQLite does so by itself, PostgreSQL by the collation "C"."""

    def db_parameters(self, connection: Any) -> Any:
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}


class SearchKeyField(KeyField):
    """The search key of what the fields `of` hold together, made whenever it is saved."""

    def __init__(self, *args: Any, of: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": LONGEST_KEY, "default": "", "editable": False, **kwargs})
        self.of = tuple(of)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = search_key(" ".join(getattr(model_instance, name) for name in self.of))
        setattr(model_instance, self.attname, key)
        return key
