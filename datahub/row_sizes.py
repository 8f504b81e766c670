"""How many bytes rows hold: so that one request reads only so much of them at once, whatever users put in."""

from collections.abc import Collection, Iterable
from itertools import accumulate, takewhile
from typing import Any

from django.db import models

from datahub.column_types.documents import Json
from datahub.dynamic import Member

SMALL = 100  # bytes, of which it does not matter how many are used
BYTES_MAX = 32_000_000  # at once; with all that is made of them they take some five times as much memory
ROW_MAX = BYTES_MAX  # of one row, so that it can be answered
OBJECT_BYTES = 8  # of memory at least for each byte of JSON, once it is Python's objects
BESIDE_KEY = len('"":null,')


def may_be_large(members: Collection[Member], count: int, *, as_objects: bool = False) -> bool:
    """Whether so many rows could hold more in these members than is read at once; `as_objects` in Python's own."""
    return count * bytes_max(members, as_objects=as_objects) > BYTES_MAX


def count_that_fits(sizes: Iterable[int], room: int | None = None) -> int:
    """How many of rows with these sizes go into `room`, which is `BYTES_MAX` unless told."""
    room = BYTES_MAX if room is None else room
    return sum(1 for _each in takewhile(lambda total: total <= room, accumulate(sizes)))


def rows_at_once(members: Collection[Member], most: int) -> int:
    """How many rows, `most` at most, are never too large; one always is taken."""
    return max(1, min(most, BYTES_MAX // bytes_max(members)))


def size_of(members: Collection[Member], *, as_objects: bool = False) -> "models.Expression":
    """How many bytes of a row these members have in JSON with their keys, about."""
    large = [member for member in members if member.type.bytes_max > SMALL]
    keys = sum(len(member.key) + BESIDE_KEY for member in members)
    small = sum(member.type.bytes_max for member in members if member not in large)
    sizes = [_Bytes(models.F(member.attribute)) * _weight(member, as_objects) for member in large]
    return _Sum(models.Value(keys + small), *sizes)


def bytes_max(members: Iterable[Member], *, as_objects: bool = False) -> int:
    """How many bytes a row may have in these members, about."""
    return sum(member.type.bytes_max * _weight(member, as_objects) + len(member.key) + BESIDE_KEY for member in members)


def _weight(member: Member, as_objects: bool) -> int:
    return OBJECT_BYTES if as_objects and isinstance(member.type, Json) else 1


def number_that_fits(rows: "models.QuerySet[Any]", members: Collection[Member], most: int) -> int:
    """How many of these rows, `most` at most, go in at once as Python's own objects; one always is taken."""
    if not may_be_large(members, most, as_objects=True):
        return most
    return max(1, count_that_fits(rows.values_list(size_of(members, as_objects=True), flat=True)[:most]))


def is_too_large(size: int) -> bool:
    """Whether a row of so many bytes is larger than a row may be."""
    return size > ROW_MAX


def may_be_too_large(members: Iterable[Member]) -> bool:
    """Whether one row could hold more in these members than a row may."""
    return is_too_large(bytes_max(members))


class _Bytes(models.Func):
    """How long a value is as a text in UTF-8. PostgreSQL knows that without a look at what it has set apart."""

    template = "COALESCE(OCTET_LENGTH(%(expressions)s::text), 0)"
    output_field = models.BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "COALESCE(LENGTH(CAST(%(expressions)s AS BLOB)), 0)"
        return self.as_sql(compiler, connection, template=template, **context)


class _Sum(models.Func):
    """All of them together, of which there may be hundreds."""

    template = "(%(expressions)s)"
    arg_joiner = " + "
    output_field = models.BigIntegerField()
