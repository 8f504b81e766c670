"""Refusals: what a service raises when it will not do what was asked, and why."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_ERRORS = 100  # that one answer tells; a body can hold so many that the answer would be larger than it


class CannotStart(Exception):
    """Why a command is refused, in one sentence for the person who gave it."""


class FieldError(NamedTuple):
    """What is wrong with one member of the input; `pointer` is a JSON Pointer (RFC 6901) such as `/email`."""

    pointer: str
    code: str
    detail: str


def pointer_part(name: str) -> str:
    """A member's name as a JSON Pointer has it (RFC 6901, 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def detail_of(errors: Sequence[FieldError]) -> str:
    """What to say on the whole, where there are one or more such errors."""
    if len(errors) == 1:
        return errors[0].detail
    if len(errors) > MOST_ERRORS:
        return _("More than %(count)d members are not valid.") % {"count": MOST_ERRORS}
    return _("%(count)d members are not valid.") % {"count": len(errors)}


class DomainError(Exception):
    """The base of every refusal.

    `status` is the HTTP status it maps to, `code` its stable name, `title` the same every time; `detail` tells what
    is wrong this time and what to do. `field` names the member of the input that is to blame, if one is.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid"
    title: ClassVar[str | Promise] = gettext_lazy("This can’t be done")
    field: str = ""

    def __init__(self, detail: str = "", *, field: str = "", retry_after: int | None = None) -> None:
        super().__init__(detail or str(self.title))
        self.detail = detail or str(self.title)
        self.field = field or self.field
        self.retry_after = retry_after

    @property
    def errors(self) -> Sequence[FieldError]:
        """What to mend, member by member."""
        return [FieldError(f"/{self.field}", self.code, self.detail)] if self.field else []

    @property
    def members(self) -> Mapping[str, Any]:
        """What the problem tells beyond its standard members (RFC 9457, 3.2)."""
        return {}


class InvalidInput(DomainError):
    """One or more members of the input are wrong; nothing was written."""

    code = "invalid-input"
    title = gettext_lazy("The input is not valid")

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(detail_of(errors))
        self._errors = errors

    @property
    def errors(self) -> Sequence[FieldError]:
        return self._errors


class NotFound(DomainError):
    """There is no such thing, or not for this caller."""

    status = 404
    code = "not-found"
    title = gettext_lazy("There is nothing here")


class TooManyRequests(DomainError):
    """A limit is used up; `retry_after` says in how many seconds it is worth trying again."""

    status = 429
    code = "too-many-requests"
    title = gettext_lazy("Too many requests")


class TooBusy(DomainError):
    """This process has more work waiting than it can do in good time."""

    status = 503
    code = "too-busy"
    title = gettext_lazy("Too busy right now")
