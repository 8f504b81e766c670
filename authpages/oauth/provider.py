"""The OpenID Connect provider: authlib's server over our own models. It knows the protocol, our services the rest."""

import re
from typing import Any
from uuid import UUID

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Payload
from authlib.oauth2.rfc6749.models import ClientMixin
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import compare_s256_code_challenge
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict

from authpages.models import App, HostedAuthSettings
from authpages.services import redirect_uris
from authpages.services.apps import find_app
from fastgen_backend.origin import Origin, Source
from fastgen_backend.requests import origin_of

OPENID_SCOPES = ("openid", "profile", "email", "roles", "offline_access")
S256 = "S256"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # SHA-256 in base64url
NAME = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)  # of a parameter that may be told back
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)  # RFC 7636, 4.1


class Client(ClientMixin):
    """An `App` as authlib asks for one."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_id(self) -> str:
        return str(self.app.pk)

    def get_default_redirect_uri(self) -> None:
        """There is none: OpenID Connect asks every app to say where to (Core, 3.1.2.1)."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """What of the scope there is; the rest is passed over (OpenID Connect Core, 3.1.2.1)."""
        asked = (scope or "").split()
        return " ".join(each for each in OPENID_SCOPES if each in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uris.accepts(self.app, redirect_uri)

    def check_response_type(self, response_type: str) -> bool:
        """Any is heard; that there is `code` alone is said by `AuthorizationParameters`."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """Any of ours; for whom one is not, the grant says itself."""
        return True


class Payload(OAuth2Payload):
    """The parameters of a request; one without a value is as none (RFC 6749, 3.1)."""

    def __init__(self, parameters: QueryDict) -> None:
        self._lists = dict(parameters.lists())

    @property
    def data(self) -> dict[str, Any]:
        return {name: values[0] for name, values in self._lists.items() if values[0]}

    @property
    def datalist(self) -> dict[str, list[Any]]:
        return self._lists


class Asked(OAuth2Request):
    """A request: its parameters are those of the address of a GET, and those of the body of a POST and no others.

    So no secret is taken from an address, where logs would have it (RFC 6749, 2.3.1).
    """

    def __init__(self, request: HttpRequest, parameters: QueryDict | None = None) -> None:
        # Whether http will do is said by BASE_URL, which is what browsers and apps come by.
        super().__init__(method=request.method, uri="https://localhost/", headers=request.headers)
        if parameters is None:
            parameters = request.POST if request.method == "POST" else request.GET
        self.payload = Payload(parameters)
        self.http = request
        self.hosted: HostedAuthSettings | None = None  # where the door has loaded them
        self.person: UUID | None = None  # whom an authorization request means, once it was found good

    @property
    def args(self) -> dict[str, Any]:
        return self.payload.data

    @property
    def form(self) -> dict[str, Any]:
        return self.payload.data

    @property
    def origin(self) -> Origin:
        """The circumstances, with the app as the actor, once it has shown which one it is."""
        return origin_of(self.http, Source.API, f"app:{self.client.get_client_id()}" if self.client else "")

    def refuse_repeated(self) -> None:
        """Raise `InvalidRequestError` where a parameter stands twice (RFC 6749, 3.1 and 3.2)."""
        repeated = sorted(name for name, values in self.payload.datalist.items() if len(values) > 1)
        if repeated:
            name = f"The parameter {repeated[0]}" if NAME.fullmatch(repeated[0]) else "A parameter"
            raise InvalidRequestError(f"{name} stands there more than once; send each one once.")


class Provider(AuthorizationServer):
    """What answers apps."""

    def query_client(self, client_id: str) -> Client | None:
        app = find_app(client_id)
        return Client(app) if app else None

    def create_oauth2_request(self, request: HttpRequest | Asked) -> Asked:
        return request if isinstance(request, Asked) else Asked(request)

    def save_token(self, token: dict[str, Any], request: Asked) -> None:
        """Our services have saved it already."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """authlib's signals are heard by nobody: what happens is told by our services."""

    def answer_token_request(self, request: Asked) -> HttpResponse:
        answer: HttpResponse = self.create_token_response(request)
        return answer

    def refuse(self, error: OAuth2Error) -> HttpResponse:
        """The answer that an error stands for."""
        answer: HttpResponse = self.handle_error_response(None, error)
        return answer

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> HttpResponse:
        """An answer to an app, which nobody may store (RFC 6749, 5.1)."""
        others = {name: value for name, value in headers if name != "Content-Type"}
        return JsonResponse(body, status=status, headers={**others, "Cache-Control": "no-store"})


class S256Challenge(CodeChallenge):
    """PKCE for every app, confidential ones too, and by S256 alone (RFC 9700, 2.1.1; OWASP ASVS 10.4.6).

    authlib's own lets confidential apps go without, and takes `plain`.
    """

    SUPPORTED_CODE_CHALLENGE_METHOD = (S256,)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if asked.get("code_challenge_method") != S256 or not CHALLENGE.fullmatch(asked.get("code_challenge") or ""):
            raise InvalidRequestError("Send a code_challenge with code_challenge_method S256 (PKCE, RFC 7636).")

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        """As authlib does; and no code goes without, had one been issued without a challenge."""
        challenge = grant.request.authorization_code.code_challenge
        verifier = grant.request.form.get("code_verifier", "")
        if not challenge:
            raise InvalidGrantError("This code was issued without a code_challenge, so it is good for nothing.")
        if not verifier:
            raise InvalidRequestError("Send the code_verifier that the code_challenge was made of (PKCE, RFC 7636).")
        if not VERIFIER.fullmatch(verifier):
            raise InvalidRequestError("A code_verifier has 43 to 128 characters: letters, digits and any of - . _ ~")
        if not compare_s256_code_challenge(verifier, challenge):
            raise InvalidGrantError("This is not the code_verifier that the code_challenge of this login was made of.")


provider = Provider()
