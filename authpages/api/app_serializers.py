"""JSON in and out of the endpoints of apps."""

from typing import Any

from rest_framework import serializers

from authpages.models import App
from authpages.services.api_keys import SCOPES
from authpages.services.apps import ID_TOKEN_ALGORITHMS, NewSecret
from authpages.services.redirect_uris import redirect_uris_of
from fastgen_backend.rest import StrictBooleanField, StrictCharField, StrictChoiceField, StrictSerializer

TYPE = "`public` where it runs where no secret can be kept (browser, phone), `confidential` on a server."
FIRST_PARTY = (
    "Off: people are asked first, and its access tokens are good for `/oauth/userinfo` alone. Where it changes, all "
    "that the app holds ends, and people are asked anew."
)
REDIRECT_URIS = (
    "Where people may be sent, byte for byte, but for the port of a loopback address; 100 at most. https, http to this "
    "machine, or of a public app a scheme of its own such as `com.example.app:/callback`. None has `code`, `state` or "
    "what else our answers have in its query."
)
A_SCOPE = ", ".join(f"`{scope}`" for scope in SCOPES)
MAY = (
    "What a confidential app may do in its own name (client credentials), by the scopes of API keys: whoever changes "
    "them must have them all, and not expire. They sleep while the admin who gave them is blocked or no admin, and end "
    f"when they are removed, as keys do; a new secret by somebody who may give them wakes the app. {A_SCOPE}."
)


def _uris(source: str, **options: Any) -> serializers.ListField:
    child = StrictCharField(allow_blank=True, trim_whitespace=False)  # they are held against what comes byte for byte
    return serializers.ListField(child=child, source=source, **options)


class AppChanges(StrictSerializer):
    name = StrictCharField(allow_blank=True, help_text="In 1 to 100 characters; people read it where they are asked.")
    firstParty = StrictBooleanField(source="first_party", required=False, help_text=FIRST_PARTY)
    redirectUris = _uris("redirect_uris", required=False, help_text=REDIRECT_URIS)
    postLogoutRedirectUris = _uris(
        "post_logout_redirect_uris", required=False, help_text="Where people may be sent after logging out; likewise."
    )
    scopes = serializers.ListField(child=StrictCharField(allow_blank=True), required=False, help_text=MAY)
    idTokenAlgorithm = StrictChoiceField(
        ID_TOKEN_ALGORITHMS, source="id_token_algorithm", required=False, help_text="How its ID tokens are signed."
    )


class AppRequest(AppChanges):
    type = StrictChoiceField(App.Type.values, help_text=f"{TYPE} It stays.")


class AppResponse(StrictSerializer):
    id = serializers.UUIDField(help_text="Its `client_id`.")
    name = serializers.CharField(source="shown_name")
    type = serializers.ChoiceField(App.Type.values)
    firstParty = serializers.BooleanField(source="first_party")
    default = serializers.BooleanField(
        source="is_default", help_text="The app of the hosted authentication settings; its name and URIs are theirs."
    )
    redirectUris = serializers.SerializerMethodField()
    postLogoutRedirectUris = serializers.ListField(child=serializers.CharField(), source="post_logout_redirect_uris")
    scopes = serializers.ListField(child=serializers.CharField())
    idTokenAlgorithm = serializers.CharField(source="id_token_algorithm")
    createdAt = serializers.DateTimeField(source="created_at")

    def get_redirectUris(self, app: App) -> list[str]:  # noqa: N802 as DRF finds it by the member's name
        return redirect_uris_of(app)


class NewAppResponse(AppResponse):
    secret = serializers.CharField(required=False, help_text="`fgs_…` of a confidential app; told only here.")


class AppPage(StrictSerializer):
    items = AppResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


def show_app(app: App) -> dict[str, Any]:
    """An `AppResponse`."""
    return dict(AppResponse(app).data)


def show_new_secret(made: NewSecret) -> dict[str, Any]:
    """A `NewAppResponse`."""
    return {**show_app(made.app), **({"secret": made.secret} if made.secret else {})}
