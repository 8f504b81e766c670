"""The revocation endpoint (RFC 7009): an app gives back what it holds of a person's session."""

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from django.http import HttpResponse

from authpages.errors import TokenInvalid
from authpages.models import App, AppSession
from authpages.oauth.client_authentication import authenticate
from authpages.oauth.endpoint import AppEndpoint
from authpages.oauth.provider import Asked, provider
from authpages.services.app_sessions import end_app_session
from authpages.services.refresh_tokens import find_app_session_of
from authpages.tokens import read_token


class TokenOfAppItself(OAuth2Error):
    """Nothing stands behind a token of the client credentials grant that could be taken away (RFC 7009, 2.2.1)."""

    error = "unsupported_token_type"
    description = "A token that an app has for itself ends by its age, or when an admin takes its scopes."


class RevocationEndpoint(AppEndpoint):
    """By either token all of it ends at once: access tokens, the refresh token, and those of before.

    The person's session goes on. A token that is unknown, over or another app's is no error: it is good for nothing to
    this app already (RFC 7009, 2.2).
    """

    def answer(self, asked: Asked) -> HttpResponse:
        asked.client = authenticate(asked)
        token = asked.form.get("token")
        if not token:
            raise InvalidRequestError("Send the token to be revoked.")
        held = find_app_session_of(token=token, app=asked.client.app) or _held_by_access_token(token, asked.client.app)
        if held:
            end_app_session(app_session=held)
        return provider.handle_response(200, {}, [])


def _held_by_access_token(token: str, app: App) -> AppSession | None:
    try:
        claims = read_token(token)
    except TokenInvalid:
        return None
    if claims.app_session_id is None:
        if claims.app_id == app.pk:
            raise TokenOfAppItself
        return None
    return AppSession.objects.filter(pk=claims.app_session_id, app=app).first()
