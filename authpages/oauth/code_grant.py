"""The authorization code grant: what an app asks for on behalf of a person, and what it exchanges the code for."""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant

from authpages.models import App, AuthorizationCode
from authpages.oauth.authorization_parameters import AuthorizationParameters
from authpages.oauth.client_authentication import authenticate
from authpages.oauth.provider import Asked, Client, S256Challenge, provider
from authpages.oauth.token_answers import tokens_of
from authpages.services.codes import exchange_code, find_code
from authpages.services.redirect_uris import accepts


class RedirectForbidden(OAuth2Error):
    """The app may not send people there, or did not say where to; so nobody is sent anywhere."""

    error = "invalid_request"

    def __init__(self, app: App, uri: str) -> None:
        super().__init__("The redirect_uri is none of this app.")
        self.app, self.uri = app, uri


@dataclass(frozen=True, slots=True)
class Code:
    """An `AuthorizationCode` as authlib asks for one."""

    row: AuthorizationCode

    @property
    def code_challenge(self) -> str:
        return self.row.code_challenge


class CodeGrant(AuthorizationCodeGrant):
    """What is checked of a code that is exchanged, redirect_uri and PKCE, is checked before the code is spent."""

    @classmethod
    def check_authorization_endpoint(cls, request: Asked) -> bool:
        """Whatever the response type is: who asks, and where to send people, is looked at first."""
        return True

    @staticmethod
    def validate_no_multiple_request_parameter(request: Asked) -> None:
        """This too is for after that; see `AuthorizationParameters`."""

    @staticmethod
    def validate_authorization_redirect_uri(request: Asked, client: Client) -> str:
        uris: list[Any] = request.payload.datalist.get("redirect_uri", [])
        if len(uris) != 1 or not accepts(client.app, uris[0], request.hosted):
            raise RedirectForbidden(client.app, " ".join(uris))
        return str(uris[0])

    def validate_token_request(self) -> None:
        """As authlib does, in words that say what to do; the hook is the verifier's."""
        asked: Asked = self.request
        asked.client = authenticate(asked)
        code = asked.form.get("code")
        if not code:
            raise InvalidRequestError("Send the code that came to the redirect_uri.")
        row = find_code(code, asked.client.app)
        if row is None:
            raise InvalidGrantError("This app was given no such code. Send it as it came, and with its own client_id.")
        if asked.form.get("redirect_uri") != row.redirect_uri:
            raise InvalidGrantError("Send the redirect_uri of the authorization request, letter for letter.")
        asked.authorization_code = Code(row)
        self.execute_hook("after_validate_token_request", None)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        asked: Asked = self.request
        app = asked.client.app
        exchanged = exchange_code(code=asked.authorization_code.row, app=app, origin=asked.origin)
        held, nonce = exchanged.app_session, exchanged.code.nonce
        tokens = tokens_of(held, refresh_token=exchanged.refresh_token, scope=held.scope, nonce=nonce)
        return 200, tokens, self.TOKEN_RESPONSE_HEADER


provider.register_grant(CodeGrant, [AuthorizationParameters(), S256Challenge()])
