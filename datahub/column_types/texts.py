"""Types that are text: text, longText, email, url, choice."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext as _

from datahub.column_types.column_type import SEARCHING, BadOption, ColumnType, Unfit, checked_text
from datahub.column_types.stored import ExactTextField
from fastgen_backend.limits import LONGEST_EMAIL, LONGEST_URL

TEXT_MAX = 10_000
INDEXED_TEXT_MAX = 500  # of 4 bytes at most: a B-tree of PostgreSQL takes 2,704 bytes
LONG_TEXT_MAX = 2_000_000
CHOICES_MAX = 500
CHOICE_MAX = 100


class _AnyText(ColumnType):
    """What all of them share: strings, of `longest` characters at most."""

    operators = SEARCHING
    is_searched = True
    longest: int

    @property
    def bytes_max(self) -> int:
        return 4 * self.longest  # in UTF-8

    def field(self) -> "models.Field[Any, Any]":
        return ExactTextField(null=True)

    def read(self, value: Any) -> str:
        text = checked_text(value)
        if len(text) > self.longest:
            detail = _("This has %(length)d characters; %(max)d are allowed.")
            raise Unfit(detail % {"length": len(text), "max": self.longest}, "too-long")
        return text

    def parse(self, text: str) -> str:
        return self.read(text)

    def operand(self, operator: str, value: Any) -> str:
        return checked_text(value)

    def operand_from_text(self, operator: str, text: str) -> str:
        return checked_text(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.longest}


class Text(_AnyText):
    """A short text, of `maxLength` characters at most."""

    name = "text"
    defaults = {"maxLength": 255}

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.longest = self.options["maxLength"]

    def check_options(self) -> None:
        longest = self.options["maxLength"]
        if type(longest) is not int or not 1 <= longest <= TEXT_MAX:
            raise BadOption("maxLength", _("This must be a number from 1 to %(max)d.") % {"max": TEXT_MAX})

    def takes_all_of(self, older: ColumnType) -> bool:
        return bool(self.options["maxLength"] >= older.options["maxLength"])

    def index_flaw(self) -> str:
        if self.longest <= INDEXED_TEXT_MAX:
            return ""
        return _("Only texts of at most %(count)d characters can be indexed or unique; lower maxLength.") % {
            "count": INDEXED_TEXT_MAX
        }


class LongText(_AnyText):
    """A text of up to 2,000,000 characters."""

    name = "longText"
    longest = LONG_TEXT_MAX
    is_sortable = False  # a cursor would hold the whole text

    def index_flaw(self) -> str:
        return _("A long text can’t be indexed or unique; use the type text.")


class Email(_AnyText):
    """A mail address, kept as it was written."""

    name = "email"
    longest = LONGEST_EMAIL

    def read(self, value: Any) -> str:
        text = super().read(value)
        try:
            validate_email(text)
        except ValidationError:
            raise Unfit(_("This is no e-mail address."), "not-an-email") from None
        return text

    def schema(self) -> dict[str, Any]:
        return {**super().schema(), "format": "email"}


class Url(_AnyText):
    """An absolute address on the web, in ASCII (RFC 3986)."""

    name = "url"
    longest = LONGEST_URL

    def read(self, value: Any) -> str:
        text = super().read(value)
        if not _is_url(text):
            detail = _("This must be an http or https address such as https://example.com/a, without spaces, in ASCII.")
            raise Unfit(detail, "not-a-url")
        return text

    def schema(self) -> dict[str, Any]:
        return {**super().schema(), "format": "uri"}


class Choice(_AnyText):
    """One of some texts."""

    name = "choice"
    longest = CHOICE_MAX
    defaults = {"choices": ()}

    def check_options(self) -> None:
        check_choices(self.options["choices"])

    def read(self, value: Any) -> str:
        text = checked_text(value)
        if text not in self.options["choices"]:
            raise Unfit(no_choice(text, self.options["choices"]), "not-a-choice")
        return text

    def takes_all_of(self, older: ColumnType) -> bool:
        return set(older.options["choices"]) <= set(self.options["choices"])

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.options["choices"])}


def check_choices(choices: Any) -> None:
    """Raise `BadOption` unless these are 1 to 500 different texts."""
    if not isinstance(choices, list | tuple) or not 1 <= len(choices) <= CHOICES_MAX:
        raise BadOption("choices", _("Name 1 to %(count)d choices.") % {"count": CHOICES_MAX})
    for choice in choices:
        try:
            usable = len(checked_text(choice).strip()) >= 1 and len(choice) <= CHOICE_MAX
        except Unfit:
            usable = False
        if not usable:
            raise BadOption("choices", _("A choice is a text of 1 to %(count)d characters.") % {"count": CHOICE_MAX})
    if len(set(choices)) < len(choices):
        raise BadOption("choices", _("Two choices are the same."))


def no_choice(text: str, choices: Any) -> str:
    """The sentence that refuses `text`."""
    known = ", ".join(f"‘{choice}’" for choice in choices[:10]) + (", …" if len(choices) > 10 else "")
    return _("‘%(text)s’ is none of the choices: %(choices)s.") % {"text": text[:CHOICE_MAX], "choices": known}


def _is_url(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
