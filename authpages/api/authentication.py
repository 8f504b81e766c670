"""Who calls the API: an access token or an API key as bearer, or an admin's console session with CSRF.

`request.auth` tells what most endpoints need, `fastgen_backend.rest.Credentials`; `request.user` is not for them.
"""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from authpages.browser_sessions import session_of
from authpages.errors import TokenInvalid
from authpages.models import ApiKey, Session, User
from authpages.services import api_keys
from authpages.services.app_callers import AppCaller, find_app_caller
from authpages.services.ended_access import why_ended
from authpages.services.sessions import TokenCaller, find_session, find_token_caller
from authpages.tokens import read_access_token


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` (RFC 6750): one query, in which key or session and person are found alive."""

    def authenticate(self, request: Request) -> tuple[User | None, Session | TokenCaller | AppCaller | ApiKey] | None:
        scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise TokenInvalid(_("Send the token as ‘Authorization: Bearer <token>’."))
        return _by_api_key(token) if token.startswith(api_keys.PREFIX) else self.by_access_token(token)

    def by_access_token(self, token: str) -> tuple[User | None, Session | TokenCaller | AppCaller]:
        """The caller, or `TokenInvalid`."""
        claims = read_access_token(token)
        caller: TokenCaller | AppCaller | None
        if claims.session_id and claims.user_id:
            of_app = claims.app_session_id
            caller = find_token_caller(session_id=claims.session_id, user_id=claims.user_id, app_session_id=of_app)
        else:
            caller = find_app_caller(app_id=claims.app_id, scope=claims.scope)
        if caller is None:
            raise TokenInvalid(why_ended(claims))
        return None, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class PersonAuthentication(BearerAuthentication):
    """As ever, but `request.auth` is the whole session with its person, for endpoints that show or change them."""

    def by_access_token(self, token: str) -> tuple[User | None, Session | TokenCaller | AppCaller]:
        claims = read_access_token(token)
        if claims.session_id is None:
            return super().by_access_token(token)
        session = find_session(claims.session_id, claims.app_session_id)
        if session is None or session.user_id != claims.user_id:
            raise TokenInvalid(why_ended(claims))
        return session.user, session


class ConsoleAuthentication(BaseAuthentication):
    """The cookie of the console; a change needs the CSRF token as well."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        if settings.CONSOLE_COOKIE_NAME not in request.COOKIES:
            return None
        session = session_of(request._request, Session.Kind.CONSOLE)
        if session is None or not session.user.is_superuser:
            return None
        _check_csrf(request)
        return session.user, session


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> Any:
        return reason


def _check_csrf(request: Request) -> None:
    check = _CsrfCheck(lambda _request: HttpResponse())
    check.process_request(request._request)
    if reason := check.process_view(request._request, lambda: HttpResponse(), (), {}):
        raise PermissionDenied(_("CSRF: %(reason)s") % {"reason": reason}, code="csrf-failed")


def _by_api_key(key: str) -> tuple[None, ApiKey]:
    found = api_keys.find_api_key(key)
    if found is None:
        raise TokenInvalid(_("This API key does not exist, has expired, or its maker is no admin any more."))
    return None, found
