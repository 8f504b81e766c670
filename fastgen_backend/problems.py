"""Refusals as application/problem+json (RFC 9457): the only place where an error becomes an answer."""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.encoding import escape_uri_path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.views import set_rollback

from fastgen_backend.errors import (
    MOST_ERRORS,
    DomainError,
    FieldError,
    InvalidInput,
    NotFound,
    detail_of,
    pointer_part,
)
from fastgen_backend.redirects import came_from

logger = logging.getLogger("fastgen.errors")

FOR_PROGRAMS = ("/api/", "/auth/", "/oauth/", "/.well-known/", "/metrics")
FOR_PEOPLE = ("/oauth/authorize", "/oauth/consent", "/oauth/logout")  # pages, among the addresses of apps
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
TITLES: dict[int | str, Promise] = {
    "not_authenticated": gettext_lazy("No credentials"),
    "authentication_failed": gettext_lazy("Credentials not accepted"),
    400: gettext_lazy("The request is malformed"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("There is nothing here"),
    405: gettext_lazy("No such method here"),
    411: gettext_lazy("The length is missing"),
    413: gettext_lazy("The body is too large"),
    415: gettext_lazy("Not a media type for this"),
    500: gettext_lazy("Something went wrong"),
}


def problem(
    status: int,
    code: str,
    title: str | Promise,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """One problem: `{type, title, status, detail, code}`, and `errors` where members of the input are to blame.

    `members` are further ones, of this code alone.
    """
    body: dict[str, Any] = {
        "type": f"urn:fastgen:problem:{code}",
        "title": str(title),
        "status": status,
        "detail": str(detail),
        "code": code,
        **(members or {}),
    }
    headers = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")  # RFC 9110, 11.6.1
    if errors or status in {400, 409, 413}:
        blamed = errors[:MOST_ERRORS] or [FieldError("", code, str(detail))]
        body["errors"] = [error._asdict() for error in blamed]
    return HttpResponse(_written(body), status=status, content_type="application/problem+json", headers=headers)


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook: every refusal of an API view; None (a bug, answered 500) for anything else."""
    set_rollback()
    match error:
        case DomainError():
            return domain_problem(error)
        case exceptions.ValidationError():
            errors = list(_field_errors(error.get_full_details()))
            return problem(400, InvalidInput.code, InvalidInput.title, detail_of(errors), errors)
        case exceptions.APIException():
            return _api_problem(error, context.get("view"))
        case Http404():
            return problem(404, NotFound.code, NotFound.title, _("There is no such thing, or not for you."))
        case PermissionDenied():
            return problem(403, "not-allowed", TITLES[403], str(error) or _("You may not do this."))
    return None


def domain_problem(error: DomainError) -> HttpResponse:
    """The answer that a `DomainError` stands for."""
    return problem(error.status, error.code, error.title, error.detail, error.errors, _waiting(error), error.members)


def refusal_response(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """A refusal outside of any view: a problem for programs, a page for people.

    Clients of OAuth look for its `error` (RFC 6749, 5.2), so it is there as well at the addresses that they ask.
    """
    title = _title(status)
    if not wants_json(request):
        return _page(request, status, title, detail)
    return problem(status, code, title, detail, members=_members_for(request, status))


def domain_refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The same, for a `DomainError`."""
    if wants_json(request):
        return domain_problem(error)
    page = _page(request, error.status, error.title, error.detail)
    for name, value in _waiting(error).items():
        page[name] = value
    return page


def _members_for(request: HttpRequest, status: int) -> dict[str, str]:
    if not request.path_info.startswith("/oauth/"):
        return {}
    return {"error": "invalid_request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"}


def wants_json(request: HttpRequest) -> bool:
    """Whether the address is one that programs ask."""
    return request.path_info.startswith(FOR_PROGRAMS) and request.path_info not in FOR_PEOPLE


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400: a host that is not ours, a malformed request."""
    return refusal_response(request, 400, "bad-request", _("The request is malformed, or meant for another host."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403."""
    return refusal_response(request, 403, "not-allowed", str(exception) or _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404."""
    detail = _("There is nothing at this address. Look for a slip in it, or go back.")
    if wants_json(request):
        detail = _("There is nothing at this address. Look for a slip in it; /api/v1/openapi.json tells all.")
    return refusal_response(request, 404, "not-found", detail)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500: our fault; the log has the stack trace under the request's id."""
    request_id = getattr(request, "request_id", "")
    logger.error("500 %s %s, request %s", request.method, escape_uri_path(request.path), request_id)
    detail = _("Something went wrong on our side. Please try again; reference %(id)s.") % {"id": request_id}
    return refusal_response(request, 500, "server-error", detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's hook for a form whose token is missing, old or another's."""
    detail = _("This form is out of date, or cookies are blocked. Go back, reload the page and send it again.")
    return refusal_response(request, 403, "csrf-failed", detail)


def _api_problem(error: exceptions.APIException, view: Any) -> HttpResponse:
    """DRF's own refusals: authentication, method, media type, malformed JSON."""
    headers = {}
    if authenticate := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if allowed := getattr(error, "allowed", None):
        headers["Allow"] = allowed
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    title = TITLES.get(code) or _title(error.status_code)
    detail = str(error.detail)
    if isinstance(error, exceptions.UnsupportedMediaType):
        taken = ", ".join(parser.media_type for parser in view.get_parsers())
        detail = _("%(detail)s Send one of: %(taken)s.") % {"detail": detail, "taken": taken}
    if isinstance(error, exceptions.MethodNotAllowed):
        taken = ", ".join(each for each in view.allowed_methods if each != "OPTIONS")
        detail = _("%(detail)s Here are: %(taken)s.") % {"detail": detail, "taken": taken}
    return problem(error.status_code, code.replace("_", "-"), title, detail, headers=headers)


def _page(request: HttpRequest, status: int, title: str | Promise, detail: str) -> HttpResponse:
    back = came_from(request) if request.path_info.startswith("/console/") else ""
    return render(request, "errors/refused.html", {"title": title, "detail": detail, "back": back}, status=status)


def _waiting(error: DomainError) -> dict[str, str]:
    """How long to wait before asking again (RFC 9110, 10.2.3), where the refusal says so."""
    return {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}


def _title(status: int) -> str | Promise:
    return TITLES.get(status) or HTTPStatus(status).phrase


def _written(body: dict[str, Any]) -> bytes:
    """The JSON, in UTF-8. Callers are told what they sent, and a member's name may hold what UTF-8 can't."""
    return LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", json.dumps(body, ensure_ascii=False)).encode()


def _field_errors(details: Any, pointer: str = "") -> Iterator[FieldError]:
    """DRF's tree of errors, flattened to JSON pointers."""
    if _is_leaf(details):
        yield FieldError(pointer, str(details["code"]).replace("_", "-"), str(details["message"]))
    elif isinstance(details, dict):
        for name, below in details.items():
            yield from _field_errors(below, f"{pointer}/{pointer_part(str(name))}" if name != "" else pointer)
    elif isinstance(details, list):
        leaves = all(map(_is_leaf, details))
        for index, below in enumerate(details):
            yield from _field_errors(below, pointer if leaves else f"{pointer}/{index}")


def _is_leaf(details: Any) -> bool:
    """Whether this is one error, and no object whose members have these names."""
    return isinstance(details, dict) and isinstance(details.get("message"), str)
