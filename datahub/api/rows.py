"""The REST endpoints of rows. Whom they serve is decided by each table's access rules, not by permissions here."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from datahub import export, listing
from datahub.access import NOBODY, Caller, refuse_closed
from datahub.aggregation import FUNCTIONS, aggregate_rows, aggregation_from_parameters
from datahub.api import row_schemas as shapes
from datahub.column_types import Unfit
from datahub.column_types.identities import Identifier
from datahub.dynamic import Definition, find_definition, is_outdated, recall
from datahub.errors import AccessDenied, CallerMissing, TableBusy
from datahub.expansion import expanded
from datahub.filters import ALWAYS, Condition, simplified
from datahub.models import Table, Verb
from datahub.row_queries import OPTIONS, RowQuery, query_from_json, query_from_parameters
from datahub.services import idempotency, rows, upserts
from datahub.statements import RAW_JSON, Found
from fastgen_backend.errors import FieldError, InvalidInput, pointer_part
from fastgen_backend.rest import Endpoint, api_origin, credentials_of, once_each

ID = Identifier({})
REVISION = re.compile(r'"(\d{1,18})"', re.ASCII)
MOST_AFFECTED = 10_000
ATTEMPTS_MAX = 5  # to read a table that changes meanwhile


def _parameter(name: str, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=description, **more)


TABLE = _parameter("table", "The table’s id or key.", location=OpenApiParameter.PATH)
FILTER = _parameter("filter", "In place of ‘filter’: a column, or a column and an operator, as in `age__gte=18`.")
IF_MATCH = _parameter("If-Match", 'The revision you saw, as in `"3"`.', location=OpenApiParameter.HEADER)
ONCE = _parameter("Idempotency-Key", "A retry with the same key does nothing twice.", location=OpenApiParameter.HEADER)
SELECTING = [
    FILTER,
    _parameter("q", "Rows that hold this text, whatever its letter case."),
    _parameter("order", "Columns to sort by, as in `-age,name`."),
    _parameter("fields", "Members to answer with."),
]
PAGING = [
    *SELECTING,
    _parameter("expand", "Relations whose rows to answer with."),
    _parameter("limit", "Rows on a page, at most 200."),
    _parameter("cursor", "The `nextCursor` of the page before."),
    _parameter("count", "`none`, `estimated` or `exact`."),
]


def takes(schema: shapes.Schema) -> Any:
    """A body as `extend_schema` takes it."""
    return {"application/json": schema}


def gives(schema: shapes.Schema) -> Any:
    """An answer as `extend_schema` takes it."""
    return {200: schema}


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
        while is_outdated(error) or self._goes_by_memory:
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
            detail = _("There is no such parameter.")
            raise InvalidInput([FieldError(f"/{pointer_part(name)}", "unknown-member", detail) for name in unknown])
        return self.parameters


class RowsView(RowEndpoint):
    takes_body = frozenset({"POST", "PATCH"})

    @extend_schema(summary="List rows", parameters=[TABLE, *PAGING], responses=gives(shapes.PAGE))
    def get(self, request: Request, table: str) -> HttpResponse:
        definition = self.remember(table, Verb.LIST)
        return _page(definition, query_from_parameters(self.parameters, definition), self.caller)

    @extend_schema(
        summary="Create rows",
        parameters=[
            TABLE,
            ONCE,
            _parameter("onConflict", "A unique column: a row with the same value is found instead of created."),
            _parameter("resolution", "What becomes of a row that is found: `merge` or `ignore`."),
        ],
        request=takes({"oneOf": [shapes.VALUES, shapes.array_of(shapes.VALUES, rows.ROWS_MAX)]}),
        responses={status: {"oneOf": [shapes.ROW, shapes.ROWS]} for status in (201, 200)},
    )
    def post(self, request: Request, table: str) -> HttpResponse:
        """One object, or an array of up to 1,000: all or nothing."""
        found = self.to_write(table, Verb.CREATE)
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

        return _once(request, work)

    @extend_schema(
        summary="Change rows", parameters=[TABLE], request=takes(shapes.CHANGES), responses=gives(shapes.ROWS)
    )
    def patch(self, request: Request, table: str) -> HttpResponse:
        """An array of up to 1,000 objects, each with its `id` and what to change: all or nothing."""
        self.only()
        changes = _changes(request.data)
        written = rows.update_rows(
            table=self.to_write(table, Verb.UPDATE), changes=changes, caller=self.caller, origin=api_origin(request)
        )
        return _json({"items": written.shown()})

    @extend_schema(
        summary="Delete rows",
        parameters=[TABLE, FILTER, _parameter("maxAffected", "Beyond so many nothing is deleted; 1,000 by default.")],
        responses=gives(shapes.DELETED),
    )
    def delete(self, request: Request, table: str) -> HttpResponse:
        """Those that the filter names among those the caller may list; without a filter nothing is deleted."""
        found = self.to_write(table, Verb.DELETE, Verb.LIST)
        filters = dict(self.parameters)
        most = _number(filters.pop("maxAffected", str(rows.ROWS_MAX)))

        def where(now: Definition) -> Condition:
            query = query_from_parameters(filters, now, options=("q",))
            if simplified(query.condition) == simplified(query.search) == ALWAYS:
                detail = _("Name the rows by a filter; to delete all of them, clear the table.")
                raise InvalidInput([FieldError("", "filter-missing", detail)])
            return query.where

        deleted = rows.delete_rows(table=found, where=where, caller=self.caller, origin=api_origin(request), most=most)
        return _json({"deleted": deleted})


class RowQueryView(RowEndpoint):
    takes_body = frozenset({"POST"})

    @extend_schema(
        summary="List rows by a JSON query",
        parameters=[TABLE],
        request=takes(shapes.QUERY),
        responses=gives(shapes.PAGE),
    )
    def post(self, request: Request, table: str) -> HttpResponse:
        """As the list, with nested conditions: `{"filter": {"and": [{"field", "op", "value"}, …]}, "order": […]}`."""
        self.only()
        definition = self.remember(table, Verb.LIST)
        return _page(definition, query_from_json(request.data, definition), self.caller)


class RowView(RowEndpoint):
    takes_body = frozenset({"PATCH"})

    @extend_schema(
        summary="Read a row",
        parameters=[TABLE, _parameter("fields", "Members to answer with."), _parameter("expand", "Relations.")],
        responses=gives(shapes.ROW),
    )
    def get(self, request: Request, table: str, id: UUID) -> HttpResponse:
        definition = self.remember(table, Verb.READ)
        query = query_from_parameters(self.only("fields", "expand"), definition)
        revision = definition.members["revision"]
        members = tuple(dict.fromkeys([*query.fields, *query.expand, revision]))
        found = listing.read_row(definition, id, members, self.caller)
        [row] = _shown(found, query, self.caller)
        return _json(row, ETag=f'"{found.by_key(0)["revision"]}"')

    @extend_schema(
        summary="Change a row", parameters=[TABLE, IF_MATCH], request=takes(shapes.VALUES), responses=gives(shapes.ROW)
    )
    def patch(self, request: Request, table: str, id: UUID) -> HttpResponse:
        self.only()
        written = rows.update_rows(
            table=self.to_write(table, Verb.UPDATE),
            changes=[(id, request.data)],
            caller=self.caller,
            origin=api_origin(request),
            is_bulk=False,
            revision=_revision(request),
        )
        [row] = written.shown()
        return _json(row, ETag=f'"{row["revision"]}"')

    @extend_schema(summary="Delete a row", parameters=[TABLE, IF_MATCH], responses={204: None})
    def delete(self, request: Request, table: str, id: UUID) -> HttpResponse:
        self.only()
        found, revision = self.to_write(table, Verb.DELETE), _revision(request)
        rows.delete_row(table=found, id=id, caller=self.caller, origin=api_origin(request), revision=revision)
        return HttpResponse(status=204)


class RowAggregateView(RowEndpoint):
    @extend_schema(
        summary="Figures over rows",
        parameters=[TABLE, FILTER, *(_parameter(name, "Columns, as in `a,b`.") for name in ("group", *FUNCTIONS))],
        responses=gives(shapes.FIGURES),
    )
    def get(self, request: Request, table: str) -> HttpResponse:
        """`{"items": [{"group", "count", "sum", …}]}`; one item of all rows where there is no `group`."""
        definition = self.open(table, Verb.LIST)
        asked = {name: text for name, text in self.parameters.items() if name in {"group", *FUNCTIONS}}
        rest = {name: text for name, text in self.parameters.items() if name not in asked}
        aggregation = aggregation_from_parameters(asked, definition)
        query = query_from_parameters(rest, definition, options=("q", "limit", "cursor"))
        return _json(aggregate_rows(definition, query, aggregation, self.caller))


class RowsCsvView(RowEndpoint):
    @extend_schema(
        summary="Export rows as CSV", parameters=[TABLE, *SELECTING], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request, table: str) -> StreamingHttpResponse:
        """UTF-8 with a line of keys (RFC 4180); an absent value is an empty cell, as an empty text is."""
        return _stream(self, table, export.csv_lines, "text/csv; charset=utf-8", "csv")


class RowsNdjsonView(RowEndpoint):
    @extend_schema(
        summary="Export rows as NDJSON",
        parameters=[TABLE, *SELECTING],
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request, table: str) -> StreamingHttpResponse:
        """One JSON object on each line."""
        return _stream(self, table, export.ndjson_lines, "application/x-ndjson", "ndjson")


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


def _page(definition: Definition, query: RowQuery, caller: Caller) -> HttpResponse:
    page = listing.list_rows(definition, query, caller)
    answer: dict[str, Any] = {
        "items": [item for found in page.rows for item in _shown(found, query, caller)],
        "nextCursor": page.next_cursor or None,
    }
    if page.count is not None:
        answer["count"] = page.count
    return _json(answer)


def _shown(found: Found, query: RowQuery, caller: Caller) -> list[dict[str, Any]]:
    """Rows as JSON shows them: the fields that were asked for, and what was to be expanded."""
    items = found.shown(query.fields)
    if query.expand:
        named = [found.by_key(index) for index in range(len(found))]
        for item, expansion in zip(items, expanded(named, query.expand, caller), strict=True):
            item["expand"] = expansion
    return items


def _stream(view: RowEndpoint, table: str, lines: Any, media_type: str, ending: str) -> StreamingHttpResponse:
    definition = view.open(table, Verb.LIST)
    options = [name for name in OPTIONS if name in {"q", "order", "fields"}]
    query = query_from_parameters(view.parameters, definition, options=options)
    content: Iterator[bytes] = lines(definition, query, view.caller)
    disposition = f'attachment; filename="{definition.table.key}.{ending}"'
    return StreamingHttpResponse(content, content_type=media_type, headers={"Content-Disposition": disposition})


def _once(request: Request, work: Any) -> HttpResponse:
    """The answer of `work`; of an earlier request where that had the same Idempotency-Key.

    A key is its caller's own. Who has no credentials is known by the client's address: those behind one share theirs.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        answer = work()
    else:
        origin = api_origin(request)
        asked = f"{request.get_full_path()}\0{json.dumps(request.data, sort_keys=True)}".encode()
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
    if text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST_AFFECTED:
        return int(text)
    detail = _("This must be a number from 1 to %(max)s.") % {"max": f"{MOST_AFFECTED:,}"}
    raise InvalidInput([FieldError("/maxAffected", "invalid", detail)])


def _json(content: Any, **headers: str) -> HttpResponse:
    return HttpResponse(orjson.dumps(content, option=RAW_JSON), content_type="application/json", headers=headers)
