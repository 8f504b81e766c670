"""Rows as answers: one page as JSON, or all of them as a stream."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from django.http import HttpResponse, StreamingHttpResponse

from datahub import listing
from datahub.access import Caller
from datahub.api.row_endpoint import RowEndpoint
from datahub.dynamic import Definition
from datahub.expansion import expanded
from datahub.models import Verb
from datahub.row_queries import OPTIONS, RowQuery, query_from_parameters
from datahub.statements import RAW_JSON, Found


def json_answer(content: Any, **headers: str) -> HttpResponse:
    return HttpResponse(orjson.dumps(content, option=RAW_JSON), content_type="application/json", headers=headers)


def page_answer(definition: Definition, query: RowQuery, caller: Caller) -> HttpResponse:
    page = listing.list_rows(definition, query, caller)
    answer: dict[str, Any] = {
        "items": shown_rows(page.rows, query, caller),
        "nextCursor": page.next_cursor or None,
    }
    if page.count is not None:
        answer["count"] = page.count
    return json_answer(answer)


def shown_rows(pieces: Sequence[Found], query: RowQuery, caller: Caller) -> list[dict[str, Any]]:
    """Rows as JSON shows them: the fields that were asked for, and what was to be expanded."""
    items = [item for found in pieces for item in found.shown(query.fields)]
    if query.expand:
        named = [found.by_key(index, query.expand) for found in pieces for index in range(len(found))]
        for item, expansion in zip(items, expanded(named, query.expand, caller), strict=True):
            item["expand"] = expansion
    return items


def stream_answer(view: RowEndpoint, table: str, lines: Any, media_type: str, ending: str) -> StreamingHttpResponse:
    definition = view.open(table, Verb.LIST)
    options = [name for name in OPTIONS if name in {"q", "order", "fields"}]
    query = query_from_parameters(view.parameters, definition, options=options)
    content: Iterator[bytes] = lines(definition, query, view.caller)
    disposition = f'attachment; filename="{definition.table.key}.{ending}"'
    return StreamingHttpResponse(content, content_type=media_type, headers={"Content-Disposition": disposition})
