"""What every endpoint that apps call by themselves stands on: strict forms in, JSON out, refusals as OAuth has them."""

import logging
from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from django.core.exceptions import BadRequest, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authpages.errors import CodeInvalid, TokenInvalid
from authpages.oauth.provider import Asked, provider
from fastgen_backend.connections import DatabaseUnavailable
from fastgen_backend.errors import DomainError
from fastgen_backend.time_limits import QueryTooSlow

logger = logging.getLogger("fastgen.errors")

FORM = "application/x-www-form-urlencoded"
UNAVAILABLE = "temporarily_unavailable"


@method_decorator(csrf_exempt, name="dispatch")  # no cookie is looked at, so no browser can be made to act here
class AppEndpoint(ABC, View):
    """An endpoint that takes a form by POST and answers JSON, which nobody may store.

    Its `answer` raises what it refuses by: errors of authlib, or of our services.
    """

    http_method_names = ["post"]
    body_limit_bytes = 65_536

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in self.allowed_methods():
            return self.refuse_method()
        try:
            return self.answer(self.read(request))
        except OAuth2Error as refusal:
            return provider.refuse(refusal)
        except Exception as error:
            return _failure(request, error)

    def allowed_methods(self) -> list[str]:
        return [name.upper() for name in self.http_method_names]

    def refuse_method(self) -> HttpResponse:
        allowed = ", ".join(self.allowed_methods())
        response = _error(405, "invalid_request", f"This takes {allowed} alone.")
        response["Allow"] = allowed
        return response

    def read(self, request: HttpRequest) -> Asked:
        """The request, whose parameters stand in its body, each once; raises `InvalidRequestError`."""
        if request.META.get("QUERY_STRING"):
            raise InvalidRequestError("Send every parameter in the body: addresses end up in logs.")
        if request.content_type != FORM:
            raise InvalidRequestError(f"Send the parameters as {FORM}.")
        try:
            asked = Asked(request)
        except TooManyFieldsSent:
            raise InvalidRequestError("These are too many parameters.") from None
        except (BadRequest, UnreadablePostError):
            raise InvalidRequestError("The body could not be read as a form in UTF-8.") from None
        asked.refuse_repeated()
        return asked

    @abstractmethod
    def answer(self, asked: Asked) -> HttpResponse:
        """The answer to this request."""


def _failure(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer where a service refuses, or where something is wrong with us; nothing of the latter is told."""
    match error:
        case CodeInvalid() | TokenInvalid():
            return provider.refuse(InvalidGrantError(as_description(error.detail)))
        case DomainError():
            return _refusal(error)
    for kind in (QueryTooSlow, DatabaseUnavailable):
        if kind.is_meant_by(error):
            logger.error("503 %s %s", request.method, request.path, exc_info=error)
            return _refusal(kind())
    request_id = getattr(request, "request_id", "")
    logger.error("500 %s %s, request %s", request.method, request.path, request_id, exc_info=error)
    return _error(500, "server_error", "Something went wrong on our side. Please try again.")


def _refusal(error: DomainError) -> HttpResponse:
    later = error.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    response = _error(error.status, UNAVAILABLE if later else "invalid_request", error.detail)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _error(status: int, code: str, description: str) -> HttpResponse:
    body = {"error": code, "error_description": as_description(description)}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def as_description(text: str) -> str:
    """A description as RFC 6749, 5.2, has it: printable ASCII without quotes and backslashes."""
    return "".join(each if " " <= each <= "~" and each not in '"\\' else "'" for each in text)
