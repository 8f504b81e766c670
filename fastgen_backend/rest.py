"""What every REST endpoint stands on: strict bodies and parameters, scopes, cursor pages."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, Protocol, TypeVar, cast

from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, MethodNotAllowed, ValidationError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from fastgen_backend.errors import MOST_ERRORS, FieldError, InvalidInput
from fastgen_backend.keyset import rows_after
from fastgen_backend.limits import PAGE_DEFAULT, PAGE_MAX
from fastgen_backend.origin import Origin, Source
from fastgen_backend.requests import origin_of
from fastgen_backend.strict_json import MAX_DEPTH, is_storable, is_too_deep

Row = TypeVar("Row", bound=models.Model)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})  # the last is a part of it


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses members it does not know, instead of ignoring them.

    Those of bodies have fields that are strict as well: JSON tells a number from a text, so nothing has to be guessed.
    """

    default_error_messages = dict.fromkeys(["invalid", "null"], gettext_lazy("This must be a JSON object."))

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            names = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := list(islice((name for name in data if name not in names), MOST_ERRORS + 1)):
                message = _("There is no such member; nothing is taken here.")
                if known := ", ".join(sorted(names)):
                    message = _("There is no such member; there are: %(known)s.") % {"known": known}
                raise ValidationError({name: [ErrorDetail(message, "unknown-member")] for name in unknown})
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A JSON string, and nothing that could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(_only(str, data, self))


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false`, and nothing that could be meant by it."""

    def to_internal_value(self, data: Any) -> bool:
        return super().to_internal_value(_only(bool, data, self))


class StrictChoiceField(serializers.ChoiceField):
    """One of the choices; a refusal names them."""

    def to_internal_value(self, data: Any) -> Any:
        if str(data) not in self.choice_strings_to_values:
            detail = _("This must be one of: %(choices)s.") % {"choices": ", ".join(map(str, self.choices))}
            raise ValidationError(detail, code="invalid_choice")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A JSON number without fraction or exponent, and no string of digits."""

    def to_internal_value(self, data: Any) -> int:
        return super().to_internal_value(_only(int, data, self))


class MomentField(serializers.DateTimeField):
    """A time as RFC 3339 has it: it says its offset from UTC, so that nobody has to guess one."""

    default_error_messages = {"invalid": gettext_lazy("This must be a time such as 2027-01-31T12:00:00Z.")}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not RFC_3339.fullmatch(value):
            self.fail("invalid", format="")
        return super().to_internal_value(value)


@extend_schema_field(OpenApiTypes.OBJECT)
class PlainJSONField(serializers.JSONField):
    """Any JSON object that both databases can store, as long as it is at most `max_bytes` when written out.

    None leaves its size to the service.
    """

    def __init__(self, *, max_bytes: int | None = 16_384, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_bytes = max_bytes

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValidationError(_("This must be a JSON object."), code="not-an-object")
        if is_too_deep(data):
            deepest = _("This may be nested %(count)d levels deep.") % {"count": MAX_DEPTH}
            raise ValidationError(deepest, code="too-deep")
        if not is_storable(data):
            raise ValidationError(_("Text must not hold NUL or lone surrogates."), code="invalid-characters")
        if self.max_bytes is not None and len(json.dumps(data, ensure_ascii=False).encode()) > self.max_bytes:
            longest = _("This may have %(count)s bytes at most.") % {"count": f"{self.max_bytes:,}"}
            raise ValidationError(longest, code="too-large")
        return data


class Credentials(Protocol):
    """What `request.auth` is: it knows what it allows, and who acts by it (`user:<id>`, `apiKey:<id>` or `app:<id>`).

    A person has an id, and roles by name; a program has neither.
    """

    @property
    def actor(self) -> str: ...

    @property
    def user_id(self) -> uuid.UUID | None: ...

    @property
    def role_names(self) -> list[str]: ...

    def allows(self, scope: str) -> bool: ...


def api_origin(request: Request) -> Origin:
    """The circumstances of an API request, with its caller as the actor."""
    credentials = credentials_of(request)
    return origin_of(request._request, Source.API, credentials.actor if credentials else "")


def credentials_of(request: Request) -> Credentials | None:
    """What the caller came in with: a session, an API key, an app or nothing."""
    return cast("Credentials | None", request.auth)


def needs_scope(read: str, write: str | None = None) -> type[BasePermission]:
    """A permission: GET needs the scope `read`, every other method `write`."""

    class NeedsScope(BasePermission):
        code = "not-allowed"
        scopes = (read, write or read)

        def has_permission(self, request: Request, view: APIView) -> bool:
            scope = read if request.method in {"GET", "HEAD", "OPTIONS"} else write or read
            message = _("This needs the console, or an API key or app with the scope %(scope)s.")
            self.message = message % {"scope": scope}
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
    """A view that says what it takes, and refuses everything else with 400.

    `queries` and `bodies` name a serializer per method; a method that is not in them takes no parameters, and no body
    but an empty one or `{}`. A PATCH may leave out every member. Both are read before the method is called, into
    `self.query` and `self.body`, by the names that services use.
    """

    content_negotiation_class = OnlyJSON
    metadata_class = None  # OPTIONS would answer with the comments on our code
    queries: ClassVar[dict[str, type[StrictSerializer]]] = {}
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not hasattr(self, (request.method or "").lower()):
            raise MethodNotAllowed(request.method or "")
        _refuse_other_charsets(request)
        self.query = self._read_query(request)
        self.body = self._read_body(request)

    def _read_query(self, request: Request) -> dict[str, Any]:
        shape = self.queries.get("GET" if request.method == "HEAD" else request.method or "")
        given = request.query_params
        return read(shape or StrictSerializer, once_each(given)) if shape or given else {}

    def _read_body(self, request: Request) -> dict[str, Any]:
        shape = self.bodies.get(request.method or "")
        if shape is None and not int(request.META.get("CONTENT_LENGTH") or 0):
            return {}
        return read(shape or StrictSerializer, request.data, partial=request.method == "PATCH")


def _refuse_other_charsets(request: Request) -> None:
    """JSON is UTF-8 (RFC 8259, 8.1), and so is all else we take; Django would read the very parameters otherwise."""
    charset = (request._request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in UTF_8:
        detail = _("Send everything in UTF-8; the Content-Type says ‘%(charset)s’.") % {"charset": charset[:40]}
        raise InvalidInput([FieldError("/Content-Type", "not-utf-8", detail)])


def read(serializer: type[StrictSerializer], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """`data` validated by `serializer`."""
    reader = serializer(data=data, partial=partial)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


def once_each(parameters: QueryDict) -> dict[str, str]:
    """Each parameter's value: of two of one name neither is what the caller meant. Raises DRF's `ValidationError`."""
    values = dict(parameters.lists())
    if repeated := [name for name, given in values.items() if len(given) > 1]:
        message = _("This parameter may stand only once.")
        raise ValidationError({name: [ErrorDetail(message, "repeated-parameter")] for name in repeated})
    return {name: str(given) for name, [given] in values.items()}


def _only(kind: type, data: Any, field: serializers.Field[Any, Any, Any, Any]) -> Any:
    """`data` where it is of just this kind (`True` is no integer); refused in the field's own words where it is not."""
    if type(data) is not kind:
        field.fail("invalid")
    return data


class PageQuery(StrictSerializer):
    """The parameters of every list."""

    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=PAGE_DEFAULT)
    cursor = serializers.CharField(required=False)


def keyset_page(
    rows: models.QuerySet[Row],
    *,
    key: str,
    query: Mapping[str, Any],
    show: Callable[[Row], Any],
    newest_first: bool = False,
) -> dict[str, Any]:
    """One page of `rows` in the order of the unique column `key`, ascending unless `newest_first`.

    `{items, nextCursor}`.
    """
    order = f"-{key}" if newest_first else key
    found, cursor = rows_after(query.get("cursor", ""), rows, order=(order,), limit=query["limit"])
    return {"items": [show(row) for row in found], "nextCursor": cursor or None}
