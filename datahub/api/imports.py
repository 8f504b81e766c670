"""The REST endpoints of imports."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datahub.api import serializers as shapes
from datahub.errors import AccessDenied, NoSuchImport
from datahub.models import Import
from datahub.services.imports.undo import undo_import
from datahub.services.imports.upload import Upload, start_import
from fastgen_backend.rest import Endpoint, api_origin, credentials_of, needs_scope


class _AsItIs(BaseParser):
    """Hands over the body unread."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return stream


class CsvParser(_AsItIs):
    media_type = "text/csv"
    format = Import.Format.CSV


class NdjsonParser(_AsItIs):
    media_type = "application/x-ndjson"
    format = Import.Format.NDJSON


class ReadsOrWritesRows(BasePermission):
    """Who may import rows may see what became of them."""

    message = gettext_lazy("These credentials do not allow this; use the console, or an API key with the scope.")
    code = "not-allowed"

    def has_permission(self, request: Request, view: APIView) -> bool:
        credentials = credentials_of(request)
        return credentials is not None and any(map(credentials.allows, ("rows:read", "rows:write")))


class ImportsView(Endpoint):
    permission_classes = [needs_scope("rows:write")]
    parser_classes = [CsvParser, NdjsonParser]
    body_limit_bytes: ClassVar[int] = settings.IMPORT_LIMIT_BYTES
    queries = {"POST": shapes.ImportQuery}

    def _read_body(self, request: Request) -> dict[str, Any]:
        return {}

    @extend_schema(
        summary="Import a file",
        request={
            CsvParser.media_type: OpenApiTypes.STR,
            NdjsonParser.media_type: OpenApiTypes.STR,
        },
        responses={202: shapes.ImportResponse},
    )
    def post(self, request: Request) -> Response:
        """CSV in UTF-8 with a line of headers, or NDJSON, of up to 1 GB: good rows go in, bad ones are kept apart.

        `create=true` makes a new table with this key, whose columns are inferred from the whole file; otherwise headers
        are keys or names of columns. `id`, `createdAt`, `updatedAt` and `revision` are passed over.
        """
        makes_table = self.query.get("create") == "true"
        credentials = credentials_of(request)
        if makes_table and not (credentials and credentials.allows("tables:write")):
            raise AccessDenied(_("To create a table needs the scope ‘tables:write’."))
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        stream: Any = request.data if size else BytesIO()  # where there is no body, there is nothing to parse
        started = start_import(
            table=self.query["table"],
            makes_table=makes_table,
            upload=Upload(_format_of(request), size, stream),
            origin=api_origin(request),
            owner=credentials.user_id if credentials else None,
        )
        return Response(shapes.show_import(started), 202)


class ImportView(Endpoint):
    permission_classes = [ReadsOrWritesRows]

    @extend_schema(summary="See how far an import is", responses=shapes.ImportResponse)
    def get(self, request: Request, id: UUID) -> Response:
        found = Import.objects.uploaded().select_related("table").filter(pk=id).first()
        if found is None:
            raise NoSuchImport
        return Response(shapes.show_import(found))


class UndoImportView(Endpoint):
    permission_classes = [needs_scope("rows:write")]

    @extend_schema(
        summary="Undo an import", request=None, responses={202: shapes.ImportResponse, 200: shapes.ImportResponse}
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Delete the rows it made, but those that were changed since or are needed by others; the table stays.

        202 while a worker is at it, 200 once it is done.
        """
        found = undo_import(id=id)
        return Response(shapes.show_import(found), 202 if found.undo == Import.Undo.RUNNING else 200)


def _format_of(request: Request) -> str:
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    return str(NdjsonParser.format if media_type == NdjsonParser.media_type else CsvParser.format)
