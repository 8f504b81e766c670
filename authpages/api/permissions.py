"""Permissions that only accounts know."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from authpages.models import Session


class IsPerson(BasePermission):
    """The caller is a person with a session, not a program with an API key."""

    message = _(
        "This is for people: send a person’s access token, not an API key or a token that an app has for itself."
    )
    code = "not-a-person"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Session)

    @classmethod
    def require(cls, view: APIView, request: Request) -> None:
        """Refuse everyone else, 401 or 403, from within a view."""
        if not cls().has_permission(request, view):
            refuse: Any = view.permission_denied
            refuse(request, message=cls.message, code=cls.code)
