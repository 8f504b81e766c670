"""What the endpoints of rows stand on. Whom they serve is decided by each table’s access rules."""

from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request

from datahub.access import NOBODY, Caller, refuse_closed
from datahub.api.promises import PromisingEndpoint
from datahub.dynamic import Definition, find_definition, is_outdated, recall
from datahub.errors import NoSuchTable, TableBusy
from datahub.models import Verb
from datahub.names import first_of
from fastgen_backend.errors import DomainError, FieldError, InvalidInput, pointer_part
from fastgen_backend.rest import credentials_of, once_each

ATTEMPTS_MAX = 5  # to read a table that changes meanwhile


class RowEndpoint(PromisingEndpoint):
    """Rows are written past DRF's serializers: their shape is each table's own, and checked against it."""

    permission_classes = []
    body_limit_bytes: ClassVar[int] = settings.ROWS_LIMIT_BYTES
    takes_body: ClassVar[frozenset[str]] = frozenset()
    _attempts = 0  # that failed
    _remembered: tuple[Definition, tuple[Any, ...]] | None = None  # with the table and verbs that were asked for

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.parameters = once_each(request.query_params) if request.META.get("QUERY_STRING") else {}
        self.caller = _caller(request)

    def handle_exception(self, error: Exception) -> Any:
        """As ever; but what was done by a definition that may be none any more is done again, by the present one."""
        while is_outdated(error) or self._is_refused_by_another(error):
            remembered, self._remembered = self._remembered, None
            self._attempts += 1
            if self._attempts == ATTEMPTS_MAX:
                error = TableBusy(_("The table is being changed over and over; try again."), retry_after=1)
                break
            try:
                if remembered and isinstance(error, ParseError):  # a body is parsed only once; is the table closed now?
                    self.open(*remembered[1])
                    break
                return getattr(self, (self.request.method or "").lower())(self.request, *self.args, **self.kwargs)
            except Exception as another:
                error = another
        return super().handle_exception(error)

    def _read_query(self, request: Request) -> dict[str, Any]:
        return {}

    def _read_body(self, request: Request) -> dict[str, Any]:
        return {} if request.method in self.takes_body else super()._read_body(request)

    def open(self, table: str, *verbs: Verb) -> Definition:
        """The table, which is not closed to the caller; nothing that was sent is looked at before."""
        definition = find_definition(table)
        for verb in verbs:
            refuse_closed(definition, verb, self.caller)
        return definition

    def remember(self, table: str, *verbs: Verb) -> Definition:
        """As `open`, but by the definition we had last, for those who find out by what they do whether it holds.

        A refusal is believed where it still is the present one, and else made again by that.
        """
        definition = recall(table) if self._attempts == 0 else None
        if definition is None:
            return self.open(table, *verbs)
        self._remembered = definition, (table, *verbs)
        for verb in verbs:
            refuse_closed(definition, verb, self.caller)
        return definition

    def _is_refused_by_another(self, error: Exception) -> bool:
        """Whether this is the refusal of a remembered definition that is none any more."""
        if self._remembered is None or not _is_refusal(error):
            return False
        definition, (table, *_verbs) = self._remembered
        try:
            return find_definition(table).identity != definition.identity
        except NoSuchTable:
            return True

    def only(self, *names: str) -> dict[str, str]:
        """The parameters, of which there may be no others than these."""
        unknown = [name for name in self.parameters if name not in names]
        if unknown:
            detail = _("There is no such parameter; none is taken here.")
            if names:
                detail = _("There is no such parameter; there are: %(known)s.") % {"known": first_of(names)}
            raise InvalidInput([FieldError(f"/{pointer_part(name)}", "unknown-member", detail) for name in unknown])
        return self.parameters


def _is_refusal(error: Exception) -> bool:
    """Whether nothing was written, and another definition might have allowed it.

    Where the database fails that is not known: the answer to a commit may have been lost.
    """
    return isinstance(error, (DomainError, APIException)) and not isinstance(error, TableBusy)


def _caller(request: Request) -> Caller:
    credentials = credentials_of(request)
    if credentials is None:
        return NOBODY
    return Caller(
        user_id=credentials.user_id,
        roles=tuple(credentials.role_names),
        reads_all=credentials.allows("rows:read"),
        writes_all=credentials.allows("rows:write"),
        reads_people=credentials.allows("users:read"),
        is_program=credentials.user_id is None,
    )
