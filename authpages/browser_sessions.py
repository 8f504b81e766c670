"""Browser sessions: the cookies of the hosted pages and of the console, looked up only when a view asks."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from authpages.addresses import email_key
from authpages.models import Session, token_hash
from authpages.services.known_devices import KNOWN_FOR
from authpages.services.sessions import StartedSession, find_browser_session

PENDING_SALT = "authpages.pending-verification"
PENDING_SECONDS = 86_400


class BrowserSessionMiddleware:
    """Gives each request `browser_session` and `console_session`: the living `Session` behind the cookie, or None.

    Both are looked up, in one query with user and roles, when first used; a page that asks for neither costs nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.browser_session = _lazy(request, settings.SESSION_COOKIE_NAME, Session.Kind.END_USER)  # type: ignore[attr-defined]
        request.console_session = _lazy(request, settings.CONSOLE_COOKIE_NAME, Session.Kind.CONSOLE)  # type: ignore[attr-defined]
        return self.get_response(request)


def session_of(request: HttpRequest, kind: Session.Kind = Session.Kind.END_USER) -> Session | None:
    """The living session of this browser, with its user and their roles; None for a visitor."""
    lazy: Any = request
    found = lazy.console_session if kind == Session.Kind.CONSOLE else lazy.browser_session
    return found if found else None


def keep_session(request: HttpRequest, response: HttpResponse, started: StartedSession) -> None:
    """Hand the browser the cookie of its new session, the one by which its device is known, and a new CSRF token."""
    rotate_token(request)
    console = started.session.kind == Session.Kind.CONSOLE
    name = settings.CONSOLE_COOKIE_NAME if console else settings.SESSION_COOKIE_NAME
    seconds = int((started.session.expires_at - timezone.now()).total_seconds())
    _set_cookie(response, name, started.cookie, seconds)
    if started.device_cookie:
        _set_cookie(response, settings.DEVICE_COOKIE_NAME, started.device_cookie, int(KNOWN_FOR.total_seconds()))


def device_cookie(request: HttpRequest) -> str:
    """The cookie by which accounts know this browser; empty where none does."""
    return request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")


def drop_session(response: HttpResponse, kind: Session.Kind = Session.Kind.END_USER) -> None:
    """Take the cookie back; the device stays known, as its owner will come back."""
    console = kind == Session.Kind.CONSOLE
    name = settings.CONSOLE_COOKIE_NAME if console else settings.SESSION_COOKIE_NAME
    _set_cookie(response, name, "", 0)


def remember_pending(response: HttpResponse, email: str) -> None:
    """Remember, in this browser, that a verification of `email` was asked for here; holds a hash of the address."""
    value = signing.dumps(token_hash(email_key(email)).hex(), salt=PENDING_SALT)
    _set_cookie(response, settings.PENDING_VERIFICATION_COOKIE_NAME, value, PENDING_SECONDS)


def is_pending_here(request: HttpRequest, key: str) -> bool:
    """Whether this browser asked for the verification of the address with this `email_key`."""
    value = request.COOKIES.get(settings.PENDING_VERIFICATION_COOKIE_NAME, "")
    try:
        return bool(signing.loads(value, salt=PENDING_SALT, max_age=PENDING_SECONDS) == token_hash(key).hex())
    except signing.BadSignature:
        return False


def _lazy(request: HttpRequest, cookie_name: str, kind: Session.Kind) -> Any:
    return SimpleLazyObject(lambda: _find(request.COOKIES.get(cookie_name, ""), kind))


def _find(cookie: str, kind: Session.Kind) -> Session | None:
    return find_browser_session(cookie, kind) if cookie else None


def _set_cookie(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Lax")
