"""What every REST endpoint stands on: strict members and parameters, scopes, cursor pages."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from fastgen_backend.origin import Origin, Source
from fastgen_backend.requests import origin_of

PAGE_DEFAULT = 50
PAGE_MAX = 200
MAX_DEPTH = 32  # of JSON that we keep
INVALID_CURSOR = ErrorDetail("This is no cursor of this list.", "invalid-cursor")
Row = TypeVar("Row", bound=models.Model)


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses members it does not know, instead of ignoring them."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self._writable_names]
            if unknown:
                message = "There is no such member."
                raise ValidationError({name: [ErrorDetail(message, "unknown-member")] for name in unknown})
        return super().to_internal_value(data)

    @property
    def _writable_names(self) -> set[str]:
        return {name for name, field in self.fields.items() if not field.read_only}


class PlainJSONField(serializers.JSONField):
    """Any JSON value that both databases can store, as long as it is at most `max_bytes` when written out."""

    def __init__(self, *, max_bytes: int = 16_384, only_object: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_bytes = max_bytes
        self.only_object = only_object

    def to_internal_value(self, data: Any) -> Any:
        if self.only_object and not isinstance(data, dict):
            raise ValidationError("This must be a JSON object.", code="not-an-object")
        if _is_too_deep(data):
            raise ValidationError(f"This may be nested {MAX_DEPTH} levels deep.", code="too-deep")
        if not _is_storable(data):
            raise ValidationError("Text must not hold NUL or lone surrogates.", code="invalid-characters")
        if len(json.dumps(data, ensure_ascii=False).encode()) > self.max_bytes:
            raise ValidationError(f"This may have {self.max_bytes:,} bytes at most.", code="too-large")
        return data


class Credentials(Protocol):
    """What `request.auth` is: it knows what it allows, and who acts by it (`user:<id>` or `apiKey:<id>`)."""

    @property
    def actor(self) -> str: ...

    def allows(self, scope: str) -> bool: ...


def api_origin(request: Request) -> Origin:
    """The circumstances of an API request, with its caller as the actor."""
    credentials = credentials_of(request)
    return origin_of(request._request, Source.API, credentials.actor if credentials else "")


def credentials_of(request: Request) -> Credentials | None:
    """What the caller came in with: a session, an API key or nothing."""
    return cast("Credentials | None", request.auth)


def needs_scope(read: str, write: str | None = None) -> type[BasePermission]:
    """A permission: GET needs the scope `read`, every other method `write`."""

    class NeedsScope(BasePermission):
        message = "These credentials do not allow this; use an API key with the right scope, or the console."
        code = "not-allowed"
        scopes = (read, write or read)

        def has_permission(self, request: Request, view: APIView) -> bool:
            scope = read if request.method in {"GET", "HEAD", "OPTIONS"} else write or read
            credentials = credentials_of(request)
            return credentials is not None and credentials.allows(scope)

    return NeedsScope


class OnlyJSON(BaseContentNegotiation):
    """We speak JSON, whatever `Accept` says (RFC 9110, 12.5.1, leaves that to us); nothing has to be chosen."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """A view that refuses query parameters it does not know; `queries` names a serializer of them per method."""

    content_negotiation_class = OnlyJSON
    queries: ClassVar[dict[str, type[StrictSerializer]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        query = self.queries.get("GET" if request.method == "HEAD" else request.method or "")
        data = {name: values[-1] for name, values in request.query_params.lists()}
        self.query = read(query or StrictSerializer, data) if query or data else {}

    def read_body(self, serializer: type[StrictSerializer], *, partial: bool = False) -> dict[str, Any]:
        """The validated body, by the names that services use; raises DRF's `ValidationError`."""
        return read(serializer, self.request.data, partial=partial)


def read(serializer: type[StrictSerializer], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """`data` validated by `serializer`."""
    reader = serializer(data=data, partial=partial)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


class PageQuery(StrictSerializer):
    """The parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=PAGE_DEFAULT)
    cursor = serializers.CharField(required=False)


def keyset_page(
    rows: models.QuerySet[Row], *, key: str, query: Mapping[str, Any], show: Callable[[Row], Any]
) -> dict[str, Any]:
    """One page of `rows` in ascending order of the unique column `key`: `{items, nextCursor}`."""
    limit = query["limit"]
    if cursor := query.get("cursor"):
        rows = rows.filter(**{f"{key}__gt": _key_of(rows.model, key, cursor)})
    found = list(rows.order_by(key)[: limit + 1])
    more = len(found) > limit
    shown = found[:limit]
    return {"items": [show(row) for row in shown], "nextCursor": make_cursor(getattr(shown[-1], key)) if more else None}


def _key_of(model: type[models.Model], key: str, cursor: str) -> Any:
    """The value of the column `key` that the cursor stands for."""
    field = cast("models.Field[Any, Any]", model._meta.get_field(key))
    try:
        return field.to_python(open_cursor(cursor))
    except DjangoValidationError:
        raise ValidationError({"cursor": [INVALID_CURSOR]}) from None


def make_cursor(value: object) -> str:
    """An opaque cursor that stands for `value`."""
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def open_cursor(cursor: str) -> str:
    """What `make_cursor` was given; raises DRF's `ValidationError` for anything else."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text or make_cursor(text) != cursor:
        raise ValidationError({"cursor": [INVALID_CURSOR]})
    return text


def _is_too_deep(value: Any, depth: int = 0) -> bool:
    """Whether `value` is nested beyond what is sensible, and what a recursive walk can do."""
    if depth > MAX_DEPTH:
        return True
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_is_too_deep(each, depth + 1) for each in below)


def _is_storable(value: Any) -> bool:
    """Whether both databases can keep `value` in a JSON column."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
        case dict():
            return all(_is_storable(each) for pair in value.items() for each in pair)
        case list():
            return all(map(_is_storable, value))
    return True
