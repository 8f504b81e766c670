"""Refusals as application/problem+json (RFC 9457): the only place where an error becomes an answer."""

import json
import logging
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.views import set_rollback

from fastgen_backend.errors import DomainError, FieldError

logger = logging.getLogger("fastgen.errors")

TITLES = {"not_authenticated": "No credentials", "authentication_failed": "Credentials not accepted"}


def problem(
    status: int,
    code: str,
    title: str | Promise,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """One problem: `{type, title, status, detail, code}`, and `errors` where members of the input are to blame."""
    body: dict[str, Any] = {
        "type": f"urn:fastgen:problem:{code}",
        "title": str(title),
        "status": status,
        "detail": str(detail),
        "code": code,
    }
    headers = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")  # RFC 9110, 11.6.1
    if errors or status in {400, 409, 413}:
        body["errors"] = [error._asdict() for error in errors] or [{"pointer": "", "code": code, "detail": str(detail)}]
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json", headers=headers
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook: every refusal of an API view; None (a bug, answered 500) for anything else."""
    set_rollback()
    match error:
        case DomainError():
            return domain_problem(error)
        case exceptions.ValidationError():
            errors = list(_field_errors(error.get_full_details()))
            detail = errors[0].detail if len(errors) == 1 else f"{len(errors)} members are not valid."
            return problem(400, "invalid-input", "The input is not valid", detail, errors)
        case exceptions.APIException():
            return _api_problem(error)
        case Http404():
            return problem(404, "not-found", "There is nothing here", "There is no such thing, or not for you.")
        case PermissionDenied():
            return problem(403, "not-allowed", "Not allowed", str(error) or "You may not do this.")
    return None


def domain_problem(error: DomainError) -> HttpResponse:
    """The answer that a `DomainError` stands for."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return problem(error.status, error.code, error.title, error.detail, error.errors, headers)


def refusal_response(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """A refusal outside of any view: a problem for programs, a page for people."""
    title = HTTPStatus(status).phrase
    if wants_json(request):
        return problem(status, code, title, detail)
    return render(request, "errors/refused.html", {"title": title, "detail": detail}, status=status)


def wants_json(request: HttpRequest) -> bool:
    """Whether the address belongs to the API."""
    return request.path_info.startswith(("/api/", "/auth/", "/oauth/", "/.well-known/"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400: a host that is not ours, a malformed request."""
    return refusal_response(request, 400, "bad-request", _("The request is malformed, or meant for another host."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403."""
    return refusal_response(request, 403, "not-allowed", str(exception) or _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404."""
    return refusal_response(request, 404, "not-found", _("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500: our fault; the log has the stack trace under the request's id."""
    request_id = getattr(request, "request_id", "")
    logger.error("500 %s %s, request %s", request.method, request.path, request_id)
    detail = _("Something went wrong on our side. Please try again; reference %(id)s.") % {"id": request_id}
    return refusal_response(request, 500, "server-error", detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's hook for a form whose token is missing, old or another's."""
    detail = _("This form is out of date, or cookies are blocked. Go back, reload the page and send it again.")
    return refusal_response(request, 403, "csrf-failed", detail)


def _api_problem(error: exceptions.APIException) -> HttpResponse:
    """DRF's own refusals: authentication, method, media type, malformed JSON."""
    headers = {}
    if authenticate := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if allowed := getattr(error, "allowed", None):
        headers["Allow"] = allowed
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    title = TITLES.get(code, HTTPStatus(error.status_code).phrase)
    return problem(error.status_code, code.replace("_", "-"), title, str(error.detail), headers=headers)


def _field_errors(details: Any, pointer: str = "") -> Iterator[FieldError]:
    """DRF's tree of errors, flattened to JSON pointers."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield FieldError(pointer, str(details["code"]).replace("_", "-"), str(details["message"]))
    elif isinstance(details, dict):
        for name, below in details.items():
            own = name in {"non_field_errors", ""}
            yield from _field_errors(below, pointer if own else f"{pointer}/{_escape(str(name))}")
    elif isinstance(details, list):
        leaves = all(isinstance(each, dict) and set(each) == {"message", "code"} for each in details)
        for index, below in enumerate(details):
            yield from _field_errors(below, pointer if leaves else f"{pointer}/{index}")


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
