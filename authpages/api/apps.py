"""The REST endpoints of apps: who may send people to log in here, and come in their own name."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import app_serializers as shapes
from authpages.api.users import NOTHING
from authpages.models import ApiKey, App, Session
from authpages.services.apps import (
    NOBODY,
    Giver,
    change_app,
    create_app,
    default_app,
    delete_app,
    read_app,
    rotate_secret,
)
from fastgen_backend.rest import Endpoint, PageQuery, keyset_page, needs_scope

SCOPES = needs_scope("settings:read", "settings:write")


class AppsView(Endpoint):
    permission_classes = [SCOPES]
    queries = {"GET": PageQuery}
    bodies = {"POST": shapes.AppRequest}

    @extend_schema(summary="List apps, newest first", responses=shapes.AppPage)
    def get(self, request: Request) -> Response:
        """The default app among them, which is always there."""
        default_app()
        apps = App.objects.all()
        return Response(keyset_page(apps, key="id", query=self.query, show=shapes.show_app, newest_first=True))

    @extend_schema(summary="Create an app", responses={201: shapes.NewAppResponse})
    def post(self, request: Request) -> Response:
        """The answer holds the secret of a confidential app, this once."""
        return Response(shapes.show_new_secret(create_app(**self.body, giver=_giver(request))), 201)


class AppView(Endpoint):
    permission_classes = [SCOPES]
    bodies = {"PATCH": shapes.AppChanges}

    @extend_schema(summary="Read an app", responses=shapes.AppResponse)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(shapes.show_app(read_app(id)))

    @extend_schema(summary="Change an app", responses=shapes.AppResponse)
    def patch(self, request: Request, id: UUID) -> Response:
        """Its type stays. Name and redirect URIs of the default app follow the hosted authentication settings."""
        return Response(shapes.show_app(change_app(app_id=id, changes=self.body, giver=_giver(request))))

    @extend_schema(summary="Delete an app", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        """What it holds of anybody ends, and its tokens at once. The default app can't be deleted: 409."""
        delete_app(app_id=id)
        return Response(status=204)


class AppSecretView(Endpoint):
    permission_classes = [SCOPES]

    @extend_schema(summary="Give an app a new secret", responses=shapes.NewAppResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """The answer holds it, this once. The one before works for 24 hours beside it, so that servers can be given the
        new one in turn. Where somebody else may have it, rotate twice: the older of both ends at once.

        It takes credentials that have the app's scopes themselves and do not expire; they give these from then on.
        Where who gave them before is no admin any more, the secret there was ends at once.
        """
        return Response(shapes.show_new_secret(rotate_secret(app_id=id, giver=_giver(request))))


def _giver(request: Request) -> Giver:
    """What this caller may let an app do. A key that expires and an app: nothing, because it would outlive them."""
    maker = request.auth
    if isinstance(maker, Session):
        return Giver(maker.allows, maker.user_id)
    if isinstance(maker, ApiKey) and not maker.expires_at:
        return Giver(maker.allows, maker.made_by_id)
    return NOBODY
