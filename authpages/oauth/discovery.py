"""What apps and their libraries read first: where everything is, what there is, and the keys that tokens are signed by.

All of it stays as it is while the hosted pages are off: tokens are refreshed and revoked, and people logged out, as
before; only `/oauth/authorize`, to which they would come to log in, is 404 like the pages.
"""

from abc import ABC, abstractmethod
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.generic.base import View

from authpages.endpoints import endpoints
from authpages.id_tokens import PASSWORD_ALONE
from authpages.oauth.authorization_parameters import PROMPTS
from authpages.oauth.provider import OPENID_SCOPES, S256
from authpages.services.signing_keys import JWKS_SECONDS
from authpages.signing_keys import ALGORITHMS, published_keys

WITH_A_SECRET = ["client_secret_basic", "client_secret_post"]
CLAIMS = [
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"),
    *("name", "given_name", "family_name", "locale", "email", "email_verified", "roles"),
]
FOR_ALL = {"Cache-Control": f"public, max-age={JWKS_SECONDS}"}


class PublicDocument(ABC, View):
    """A document that is the same for everyone, and may be kept for a while."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(self.document(), headers=FOR_ALL)

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """The document, as JSON."""


class Discovery(PublicDocument):
    """The provider's metadata (OpenID Connect Discovery 1.0; RFC 8414, under its address too)."""

    def document(self) -> dict[str, Any]:
        return metadata()


class Jwks(PublicDocument):
    """The public halves of the keys that sign, have signed lately, or will sign soon (RFC 7517, 5)."""

    def document(self) -> dict[str, Any]:
        return {"keys": published_keys()}


def metadata() -> dict[str, Any]:
    """What this provider is, in the words of the registry of RFC 8414; nothing that is left out is supported."""
    return {
        "issuer": settings.BASE_URL,
        **endpoints(),
        "service_documentation": f"{settings.BASE_URL}/api/docs",
        "scopes_supported": list(OPENID_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": [S256],
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": [*WITH_A_SECRET, "none"],
        "revocation_endpoint_auth_methods_supported": [*WITH_A_SECRET, "none"],
        "introspection_endpoint_auth_methods_supported": WITH_A_SECRET,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ALGORITHMS,
        "claim_types_supported": ["normal"],
        "claims_supported": CLAIMS,
        "acr_values_supported": [PASSWORD_ALONE["acr"]],
        "prompt_values_supported": list(PROMPTS),
        "display_values_supported": ["page"],
        "ui_locales_supported": [code for code, _name in settings.LANGUAGES],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
    }
