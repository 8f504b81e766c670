"""What the endpoints of rows stand on. Whom they serve is decided by each table’s access rules."""

from contextlib import suppress
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from datahub.access import NOBODY, Caller, refuse_closed
from datahub.dynamic import Definition, find_definition, is_outdated, recall
from datahub.errors import AccessDenied, CallerMissing, TableBusy
from datahub.models import Table, Verb
from datahub.names import first_of
from fastgen_backend.errors import FieldError, InvalidInput, pointer_part
from fastgen_backend.rest import Endpoint, credentials_of, once_each
from fastgen_backend.time_limits import QueryTooSlow

ATTEMPTS_MAX = 5  # to read a table that changes meanwhile


class RowEndpoint(Endpoint):
    """Rows are written past DRF's serializers: their shape is each table's own, and checked against it."""

    permission_classes = []
    body_limit_bytes: ClassVar[int] = settings.ROWS_LIMIT_BYTES
    takes_body: ClassVar[frozenset[str]] = frozenset()
    _attempts = 0  # that failed
    _goes_by_memory = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.parameters = once_each(request.query_params) if request.META.get("QUERY_STRING") else {}
        self.caller = _caller(request)

    def handle_exception(self, error: Exception) -> Any:
        """As ever; but what was done by a definition that may be none any more is done again, by the present one."""
        while self._is_doubtful(error):
            self._attempts += 1
            self._goes_by_memory = False
            if self._attempts == ATTEMPTS_MAX:
                error = TableBusy(_("The table is being changed over and over; try again."), retry_after=1)
                break
            try:
                return getattr(self, (self.request.method or "").lower())(self.request, *self.args, **self.kwargs)
            except Exception as another:
                error = another
        return super().handle_exception(error)

    def _is_doubtful(self, error: Exception) -> bool:
        """Whether the present definition may know better; not where the body can't be parsed, or it took too long."""
        is_final = isinstance(error, ParseError) or QueryTooSlow.is_meant_by(error)
        return is_outdated(error) or (self._goes_by_memory and not is_final)

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

    def remember(self, table: str, verb: Verb) -> Definition:
        """As `open`, but by the definition we had last, for those who find out by what they read whether it holds.

        Every refusal is found out as well: it is made again by the present definition, and only then believed.
        """
        definition = recall(table) if self._attempts == 0 else None
        if definition is None:
            return self.open(table, verb)
        self._goes_by_memory = True
        refuse_closed(definition, verb, self.caller)
        return definition

    def to_write(self, table: str, *verbs: Verb) -> Table:
        """The table, which is not closed to the caller; by memory as well, for services that write to what it names."""
        remembered = recall(table) if self._attempts == 0 else None
        if remembered is not None:
            with suppress(AccessDenied, CallerMissing):
                for verb in verbs:
                    refuse_closed(remembered, verb, self.caller)
                return remembered.table
        return self.open(table, *verbs).table

    def only(self, *names: str) -> dict[str, str]:
        """The parameters, of which there may be no others than these."""
        unknown = [name for name in self.parameters if name not in names]
        if unknown:
            detail = _("There is no such parameter; there are: %(known)s.") % {"known": first_of(names)}
            raise InvalidInput([FieldError(f"/{pointer_part(name)}", "unknown-member", detail) for name in unknown])
        return self.parameters


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
