"""JSON in and out of the endpoints of API keys."""

from typing import Any

from rest_framework import serializers

from authpages.models import ApiKey
from authpages.services.api_keys import SCOPES
from fastgen_backend.rest import MomentField, StrictCharField, StrictSerializer

A_SCOPE = ", ".join(f"`{scope}`" for scope in SCOPES)


class ApiKeyRequest(StrictSerializer):
    name = StrictCharField(allow_blank=True, help_text="What the key is for, in 1 to 100 characters.")
    scopes = serializers.ListField(
        child=StrictCharField(allow_blank=True), allow_empty=True, help_text=f"What it may do: {A_SCOPE}."
    )
    expiresAt = MomentField(
        source="expires_at",
        required=False,
        allow_null=True,
        help_text="Without one it lives until it is deleted, or as long as the key that made it.",
    )


class ApiKeyResponse(StrictSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins; by it people know which one it is.")
    scopes = serializers.ListField(child=serializers.CharField())
    expiresAt = serializers.DateTimeField(source="expires_at", allow_null=True)
    lastUsedAt = serializers.DateTimeField(source="last_used_at", allow_null=True, help_text="To the minute.")
    createdAt = serializers.DateTimeField(source="created_at")


class NewApiKeyResponse(ApiKeyResponse):
    key = serializers.CharField(help_text="`fgk_…`; told only here.")


class ApiKeyPage(StrictSerializer):
    items = ApiKeyResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


def show_api_key(row: ApiKey) -> dict[str, Any]:
    """An `ApiKeyResponse`."""
    return dict(ApiKeyResponse(row).data)
