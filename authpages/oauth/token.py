"""The token endpoint (RFC 6749, 3.2): an app gets tokens for a code, for a refresh token, or for itself."""

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from django.http import HttpResponse

from authpages.oauth import client_grant, code_grant, refresh_grant  # noqa: F401  they register themselves
from authpages.oauth.endpoint import AppEndpoint
from authpages.oauth.provider import Asked, provider

GRANTS = ("authorization_code", "refresh_token", "client_credentials")


class TokenEndpoint(AppEndpoint):
    def answer(self, asked: Asked) -> HttpResponse:
        if not asked.payload.grant_type:
            raise InvalidRequestError(f"Send a grant_type: {', '.join(GRANTS)}.")
        if asked.payload.grant_type not in GRANTS:
            raise OAuth2Error(f"The grant types are {', '.join(GRANTS)}.", error="unsupported_grant_type")
        return provider.answer_token_request(asked)
