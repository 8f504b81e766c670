"""The introspection endpoint (RFC 7662): a server that can't read our tokens, or wants to know more, asks what one is.

A confidential app is told of its own tokens; one of ours, which may well be the server of an API, of any.
"""

from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidRequestError, UnauthorizedClientError
from django.conf import settings
from django.http import HttpResponse

from authpages.errors import TokenInvalid
from authpages.models import App, Session
from authpages.oauth.client_authentication import authenticate
from authpages.oauth.endpoint import AppEndpoint
from authpages.oauth.provider import Asked, provider
from authpages.services.app_callers import find_app_caller
from authpages.services.app_sessions import find_app_session
from authpages.services.refresh_tokens import find_unused
from authpages.services.sessions import find_session
from authpages.tokens import Claims, read_token

INACTIVE = {"active": False}  # and no word of why


class IntrospectionEndpoint(AppEndpoint):
    def answer(self, asked: Asked) -> HttpResponse:
        asked.client = authenticate(asked)
        app, token = asked.client.app, asked.form.get("token")
        if app.type != App.Type.CONFIDENTIAL:
            raise UnauthorizedClientError("Only confidential apps may ask what a token is.")
        if not token:
            raise InvalidRequestError("Send the token that you ask about.")
        told = _told_of_access_token(token, app) or _told_of_refresh_token(token, app)
        return provider.handle_response(200, {"active": True, **told} if told else INACTIVE, [])


def _told_of_access_token(token: str, asker: App) -> dict[str, Any] | None:
    try:
        claims = read_token(token)
    except TokenInvalid:
        return None
    about = _about(claims, asker) if _may_ask(asker, claims.app_id) else None
    if about is None:
        return None
    return about | {
        "token_type": "Bearer",
        "aud": list(claims.audience) if len(claims.audience) > 1 else claims.audience[0],
        "jti": claims.id,
        "iat": int(claims.issued_at),
        "exp": int(claims.expires_at),
    }


def _told_of_refresh_token(token: str, asker: App) -> dict[str, Any] | None:
    row = find_unused(token=token)
    held = row.app_session if row else None
    if row is None or not _may_ask(asker, held.app_id if held else None):
        return None
    return _about_person(row.session, asker, held.scope if held else "") | {
        **({"client_id": str(held.app_id)} if held else {}),
        "token_type": "refresh_token",  # lest an API takes it for an access token
        "iat": int(row.created_at.timestamp()),
        "exp": int(min(row.session.expires_at, held.ends_at if held else row.session.expires_at).timestamp()),
    }


def _may_ask(asker: App, app_id: UUID | None) -> bool:
    return asker.first_party or app_id == asker.pk


def _about(claims: Claims, asker: App) -> dict[str, Any] | None:
    """Whom an access token belongs to, while it may be used; None afterwards."""
    of_app = {"client_id": str(claims.app_id)} if claims.app_id else {}
    if claims.session_id is None:
        caller = find_app_caller(app_id=claims.app_id, scope=claims.scope)
        scope = " ".join(sorted(caller.scopes)) if caller else ""
        return {"iss": settings.BASE_URL, "sub": str(claims.app_id), "scope": scope, **of_app} if scope else None
    if claims.app_session_id:
        held = find_app_session(claims.app_session_id)
        session = held.session if held and claims.are_of(held) else None
    else:
        session = find_session(claims.session_id)
    if session is None or session.user_id != claims.user_id:
        return None
    return _about_person(session, asker, claims.scope) | of_app


def _about_person(session: Session, asker: App, scope: str) -> dict[str, Any]:
    told = {"iss": settings.BASE_URL, "sub": str(session.user_id), "sid": str(session.pk)}
    if scope:
        told["scope"] = scope
    if asker.first_party or "email" in scope.split():
        told["username"] = session.user.email
    return told
