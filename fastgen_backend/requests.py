"""What every request gets before a view sees it: an id, the client's true address, a body of bounded size."""

import ipaddress
import logging
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.http.request import split_domain_port
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _

from fastgen_backend.connections import DatabaseUnavailable
from fastgen_backend.environment import is_loopback
from fastgen_backend.ids import uuid7
from fastgen_backend.origin import Origin, Source
from fastgen_backend.problems import domain_refusal, refusal_response
from fastgen_backend.time_limits import QueryTooSlow

logger = logging.getLogger("fastgen.errors")

FOR_OPERATORS = frozenset({"/readyz", "/metrics"})  # asked for under whatever name a machine has, over plain http
SIGNS_OF_PROXIES = ("FORWARDED", "VIA", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PROTO", "X_REAL_IP")
PLAIN_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}", re.ASCII)
Handler = Callable[[HttpRequest], HttpResponse]


class RequestMiddleware:
    """Answers probes, gives the request its id, and believes proxies only where TRUSTED_PROXIES says so."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return JsonResponse({"status": "ok"})
        request.request_id = _request_id(request)  # type: ignore[attr-defined]
        request.is_from_this_machine = _is_from_this_machine(request)  # type: ignore[attr-defined]
        _believe_proxies(request)
        if request.path_info in FOR_OPERATORS:
            return self.get_response(request)
        try:
            request.get_host()  # also where no view would ask for it
        except DisallowedHost:
            return refusal_response(request, 400, "bad-request", _("This is meant for another host."))
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return HttpResponsePermanentRedirect(f"{settings.BASE_URL}{request.get_full_path()}")
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Refuse what took the database too long, or what it was not there for, whatever was asked for."""
        asked = f"{request.method} {escape_uri_path(request.path)}"
        if QueryTooSlow.is_meant_by(exception):
            logger.warning("503 %s, the query takes too long", asked)
            return domain_refusal(request, QueryTooSlow())
        if DatabaseUnavailable.is_meant_by(exception):
            request_id = getattr(request, "request_id", "")
            logger.error("503 %s, the database is not available, request %s", asked, request_id, exc_info=exception)
            return domain_refusal(request, DatabaseUnavailable())
        return None


class LanguageMiddleware:
    """Speaks the language that the caller prefers (Accept-Language), of those there are.

    Django's own also looks for a language in the path; ours hold none.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_request(request)
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = self.get_response(request)
        patch_vary_headers(response, ["Accept-Language"])
        response.setdefault("Content-Language", language)
        return response


def speak(request: HttpRequest, languages: str) -> None:
    """Speak the first of these languages that there is, for the rest of this request; tags stand apart by spaces."""
    for tag in languages.split():
        try:
            request.LANGUAGE_CODE = translation.get_supported_language_variant(tag)
        except LookupError:
            continue
        translation.activate(request.LANGUAGE_CODE)  # until LanguageMiddleware gives back the one before
        return


class BodyLimitMiddleware:
    """Refuses a body that is too long, or of unknown length, before a byte of it is read.

    A view whose class has `body_limit_bytes` takes so many, all others `BODY_LIMIT_BYTES`.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            return refusal_response(request, 411, "length-required", _("Send the body with a Content-Length."))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        kind = getattr(view, "cls", None) or getattr(view, "view_class", None)  # as DRF and as Django calls it
        most = getattr(kind, "body_limit_bytes", settings.BODY_LIMIT_BYTES)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and len(length) <= 20 and int(length) <= most:
            return None
        detail = _("A body may have %(count)s bytes at most.") % {"count": f"{most:,}"}
        return refusal_response(request, 413, "body-too-large", detail)


def opens_a_page(request: HttpRequest) -> bool:
    """Whether a browser opens this in a window or a tab, for its person to see.

    An image, a frame or a script of some other page says of itself what it is (Fetch Metadata). Programs and old
    browsers say nothing and are believed; so are all where we are not reached by https, as browsers tell that to no
    such host but their own machine.
    """
    headers = request.headers
    kind = (headers.get("Sec-Fetch-Mode", "navigate"), headers.get("Sec-Fetch-Dest", "document"))
    return kind == ("navigate", "document") and not is_fetched_beforehand(request)


def is_fetched_beforehand(request: HttpRequest) -> bool:
    """Whether a browser asks for what its person may never open (prefetch, prerender), as the new and old ones say."""
    return any("prefetch" in request.headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Moz"))


def origin_of(request: HttpRequest, source: Source, actor: str = "") -> Origin:
    """The circumstances of this request, for the services."""
    return Origin(
        source=source,
        actor=actor,
        request_id=getattr(request, "request_id", ""),
        ip_address=request.META.get("REMOTE_ADDR") or None,
        user_agent=_printable(request.META.get("HTTP_USER_AGENT", ""))[:400],
        locale=getattr(request, "LANGUAGE_CODE", ""),
    )


def _is_from_this_machine(request: HttpRequest) -> bool:
    """Whether the socket leads to this machine, and nobody else speaks through it.

    Neither a proxy, which leaves its signs, nor a page of another host that a browser here was led to by DNS rebinding:
    the name it asks for is not ours.
    """
    meta = request.META
    host, _port = split_domain_port(meta.get("HTTP_HOST", "").lower())
    is_direct = not any(f"HTTP_{name}" in meta for name in SIGNS_OF_PROXIES)
    return is_direct and is_loopback(host.strip("[]")) and is_loopback(_address(meta.get("REMOTE_ADDR", "")))


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _request_id(request: HttpRequest) -> str:
    """The caller's own X-Request-Id where it is a plain one, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if given and PLAIN_ID.fullmatch(given) else uuid7().hex


def _believe_proxies(request: HttpRequest) -> None:
    """Put the client's address into REMOTE_ADDR and its scheme in place, from the headers of trusted proxies alone."""
    meta = request.META
    forwarded = [part.strip() for part in meta.pop("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    scheme = meta.pop("HTTP_X_FORWARDED_PROTO", "").split(",")[-1].strip()
    address = _address(meta.get("REMOTE_ADDR", ""))
    trusted = settings.TRUSTED_PROXIES
    hops = 0
    if address and _is_trusted(address, trusted, hops) and scheme in {"http", "https"}:
        meta["wsgi.url_scheme"] = scheme
    while forwarded and address and _is_trusted(address, trusted, hops):
        address, hops = _address(forwarded.pop()) or address, hops + 1
    meta["REMOTE_ADDR"] = address


def _is_trusted(address: str, trusted: int | list[ipaddress.IPv4Network | ipaddress.IPv6Network], hops: int) -> bool:
    if isinstance(trusted, int):
        return hops < trusted
    return any(ipaddress.ip_address(address) in network for network in trusted)


def _address(text: str) -> str:
    """An address in its one usual spelling: without port, brackets or zone; IPv4-mapped ones as IPv4; else empty."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
