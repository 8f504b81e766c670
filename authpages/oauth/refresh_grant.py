"""The refresh token grant (RFC 6749, 6): an app goes on with what it holds of a person's session."""

from typing import Any, cast

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant

from authpages.models import AppSession
from authpages.oauth.client_authentication import authenticate
from authpages.oauth.provider import Asked, provider
from authpages.oauth.token_answers import tokens_of
from authpages.services.refresh_tokens import find_app_session_of, refresh_session


class RefreshGrant(RefreshTokenGrant):
    """A scope that is asked for is checked before the token is spent; which tokens are good, our service knows."""

    def validate_token_request(self) -> None:
        asked: Asked = self.request
        asked.client = authenticate(asked)
        token, scope = asked.form.get("refresh_token"), asked.form.get("scope", "")
        if not token:
            raise InvalidRequestError("Send the refresh_token.")
        held = find_app_session_of(token=token, app=asked.client.app) if scope else None
        if held and not set(scope.split()) <= set(held.scope.split()):
            raise InvalidScopeError(f"With a refresh token an app gets no more than it had before: {held.scope}.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        asked: Asked = self.request
        token, scope = asked.form["refresh_token"], asked.form.get("scope", "")
        refreshed = refresh_session(token=token, origin=asked.origin, app=asked.client.app)
        held = cast("AppSession", refreshed.app_session)  # because an app asked
        scope = " ".join(scope.split()) or held.scope
        return 200, tokens_of(held, refresh_token=refreshed.refresh_token, scope=scope), self.TOKEN_RESPONSE_HEADER


provider.register_grant(RefreshGrant)
