"""The userinfo endpoint (OpenID Connect Core, 5.3): who the person is, as far as the token's scope allows."""

from django.http import HttpRequest, HttpResponse, QueryDict

from authpages.id_tokens import claims_of
from authpages.oauth.bearer import bearer_of, find_held
from authpages.oauth.endpoint import FORM, AppEndpoint
from authpages.oauth.provider import Asked, provider


class UserInfoEndpoint(AppEndpoint):
    """The one place where the token of a third-party app opens anything."""

    http_method_names = ["get", "head", "post"]

    def read(self, request: HttpRequest) -> Asked:
        is_form = request.method == "POST" and request.content_type == FORM
        return super().read(request) if is_form else Asked(request, QueryDict())

    def answer(self, asked: Asked) -> HttpResponse:
        held, claims = find_held(bearer_of(asked))
        return provider.handle_response(200, claims_of(held.session.user, claims.scope), [])
