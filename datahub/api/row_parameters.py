"""How OpenAPI describes the parameters, bodies and answers of rows."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from datahub.api import row_schemas as shapes


def parameter(name: str, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, description=description, **more)


TABLE = parameter("table", "The table’s id or key.", location=OpenApiParameter.PATH)
FILTER = OpenApiParameter(
    "filters",  # OpenAPI's way to say that any names will do; this one itself is never sent
    {"type": "object", "additionalProperties": {"type": "string"}},
    description="Any number of columns, or columns with an operator, as in `city=Rome&age__gte=18`.",
    style="form",
    explode=True,
)
IF_MATCH = parameter("If-Match", 'The revision you saw, as in `"3"`.', location=OpenApiParameter.HEADER)
ONCE = parameter("Idempotency-Key", "A retry with the same key does nothing twice.", location=OpenApiParameter.HEADER)
SEARCH = parameter("q", "Rows that hold this text, whatever its letter case.")
SELECTING = [
    FILTER,
    SEARCH,
    parameter("order", "Columns to sort by, as in `-age,name`."),
    parameter("fields", "Members to answer with."),
]
LIMIT = parameter("limit", "Items on a page, at most 200; 50 by default.")
CURSOR = parameter("cursor", "The `nextCursor` of the page before.")
FIGURES_PAGING = [SEARCH, LIMIT, CURSOR]
PAGING = [
    *SELECTING,
    parameter("expand", "Relations whose rows to answer with."),
    LIMIT,
    CURSOR,
    parameter("count", "`none`, `estimated` or `exact`; an estimate is exact where a rule hides rows."),
]


def takes(schema: shapes.Schema) -> Any:
    """A body as `extend_schema` takes it."""
    return {"application/json": schema}


def gives(schema: shapes.Schema) -> Any:
    """An answer as `extend_schema` takes it."""
    return {200: schema}
