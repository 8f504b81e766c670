"""The client credentials grant (RFC 6749, 4.4): a confidential app gets a token to call our API in its own name."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from django.conf import settings

from authpages.models import App
from authpages.oauth.client_authentication import authenticate
from authpages.oauth.provider import Asked, Client, provider
from authpages.services.app_callers import find_app_caller
from authpages.tokens import issue_client_token


class ClientGrant(ClientCredentialsGrant):
    """Its scopes are those of API keys, as far as an admin has given the app any."""

    def authenticate_token_endpoint_client(self) -> Client:
        client = authenticate(self.request)
        if client.app.type != App.Type.CONFIDENTIAL:
            raise UnauthorizedClientError("This app is public, so anyone could come as it: make a confidential app.")
        return client

    def validate_requested_scope(self) -> None:
        asked: Asked = self.request
        app, scope = asked.client.app, asked.form.get("scope", "").split()
        if not app.scopes:
            raise UnauthorizedClientError("This app has no scopes of its own; an admin gives it some under Apps.")
        caller = find_app_caller(app_id=app.pk, scope=" ".join(scope))
        if caller is None:
            raise UnauthorizedClientError("This app is asleep: who gave it its scopes is blocked, or no admin now.")
        if set(scope) - caller.scopes:
            raise InvalidScopeError(f"This app may ask for these scopes alone: {' '.join(app.scopes)}.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        asked: Asked = self.request
        app = asked.client.app
        scopes = asked.form.get("scope", "").split() or list(app.scopes)
        token = {
            "access_token": issue_client_token(app, scopes),
            "token_type": "Bearer",
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
            "scope": " ".join(scopes),
        }
        return 200, token, self.TOKEN_RESPONSE_HEADER


provider.register_grant(ClientGrant)
