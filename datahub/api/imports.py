"""The REST endpoints of imports."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datahub.api import import_serializers as shapes
from datahub.api.promises import PromisingEndpoint
from datahub.api.row_parameters import ONCE
from datahub.dynamic import find_table
from datahub.errors import AccessDenied, NoSuchImport
from datahub.models import Import
from datahub.services.idempotency import Answer
from datahub.services.imports.retries import import_once
from datahub.services.imports.undo import undo_import
from datahub.services.imports.upload import Upload, start_import, take_in
from fastgen_backend.rest import PageQuery, api_origin, credentials_of, keyset_page, needs_scope


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

    message = gettext_lazy("This needs the console, or an API key or app with the scope rows:read or rows:write.")
    code = "not-allowed"

    def has_permission(self, request: Request, view: APIView) -> bool:
        credentials = credentials_of(request)
        return credentials is not None and any(map(credentials.allows, ("rows:read", "rows:write")))


class ImportsView(PromisingEndpoint):
    body_limit_bytes: ClassVar[int] = settings.IMPORT_LIMIT_BYTES
    queries = {"GET": PageQuery, "POST": shapes.ImportQuery}
    obeys = {"Idempotency-Key": {"POST"}}

    def get_permissions(self) -> list[BasePermission]:
        return [ReadsOrWritesRows() if self.request.method in SAFE_METHODS else needs_scope("rows:write")()]

    def get_parsers(self) -> list[BaseParser]:
        method = getattr(self.request, "method", "POST")  # who describes us has no request
        return [CsvParser(), NdjsonParser()] if method == "POST" else super().get_parsers()

    def _read_body(self, request: Request) -> dict[str, Any]:
        return {} if request.method == "POST" else super()._read_body(request)

    @extend_schema(summary="List all imports, newest first", responses=shapes.ImportPage)
    def get(self, request: Request) -> Response:
        """Also those whose table was never made; without columns and rejects, which each tells by itself."""
        return _listed(self.query, Import.objects.asked_for())

    @extend_schema(
        summary="Import a file",
        parameters=[ONCE],
        request={
            CsvParser.media_type: OpenApiTypes.STR,
            NdjsonParser.media_type: OpenApiTypes.STR,
        },
        responses={202: shapes.ImportResponse},
    )
    def post(self, request: Request) -> HttpResponse:
        """CSV in UTF-8 with a line of headers, or NDJSON, of up to 1 GB: good rows go in, bad ones are kept apart.

        `create=true` makes a new table with this key, whose columns are inferred from the whole file; otherwise headers
        are keys or names of columns, and there must be no others. `id`, `createdAt`, `updatedAt` and `revision` are
        passed over, for a new table where the file has all four; a foreign `id` becomes the column `c_id`.
        """
        makes_table = self.query.get("create") == "true"
        credentials = credentials_of(request)
        if makes_table and not (credentials and credentials.allows("tables:write")):
            raise AccessDenied(_("To create a table needs the scope ‘tables:write’."))
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        stream: Any = request.data if size else BytesIO()  # where there is no body, there is nothing to parse
        where: dict[str, Any] = {
            "table": self.query["table"],
            "makes_table": makes_table,
            "origin": api_origin(request),
            "owner": credentials.user_id if credentials else None,
        }
        return _started(request, Upload(_format_of(request), size, stream), where)


class TableImportsView(PromisingEndpoint):
    permission_classes = [ReadsOrWritesRows]
    queries = {"GET": PageQuery}

    @extend_schema(summary="List the imports into a table, newest first", responses=shapes.ImportPage)
    def get(self, request: Request, table: str) -> Response:
        """Without their columns and rejects, which each tells by itself."""
        return _listed(self.query, Import.objects.asked_for().filter(table=find_table(table)))


class ImportView(PromisingEndpoint):
    permission_classes = [ReadsOrWritesRows]

    @extend_schema(summary="See how far an import is", responses=shapes.ImportResponse)
    def get(self, request: Request, id: UUID) -> Response:
        found = Import.objects.asked_for().select_related("table").filter(pk=id).first()
        if found is None:
            raise NoSuchImport
        return Response(shapes.show_import(found))


class UndoImportView(PromisingEndpoint):
    permission_classes = [needs_scope("rows:write")]

    @extend_schema(
        summary="Undo an import", request=None, responses={202: shapes.ImportResponse, 200: shapes.ImportResponse}
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Delete the rows it made, but those that were changed since or are needed by others; the table stays.

        202 while a worker is at it, 200 once it is done.
        """
        found = undo_import(id=id, origin=api_origin(request))
        return Response(shapes.show_import(found), 202 if found.undo == Import.Undo.RUNNING else 200)


def _listed(query: dict[str, Any], found: "QuerySet[Import]") -> Response:
    found = found.select_related("table")
    return Response(keyset_page(found, key="id", query=query, show=shapes.show_progress, newest_first=True))


def _started(request: Request, upload: Upload, where: dict[str, Any]) -> HttpResponse:
    """The import that begins; that of an earlier request where it had the same Idempotency-Key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        answer = Answer(202, _written(start_import(upload=upload, **where)))
    else:
        into = ""
        if not where["makes_table"]:
            where["table"] = into = str(find_table(where["table"]).uid)  # another may have its key by now
        answer = import_once(
            key=key,
            actor=where["origin"].actor,
            asked=f"{into}\0{request.get_full_path()}\0{upload.format}",
            upload=upload,
            take_in=lambda upload: take_in(upload=upload, **where),
            show=_written,
        )
    return HttpResponse(answer.body, status=answer.status, content_type="application/json")


def _written(found: Import) -> bytes:
    return bytes(JSONRenderer().render(shapes.show_import(found)))


def _format_of(request: Request) -> str:
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    return str(NdjsonParser.format if media_type == NdjsonParser.media_type else CsvParser.format)
