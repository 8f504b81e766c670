"""How OpenAPI tells our endpoints: parameters from `queries`, bodies from `bodies`, problems for refusals."""

from functools import cache
from inspect import cleandoc
from typing import Any, Literal

import orjson
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_lib_doc_excludes, is_serializer
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from fastgen_backend.rest import Endpoint, StrictSerializer

Direction = Literal["request", "response"]
REFUSALS = {
    "400": "The input is not valid",
    "401": "No credentials, or not accepted",
    "403": "Not allowed",
    "404": "Not found",
    "409": "In conflict with what is there",
    "410": "No longer there",
    "412": "The row was changed meanwhile; see If-Match",
    "411": "The body has no Content-Length",
    "413": "The body is too large",
    "415": "The body is of a type that is not taken here",
    "429": "Too many requests; see Retry-After",
    "503": "Too busy, or the database is not available: see Retry-After; or the query takes too long",
}


class ProblemError(StrictSerializer):
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(StrictSerializer):
    """application/problem+json (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    count = serializers.IntegerField(required=False, help_text="How many rows stand in the way.")
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]  # DRF has an attribute of this name


BEARER = (
    "An access token of a person, or an API key (`fgk_…`).\n\n"
    "An app sends the access tokens of `/oauth/token`. One that a first-party app has for its person is as good as the "
    "person’s own, whatever its `scope`, and ends with their session. One that a confidential app has for itself "
    "(client credentials) is as good as an API key with its scopes, and makes no keys; where a person is needed, the "
    "answer is 403 `not-a-person`. One of a third-party app is good for `/oauth/userinfo` alone: 403 "
    "`token-not-for-api`."
)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An access token or an API key."""

    target_class = "authpages.api.authentication.BearerAuthentication"
    match_subclasses = True
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        set_override(type(self.target), "suppress_collision_warning", True)  # one scheme, whichever class reads it
        return {"type": "http", "scheme": "bearer", "description": BEARER}


class ConsoleScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An admin's console session."""

    target_class = "authpages.api.authentication.ConsoleAuthentication"
    name = "console"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.CONSOLE_COOKIE_NAME}


class EndpointSchema(AutoSchema):
    """The schema of one endpoint; its id is the method and the view's name, such as `postSignUp`."""

    def get_operation_id(self) -> str:
        return f"{self.method.lower()}{type(self.view).__name__.removesuffix('View')}"

    def get_override_parameters(self) -> list[Any]:
        query = self.view.queries.get(self.method) if isinstance(self.view, Endpoint) else None
        return [query] if query else []

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular itself does
        """What the method's own docstring says: those of the classes are for who reads the code."""
        return cleandoc(getattr(self.view, self.method.lower()).__doc__ or "")

    def get_request_serializer(self) -> Any:
        shape = self.view.bodies.get(self.method) if isinstance(self.view, Endpoint) else None
        return shape(partial=self.method == "PATCH") if shape else None

    def _get_request_for_media_type(self, serializer: Any, direction: Direction = "request") -> tuple[Any, bool]:
        """A body that is told by a schema of its own, as rows and files are, is one that must be sent."""
        schema, is_required = super()._get_request_for_media_type(serializer, direction)  # type: ignore[no-untyped-call]
        return schema, is_required or not is_serializer(serializer)

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        """`StrictSerializer` refuses members it does not know."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        return {**schema, "additionalProperties": False} if direction == "request" else schema

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        answers = super()._get_response_bodies(direction)
        self.resolve_serializer(Problem, direction)
        refusals = {status: {"$ref": f"#/components/responses/Refusal{status}"} for status in REFUSALS}
        return {**refusals, **answers}


def add_refusals(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Tell each refusal once, for all operations that refer to it; settings.py names this function."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {f"Refusal{status}": {"description": title, "content": content} for status, title in REFUSALS.items()}
    result["components"]["responses"] = told
    return result


def bases_without_description() -> list[type]:
    """Classes whose docstrings describe no endpoint and no shape; settings.py names this function."""
    return [*get_lib_doc_excludes(), StrictSerializer]  # type: ignore[no-untyped-call]


@cache
def _document() -> bytes:
    """The whole schema as JSON, made once per process: it changes with the code alone."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    indented = OpenApiJsonRenderer().render(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
    return orjson.dumps(orjson.loads(indented))


class OpenApiView(Endpoint):
    """OpenAPI 3.1, for everyone."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(_document(), content_type="application/vnd.oai.openapi+json")
