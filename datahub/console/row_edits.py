"""What the grid sends: cells that were typed or pasted, rows to delete, and what someone types to find a row."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from datahub.column_types import Relation
from datahub.console.edits import Change, Outcome, Saving, Typed
from datahub.console.grid_rows import RowPrinter
from datahub.console.labels import found_by
from datahub.console.pages import TablePage
from datahub.dynamic import Definition, table_by_number
from datahub.errors import NoSuchColumn
from datahub.filters import Comparison, Condition
from datahub.row_queries import LONGEST_SEARCH
from datahub.services import idempotency, rows
from datahub.services.row_input import ROWS_MAX
from fastgen_backend.errors import DomainError, FieldError, InvalidInput
from fastgen_backend.problems import domain_problem
from fastgen_backend.strict_json import load_strictly

BAD_BODY = "malformed"


class GridRequest(TablePage):
    """Something that the grid asks for; answered in JSON, refusals too."""

    body_limit_bytes: ClassVar[int] = settings.ROWS_LIMIT_BYTES
    http_method_names = ["post", "options"]

    def refusal(self, error: DomainError) -> HttpResponse:
        return domain_problem(error)

    def body(self) -> dict[str, Any]:
        try:
            found = load_strictly(self.request.body.decode())
        except (ValueError, RecursionError):
            raise _malformed() from None
        if not isinstance(found, dict):
            raise _malformed()
        return found


class SaveCells(GridRequest):
    """`{"changes": [{id, cells: {<column>: [before, typed]}}], "new": [{<column>: typed}]}`, 1,000 at most.

    Answers `{"saved": {<id>: html}, "created": {<number>: html}, "refused": [{row, column, reason, now?}]}`; what is
    not refused is saved, the changes before the new rows. Columns are ids; `?columns=` names those that the page shows.
    With an Idempotency-Key a request whose answer was lost may be sent again, and makes no row twice.
    """

    def post(self, request: HttpRequest, table: str) -> HttpResponse:
        body = self.body()
        changes, new = _edits(body)

        def work() -> idempotency.Answer:
            saving = Saving(self.definition, self.caller, self.origin)
            saving.change(changes)
            saving.create(new)
            return idempotency.Answer(200, orjson.dumps(_shown(saving.outcome, request.GET.get("columns", ""))))

        answer = self._once(work) if new else work()
        return HttpResponse(answer.body, content_type="application/json")

    def _once(self, work: Callable[[], idempotency.Answer]) -> idempotency.Answer:
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return work()
        fingerprint = sha256(f"{self.table.uid}\0".encode() + self.request.body).digest()
        return idempotency.once(key=key, actor=self.origin.actor, fingerprint=fingerprint, work=work)


class DeleteRows(GridRequest):
    """`{"ids": […]}`, 1,000 at most: all or nothing."""

    def post(self, request: HttpRequest, table: str) -> HttpResponse:
        ids = _ids(self.body().get("ids"))

        def where(now: Definition) -> Condition:
            return Comparison(now.members["id"], "in", tuple(ids))

        deleted = rows.delete_rows(table=self.table, where=where, caller=self.caller, origin=self.origin)
        return JsonResponse({"deleted": deleted})


class RowsToChoose(GridRequest):
    """`?q=`: rows of the table that a relation names, `{"items": [{value, label}]}`."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, table: str, column: str) -> HttpResponse:
        member = self.definition.own.get(column)
        if member is None or not isinstance(member.type, Relation) or not member.column or not member.column.target_id:
            raise NoSuchColumn
        typed = request.GET.get("q", "").replace("\0", "")[:LONGEST_SEARCH]
        found = found_by(table_by_number(member.column.target_id), typed)
        return JsonResponse({"items": [{"value": str(id), "label": label} for id, label in found]})


def _edits(body: dict[str, Any]) -> tuple[list[Change], list[dict[str, str]]]:
    try:
        changes = [
            Change(
                id=UUID(each["id"]),
                cells={key: Typed(str(before), str(text)) for key, (before, text) in each["cells"].items()},
            )
            for each in body["changes"]
        ]
        new = [{key: str(text) for key, text in each.items()} for each in body["new"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _malformed() from None
    if len(changes) > ROWS_MAX or len(new) > ROWS_MAX or len({each.id for each in changes}) < len(changes):
        raise _malformed()
    return changes, new


def _ids(given: Any) -> list[UUID]:
    try:
        ids = [UUID(each) for each in given]
    except (TypeError, ValueError, AttributeError):
        raise _malformed() from None
    if not 1 <= len(ids) <= ROWS_MAX:
        raise _malformed()
    return ids


def _shown(outcome: Outcome, columns: str) -> dict[str, Any]:
    """The rows with the columns that the page shows, in its order: it tells them by their place."""
    printer = RowPrinter.of_columns(outcome.definition, columns)
    saved = {str(id): printer.html([row], 0) for id, row in outcome.saved.items()}
    created = {str(number): printer.html([row], 0) for number, row in outcome.created.items()}
    refused = []
    for each in outcome.refused:
        row = each.row if isinstance(each.row, int) else str(each.row)
        told = {"row": row, "column": each.column, "reason": each.reason}
        refused.append(told if each.now is None else {**told, "now": each.now})
    return {"saved": saved, "created": created, "refused": refused}


def _malformed() -> InvalidInput:
    return InvalidInput([FieldError("", BAD_BODY, _("The page has sent something else than expected; load it again."))])
