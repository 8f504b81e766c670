"""The REST endpoints of rows: lists, single rows, and every way to write them."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from datahub import listing
from datahub.api import row_schemas as shapes
from datahub.api.row_answers import json_answer, page_answer, shown_rows
from datahub.api.row_endpoint import RowEndpoint
from datahub.api.row_parameters import FILTER, IF_MATCH, ONCE, PAGING, TABLE, gives, parameter, takes
from datahub.column_types import Unfit
from datahub.column_types.identities import Identifier
from datahub.dynamic import Definition
from datahub.filters import ALWAYS, Condition, simplified
from datahub.models import Table, Verb
from datahub.row_queries import query_from_parameters
from datahub.services import idempotency, rows, upserts
from datahub.services.row_input import ROWS_MAX, check_number
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.rest import api_origin

ID = Identifier({})
REVISION = re.compile(r'"(\d{1,18})"', re.ASCII)


class RowsView(RowEndpoint):
    takes_body = frozenset({"POST", "PATCH"})
    obeys = {"Idempotency-Key": {"POST"}}

    @extend_schema(summary="List rows", parameters=[TABLE, *PAGING], responses=gives(shapes.PAGE))
    def get(self, request: Request, table: str) -> HttpResponse:
        definition = self.remember(table, Verb.LIST)
        return page_answer(definition, query_from_parameters(self.parameters, definition), self.caller)

    @extend_schema(
        summary="Create rows",
        parameters=[
            TABLE,
            ONCE,
            parameter("onConflict", "A unique column: a row with the same value is found instead of created."),
            parameter("resolution", "What becomes of a row that is found: `merge` or `ignore`."),
        ],
        request=takes({"oneOf": [shapes.VALUES, shapes.array_of(shapes.VALUES, ROWS_MAX)]}),
        responses={status: {"oneOf": [shapes.ROW, shapes.ROWS]} for status in (201, 200)},
    )
    def post(self, request: Request, table: str) -> HttpResponse:
        """One object, or an array of up to 1,000: all or nothing."""
        is_repeatable = "HTTP_IDEMPOTENCY_KEY" in request.META  # an earlier answer is no sign that the table is open
        found = (self.open if is_repeatable else self.remember)(table, Verb.CREATE).table
        if not int(request.META.get("CONTENT_LENGTH") or 0):
            raise InvalidInput([FieldError("", "body-missing", _("Send a row, or an array of rows."))])
        body = request.data
        items = body if isinstance(body, list) else [body]
        parameters = self.only("onConflict", "resolution")

        def work() -> idempotency.Answer:
            is_bulk = isinstance(body, list)
            common: dict[str, Any] = {"caller": self.caller, "origin": api_origin(request), "is_bulk": is_bulk}
            if parameters:
                written = upserts.upsert_rows(table=found, items=items, **_conflict(parameters), **common)
            else:
                written = rows.create_rows(table=found, items=items, **common)
            shown = written.shown()
            answer = {"items": shown} if is_bulk else shown[0]
            return idempotency.Answer(200 if parameters else 201, orjson.dumps(answer))

        return _once(request, found, work)

    @extend_schema(
        summary="Change rows", parameters=[TABLE], request=takes(shapes.CHANGES), responses=gives(shapes.ROWS)
    )
    def patch(self, request: Request, table: str) -> HttpResponse:
        """An array of up to 1,000 objects, each with its `id` and what to change: all or nothing."""
        found = self.remember(table, Verb.UPDATE).table
        self.only()
        changes = _changes(request.data)
        written = rows.update_rows(table=found, changes=changes, caller=self.caller, origin=api_origin(request))
        return json_answer({"items": written.shown()})

    @extend_schema(
        summary="Delete rows",
        parameters=[TABLE, FILTER, parameter("maxAffected", "Beyond so many nothing is deleted; 1,000 by default.")],
        responses=gives(shapes.DELETED),
    )
    def delete(self, request: Request, table: str) -> HttpResponse:
        """Those that the filter names among those the caller may list; without a filter nothing is deleted."""
        found = self.remember(table, Verb.DELETE, Verb.LIST).table
        most = _number(self.parameters.get("maxAffected", str(ROWS_MAX)))

        def where(now: Definition) -> Condition:
            query = query_from_parameters(self.parameters, now, ("q",), read_elsewhere=("maxAffected",))
            if simplified(query.condition) == simplified(query.search) == ALWAYS:
                detail = _("Name the rows by a filter; to delete all of them, clear the table.")
                raise InvalidInput([FieldError("", "filter-missing", detail)])
            return query.where

        deleted = rows.delete_rows(table=found, where=where, caller=self.caller, origin=api_origin(request), most=most)
        return json_answer({"deleted": deleted})


class RowView(RowEndpoint):
    takes_body = frozenset({"PATCH"})
    obeys = {"If-Match": {"PATCH", "DELETE"}}

    @extend_schema(
        summary="Read a row",
        parameters=[TABLE, parameter("fields", "Members to answer with."), parameter("expand", "Relations.")],
        responses=gives(shapes.ROW),
    )
    def get(self, request: Request, table: str, id: UUID) -> HttpResponse:
        definition = self.remember(table, Verb.READ)
        query = query_from_parameters(self.only("fields", "expand"), definition)
        revision = definition.members["revision"]
        members = tuple(dict.fromkeys([*query.fields, *query.expand, revision]))
        found = listing.read_row(definition, id, members, self.caller)
        [row] = shown_rows([found], query, self.caller)
        return json_answer(row, ETag=f'"{found.by_key(0, [revision])["revision"]}"')

    @extend_schema(
        summary="Change a row", parameters=[TABLE, IF_MATCH], request=takes(shapes.VALUES), responses=gives(shapes.ROW)
    )
    def patch(self, request: Request, table: str, id: UUID) -> HttpResponse:
        self.only()
        written = rows.update_rows(
            table=self.remember(table, Verb.UPDATE).table,
            changes=[(id, request.data)],
            caller=self.caller,
            origin=api_origin(request),
            is_bulk=False,
            revisions=[_revision(request)],
        )
        [row] = written.shown()
        return json_answer(row, ETag=f'"{row["revision"]}"')

    @extend_schema(summary="Delete a row", parameters=[TABLE, IF_MATCH], responses={204: None})
    def delete(self, request: Request, table: str, id: UUID) -> HttpResponse:
        self.only()
        found, revision = self.remember(table, Verb.DELETE).table, _revision(request)
        rows.delete_row(table=found, id=id, caller=self.caller, origin=api_origin(request), revision=revision)
        return Response(status=204)


def _once(request: Request, table: Table, work: Callable[[], idempotency.Answer]) -> HttpResponse:
    """The answer of `work`; of an earlier request where that had the same Idempotency-Key.

    The table counts, not its key, which another may have by now. An Idempotency-Key is its caller's own; who has no
    credentials is known by the client's address: those behind one share theirs.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        answer = work()
    else:
        origin = api_origin(request)
        asked = f"{table.uid}\0{request.get_full_path()}\0{json.dumps(request.data, sort_keys=True)}".encode()
        actor = origin.actor or f"address:{origin.ip_address}"
        answer = idempotency.once(key=key, actor=actor, fingerprint=hashlib.sha256(asked).digest(), work=work)
    return HttpResponse(answer.body, status=answer.status, content_type="application/json")


def _conflict(parameters: Mapping[str, str]) -> dict[str, Any]:
    errors = []
    if not parameters.get("onConflict"):
        errors.append(FieldError("/onConflict", "required", _("Name a unique column.")))
    if parameters.get("resolution") not in list(upserts.Resolution):
        errors.append(FieldError("/resolution", "invalid", _("This must be ‘merge’ or ‘ignore’.")))
    if errors:
        raise InvalidInput(errors)
    return {
        "on_conflict": parameters["onConflict"],
        "resolution": upserts.Resolution(parameters["resolution"]),
    }


def _changes(body: Any) -> list[tuple[UUID, Any]]:
    if not isinstance(body, list):
        raise InvalidInput([FieldError("", "not-an-array", _("Send an array of rows, each with its id."))])
    check_number(body)  # before anything is said of each
    errors, changes = [], []
    for index, item in enumerate(body):
        try:
            changes.append((ID.read(item["id"]), {key: value for key, value in item.items() if key != "id"}))
        except (KeyError, TypeError, Unfit):
            errors.append(FieldError(f"/{index}/id", "not-a-uuid", _("Each row needs its id.")))
    if errors:
        raise InvalidInput(errors)
    return changes


def _revision(request: Request) -> int | None:
    """The revision that `If-Match` names (RFC 9110, 13.1.1); any is matched by `*`."""
    given = request.headers.get("If-Match")
    if given is None or given == "*":
        return None
    found = REVISION.fullmatch(given)
    if not found:
        raise InvalidInput([FieldError("/If-Match", "invalid", _('Write the revision in quotes, as in "3".'))])
    return int(found[1])


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= rows.AFFECTED_MAX:
        return int(text)
    detail = _("This must be a number from 1 to %(max)s.") % {"max": f"{rows.AFFECTED_MAX:,}"}
    raise InvalidInput([FieldError("/maxAffected", "invalid", detail)])
