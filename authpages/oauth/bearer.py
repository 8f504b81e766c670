"""The access token that an app shows for a person: who holds what by it (RFC 6750)."""

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError

from authpages.errors import TokenInvalid
from authpages.models import AppSession
from authpages.oauth.endpoint import as_description
from authpages.oauth.provider import Asked
from authpages.services.api_keys import PREFIX
from authpages.services.app_sessions import find_app_session
from authpages.services.ended_access import why_ended
from authpages.tokens import Claims, read_token


class BearerRefused(OAuth2Error):
    """A refusal that says in `WWW-Authenticate` what was wrong with the token (RFC 6750, 3)."""

    def __init__(self, error: str, description: str, status_code: int) -> None:
        super().__init__(error=error, description=description, status_code=status_code)

    def get_headers(self) -> list[tuple[str, str]]:
        said = f'Bearer error="{self.error}", error_description="{self.description}"'
        return [*super().get_headers(), ("WWW-Authenticate", said)]


class TokenMissing(BearerRefused):
    """Who shows no token is not told of an error, but asked for one (RFC 6750, 3.1)."""

    def __init__(self) -> None:
        super().__init__("invalid_token", "Send the access token as Authorization: Bearer.", 401)

    def get_headers(self) -> list[tuple[str, str]]:
        return [*OAuth2Error.get_headers(self), ("WWW-Authenticate", "Bearer")]


def bearer_of(request: Asked) -> str:
    """The token of the header, or of a form's body (RFC 6750, 2.1 and 2.2); raises where there is none, or are two."""
    scheme, _space, token = request.http.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    in_body = request.form.get("access_token", "")
    if scheme and in_body:
        raise InvalidRequestError("Send the access token once: in Authorization, or in the body.")
    if scheme.lower() == "bearer" and token.strip():
        return str(token.strip())
    if scheme or not in_body:
        raise TokenMissing
    return str(in_body)


def find_held(token: str) -> tuple[AppSession, Claims]:
    """What an app holds by this token; raises `BearerRefused` where that has ended, or was no person's ever."""
    if token.startswith(PREFIX):
        raise BearerRefused("invalid_token", "This is an API key, which is no person's; send an access token.", 401)
    try:
        claims = read_token(token)
    except TokenInvalid as error:
        raise BearerRefused("invalid_token", as_description(error.detail), 401) from None
    held = find_app_session(claims.app_session_id)
    if claims.app_session_id and (held is None or not claims.are_of(held)):
        raise BearerRefused("invalid_token", as_description(why_ended(claims)), 401)
    if held is None or "openid" not in claims.scope.split():
        raise BearerRefused(
            "insufficient_scope", "This needs a token that an app got for a person, with the scope openid.", 403
        )
    return held, claims
