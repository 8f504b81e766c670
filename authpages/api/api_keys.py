"""The REST endpoints of API keys: for admins in the console, and for programs that may do everything.

A narrower key neither makes nor sees others: one that could make a wider one would be as wide as that.
"""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import key_serializers as shapes
from authpages.errors import NoKeyForApps
from authpages.models import ApiKey, Session
from authpages.services.api_keys import EVERYTHING, create_api_key, delete_api_key
from authpages.services.app_callers import AppCaller
from fastgen_backend.rest import Endpoint, PageQuery, keyset_page, needs_scope

NOTHING = OpenApiResponse(description="Done; there is no body.")


class ApiKeysView(Endpoint):
    permission_classes = [needs_scope(EVERYTHING)]
    queries = {"GET": PageQuery}
    bodies = {"POST": shapes.ApiKeyRequest}

    @extend_schema(summary="List API keys, newest first", responses=shapes.ApiKeyPage)
    def get(self, request: Request) -> Response:
        """Those that have expired, too: they are listed until they are deleted."""
        keys = ApiKey.objects.all()
        return Response(keyset_page(keys, key="id", query=self.query, show=shapes.show_api_key, newest_first=True))

    @extend_schema(summary="Create an API key", responses={201: shapes.NewApiKeyResponse})
    def post(self, request: Request) -> Response:
        """The answer holds the key, this once.

        It ends when the admin who made it is removed, and sleeps while they are blocked. One made with another key
        belongs to that key's admin, and expires with that key at the latest. Apps make none.
        """
        maker = request.auth
        if isinstance(maker, AppCaller):
            raise NoKeyForApps
        made_by = maker.user if isinstance(maker, Session) else None
        made_with = maker if isinstance(maker, ApiKey) else None
        row, key = create_api_key(**self.body, made_by=made_by, made_with=made_with)
        return Response({**shapes.show_api_key(row), "key": key}, 201)


class ApiKeyView(Endpoint):
    permission_classes = [needs_scope(EVERYTHING)]

    @extend_schema(summary="Delete an API key", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        """It ends at once. A key may delete itself."""
        delete_api_key(id=id)
        return Response(status=204)
