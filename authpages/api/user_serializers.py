"""JSON in and out of the endpoints of users and roles."""

from typing import Any

from rest_framework import serializers

from authpages.api.serializers import EmailField, PasswordField, UserResponse
from authpages.models import Role
from fastgen_backend.rest import (
    PageQuery,
    PlainJSONField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictSerializer,
)

NAME_MAX = 1000  # what a name may be is decided by the services; this bounds the work


class TrueOrFalseField(StrictChoiceField):
    """A switch of a query: `true` or `false`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=["true", "false"], **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == "true"


class UsersQuery(PageQuery):
    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=NAME_MAX,
        help_text="How the address, the first, the last or the whole name begins, in whatever letter case; or an id.",
    )
    role = serializers.CharField(required=False, max_length=NAME_MAX, help_text="The name of a role that they have.")
    verified = TrueOrFalseField(required=False)
    blocked = TrueOrFalseField(required=False)
    admin = TrueOrFalseField(required=False)


class UserRequest(StrictSerializer):
    email = EmailField()
    password = PasswordField(
        required=False, allow_null=True, help_text="null: none, so that only a reset by mail lets the person in."
    )
    firstName = StrictCharField(source="first_name", max_length=150, required=False, allow_blank=True)
    lastName = StrictCharField(source="last_name", max_length=150, required=False, allow_blank=True)
    emailVerified = StrictBooleanField(source="email_verified", required=False)
    roles = serializers.ListField(
        child=StrictCharField(max_length=NAME_MAX),
        required=False,
        help_text="Names of roles, in whatever letter case: these and no others; 50 at most, of 2,000 bytes together.",
    )
    locale = StrictCharField(
        required=False, allow_blank=True, help_text="A language tag such as `de`, for mails; empty: the default."
    )
    metadata = PlainJSONField(
        required=False, max_bytes=None, help_text="The person may write it, too. It is replaced as a whole."
    )
    appMetadata = PlainJSONField(
        source="app_metadata",
        required=False,
        max_bytes=None,
        help_text="Only admins and API keys write it. It is replaced as a whole.",
    )
    admin = StrictBooleanField(required=False, help_text="Only an admin or a key with the scope * may write it.")
    blocked = StrictBooleanField(required=False)


class UserPage(StrictSerializer):
    items = UserResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class RoleRequest(StrictSerializer):
    name = StrictCharField(max_length=NAME_MAX, allow_blank=True, help_text="1 to 100 characters.")
    description = StrictCharField(required=False, allow_blank=True, help_text="500 characters at most.")


class RoleResponse(StrictSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    createdAt = serializers.DateTimeField(source="created_at")


class RolePage(StrictSerializer):
    items = RoleResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


def show_role(role: Role) -> dict[str, Any]:
    """A `RoleResponse`."""
    return dict(RoleResponse(role).data)
