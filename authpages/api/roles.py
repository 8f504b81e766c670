"""The REST endpoints of roles."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import user_serializers as shapes
from authpages.api.users import NOTHING
from authpages.models import Role
from authpages.services.roles import change_role, create_role, delete_role
from fastgen_backend.errors import NotFound
from fastgen_backend.rest import Endpoint, PageQuery, keyset_page, needs_scope

SCOPES = needs_scope("users:read", "users:write")


class RolesView(Endpoint):
    permission_classes = [SCOPES]
    queries = {"GET": PageQuery}
    bodies = {"POST": shapes.RoleRequest}

    @extend_schema(summary="List roles by name", responses=shapes.RolePage)
    def get(self, request: Request) -> Response:
        return Response(keyset_page(Role.objects.all(), key="name_key", query=self.query, show=shapes.show_role))

    @extend_schema(summary="Create a role", responses={201: shapes.RoleResponse})
    def post(self, request: Request) -> Response:
        """Its name is unique whatever the letter case."""
        return Response(shapes.show_role(create_role(**self.body)), 201)


class RoleView(Endpoint):
    permission_classes = [SCOPES]
    bodies = {"PATCH": shapes.RoleRequest}

    @extend_schema(summary="Read a role", responses=shapes.RoleResponse)
    def get(self, request: Request, id: UUID) -> Response:
        role = Role.objects.filter(pk=id).first()
        if role is None:
            raise NotFound
        return Response(shapes.show_role(role))

    @extend_schema(summary="Change a role", responses=shapes.RoleResponse)
    def patch(self, request: Request, id: UUID) -> Response:
        """Whoever has it has it by its new name. Access rules of tables hold the old one until they are changed."""
        return Response(shapes.show_role(change_role(role_id=id, changes=self.body)))

    @extend_schema(summary="Delete a role", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        """Whoever has it loses it, without an event of each. Access rules of tables that name it stay as they are and
        let nobody in by it, until there is a role of this name again.
        """
        delete_role(role_id=id)
        return Response(status=204)
