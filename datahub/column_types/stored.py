"""The fields below the types: text that compares by code point, lists that know what they hold."""

import json
from typing import Any

from django.db import models
from django.db.models.lookups import Lookup


class ExactTextField(models.TextField):  # type: ignore[type-arg]  # not at run time
    """Text whose order and equality are those of its code points, on every database."""

    def db_parameters(self, connection: Any) -> Any:
        collation = {"collation": "C"} if connection.vendor == "postgresql" else {}
        return {**super().db_parameters(connection), **collation}


class ExactDecimalField(models.DecimalField):  # type: ignore[type-arg]  # not at run time
    """A decimal number that is compared as it is given, instead of rounded to the column's scale before."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if value is None or connection.vendor == "postgresql" else f"{value:f}"


class NumberDecoder(json.JSONDecoder):
    """PostgreSQL writes all digits of large numbers with a fraction or exponent, as if they were whole: no longer."""

    def __init__(self) -> None:
        super().__init__(parse_int=_whole_or_double)


def _whole_or_double(digits: str) -> int | float:
    number = int(digits)
    return number if is_kept_exactly(number) else float(digits)


def is_kept_exactly(number: int) -> bool:
    """Whether it has at most the 64 bits that our JSON writer and readers elsewhere know."""
    return -(2**63) <= number < 2**63


class DocumentField(models.JSONField):
    """Any JSON value."""


class ListField(DocumentField):
    """A JSON array of strings."""


@ExactTextField.register_lookup
class Contains(Lookup):
    """Whether the text holds another, letter by letter."""

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        text, text_params = self.process_lhs(compiler, connection)
        part, part_params = self.process_rhs(compiler, connection)
        find = "strpos" if connection.vendor == "postgresql" else "instr"
        return f"{find}({text}, {part}) > 0", [*text_params, *part_params]


@ExactTextField.register_lookup
class ContainsFolded(Lookup):
    """Whether the text holds another, whatever the letter case; in all of Unicode."""

    lookup_name = "holds_folded"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        text, text_params = self.process_lhs(compiler, connection)
        part, part_params = self.process_rhs(compiler, connection)
        params = [*text_params, *part_params]
        if connection.vendor == "postgresql":
            return f"strpos({_icu_folded(text)}, {_icu_folded(part)}) > 0", params
        return f"instr(fastgen_folded({text}), fastgen_folded({part})) > 0", params


@ListField.register_lookup
class HasItem(Lookup):
    """Whether the list holds an item."""

    lookup_name = "has_item"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [value]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        items, items_params = self.process_lhs(compiler, connection)
        item, item_params = self.process_rhs(compiler, connection)
        params = [*items_params, *item_params]
        if connection.vendor == "postgresql":
            return f"{items} @> jsonb_build_array({item}::text)", params
        return f"EXISTS (SELECT 1 FROM json_each({items}) AS item WHERE item.value = {item})", params  # noqa: S608  ours


@ListField.register_lookup
class HasAny(Lookup):
    """Whether the list holds one of some items at least."""

    lookup_name = "has_any"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [list(value) if connection.vendor == "postgresql" else json.dumps(list(value))]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        items, items_params = self.process_lhs(compiler, connection)
        wanted, wanted_params = self.process_rhs(compiler, connection)
        params = [*items_params, *wanted_params]
        if connection.vendor == "postgresql":
            return f"{items} ?| {wanted}::text[]", params
        among = f"SELECT wanted.value FROM json_each({wanted}) AS wanted"  # noqa: S608  ours
        return f"EXISTS (SELECT 1 FROM json_each({items}) AS item WHERE item.value IN ({among}))", params  # noqa: S608


@DocumentField.register_lookup
class IsEmpty(Lookup):
    """Whether the value holds nothing: `""`, `[]` or `{}`."""

    lookup_name = "is_empty"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        value, params = self.process_lhs(compiler, connection)
        kind = "::jsonb" if connection.vendor == "postgresql" else ""
        return f"""{value} IN ('""'{kind}, '[]'{kind}, '{{}}'{kind})""", params


def folded(text: str | None) -> str | None:
    """Text without the difference of upper and lower case, as `holds_folded` compares it; null stays null."""
    return None if text is None else text.lower().replace("ς", "σ")  # a final sigma, by Unicode's rule for lower case


def _icu_folded(sql: str) -> str:
    return f"""replace(lower({sql}::text COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C\""""
