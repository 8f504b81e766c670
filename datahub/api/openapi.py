"""The REST endpoint of each table's own OpenAPI."""

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from datahub.access import Caller, permitted
from datahub.api.row_endpoint import RowEndpoint
from datahub.api.row_parameters import TABLE
from datahub.api.table_document import document_of
from datahub.dynamic import Definition, definition_of, find_table
from datahub.errors import AccessDenied, CallerMissing
from datahub.models import Verb
from fastgen_backend.rest import credentials_of

MEDIA_TYPE = "application/vnd.oai.openapi+json"


class TableOpenApiView(RowEndpoint):
    @extend_schema(
        summary="OpenAPI of one table", parameters=[TABLE], responses={(200, MEDIA_TYPE): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, table: str) -> HttpResponse:
        """For programs that may read tables, and for whoever may list or read this one’s rows."""
        self.only()
        definition = definition_of(find_table(table))
        credentials = credentials_of(request)
        if credentials is None or not credentials.allows("tables:read"):
            _check_may_read(definition, self.caller)
        document = orjson.dumps(document_of(definition))
        return HttpResponse(document, content_type=MEDIA_TYPE)


def _check_may_read(definition: Definition, caller: Caller) -> None:
    """Raise what `permitted` does, unless the rows can be listed or read."""
    try:
        permitted(definition, Verb.LIST, caller)
    except (AccessDenied, CallerMissing):
        permitted(definition, Verb.READ, caller)
