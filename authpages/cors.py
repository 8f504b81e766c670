"""Who may call us from a page of another origin (CORS): by tokens alone, never by cookies."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from authpages.services.allowed_origins import allowed_origins
from fastgen_backend.connections import DatabaseUnavailable
from fastgen_backend.problems import refusal_response

FOR_EVERYONE = frozenset(
    f"/.well-known/{name}" for name in ("openid-configuration", "oauth-authorization-server", "jwks.json")
)
FOR_TOKENS = frozenset({"/oauth/token", "/oauth/userinfo", "/oauth/revoke"})
API = "/api/v1/"
TAKEN = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Unmodified-Since, X-Request-Id"
TOLD = "Allow, Content-Disposition, ETag, Location, Retry-After, WWW-Authenticate, X-Request-Id"
PREFLIGHT_SECONDS = 7200  # the most that Chromium remembers; what an answer itself says counts as well


class CorsMiddleware:
    """Lets pages of the settings' origins call the API and use tokens; discovery and keys are there for all pages.

    It stands before whatever may refuse, so that a page can read refusals too. A request from a page elsewhere loses
    its cookies here: who is logged in to the console lends nothing to it, whatever it reads. Whoever may not call gets
    no header of CORS, so that the browser keeps the answer from the page; and if it asks beforehand, a sentence.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._known: frozenset[str] = frozenset()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path in FOR_EVERYONE:
            return _readable(_preflight(request) or self.get_response(request), "*")
        if path not in FOR_TOKENS and not path.startswith(API):
            return self.get_response(request)
        response = self._answer(request, _elsewhere(request))
        patch_vary_headers(response, ["Origin"])
        return response

    def _answer(self, request: HttpRequest, origin: str) -> HttpResponse:
        if not origin:
            return self.get_response(request)
        _take_cookies_from(request)
        if origin in self._origins():
            return _readable(_preflight(request) or self.get_response(request), origin)
        return _refused(request, origin) if _is_preflight(request) else self.get_response(request)

    def _origins(self) -> frozenset[str]:
        """The origins of the settings; those that there were last while the database is away, as that can be told."""
        try:
            self._known = allowed_origins()
        except Exception as error:
            if not DatabaseUnavailable.is_meant_by(error):
                raise
        return self._known


def _elsewhere(request: HttpRequest) -> str:
    """The origin of the page that asks; empty where it is ours, or where no page asks."""
    origin = request.headers.get("Origin", "")
    return "" if origin in {settings.BASE_URL, f"{request.scheme}://{request.get_host()}"} else origin


def _take_cookies_from(request: HttpRequest) -> None:
    request.META.pop("HTTP_COOKIE", None)
    request.COOKIES = {}


def _is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight(request: HttpRequest) -> HttpResponse | None:
    """What a browser hears that asks whether it may ask; no view does. None where it asks for the thing itself."""
    if not _is_preflight(request):
        return None
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PATCH, DELETE",
            "Access-Control-Allow-Headers": TAKEN,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        },
    )


def _readable(response: HttpResponse, origin: str) -> HttpResponse:
    """The answer, such that a page of this origin may read it. `Access-Control-Allow-Credentials` is never sent."""
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Expose-Headers"] = TOLD
    return response


def _refused(request: HttpRequest, origin: str) -> HttpResponse:
    detail = _("Pages of %(origin)s may not call. An admin can add it to the allowed origins of the hosted settings.")
    return refusal_response(request, 403, "origin-not-allowed", detail % {"origin": origin[:200]})
