"""Rows that are asked for in other ways: by a JSON query, as figures, as files."""

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from datahub import export
from datahub.aggregation import FUNCTIONS, aggregate_rows, aggregation_from_parameters
from datahub.api import row_schemas as shapes
from datahub.api.promises import PROMISES
from datahub.api.row_answers import json_answer, page_answer, stream_answer
from datahub.api.row_endpoint import RowEndpoint
from datahub.api.row_parameters import FIGURES_PAGING, FILTER, SELECTING, TABLE, gives, parameter, takes
from datahub.models import Verb
from datahub.row_queries import query_from_json, query_from_parameters


class RowQueryView(RowEndpoint):
    takes_body = frozenset({"POST"})
    body_limit_bytes = settings.BODY_LIMIT_BYTES
    obeys = {header: {"POST"} for header in PROMISES}  # kept by itself: nothing is written

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
        return page_answer(definition, query_from_json(request.data, definition), self.caller)


class RowAggregateView(RowEndpoint):
    @extend_schema(
        summary="Figures over rows",
        parameters=[
            TABLE,
            FILTER,
            *(parameter(name, "Columns, as in `a,b`.") for name in ("group", *FUNCTIONS)),
            *FIGURES_PAGING,
        ],
        responses=gives(shapes.FIGURES),
    )
    def get(self, request: Request, table: str) -> HttpResponse:
        """`{"items": [{"group", "count", "sum", …}]}`; one item of all rows where there is no `group`."""
        definition = self.open(table, Verb.LIST)
        aggregation = aggregation_from_parameters(self.parameters, definition)
        figures = ("group", *FUNCTIONS)
        query = query_from_parameters(self.parameters, definition, ("q", "limit", "cursor"), read_elsewhere=figures)
        return json_answer(aggregate_rows(definition, query, aggregation, self.caller))


class RowsCsvView(RowEndpoint):
    @extend_schema(
        summary="Export rows as CSV", parameters=[TABLE, *SELECTING], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request, table: str) -> StreamingHttpResponse:
        """UTF-8 with a line of keys (RFC 4180); an absent value is an empty cell, as an empty text is."""
        return stream_answer(self, table, export.csv_lines, "text/csv; charset=utf-8", "csv")


class RowsNdjsonView(RowEndpoint):
    @extend_schema(
        summary="Export rows as NDJSON",
        parameters=[TABLE, *SELECTING],
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request, table: str) -> StreamingHttpResponse:
        """One JSON object on each line."""
        return stream_answer(self, table, export.ndjson_lines, "application/x-ndjson", "ndjson")
