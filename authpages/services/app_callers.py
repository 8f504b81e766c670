"""Apps that call our API in their own name."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import models

from authpages.models import App
from authpages.services.api_keys import EVERYTHING, SCOPES
from fastgen_backend.prepared import Parameter, Prepared


@dataclass(frozen=True, slots=True)
class AppCaller:
    """An app that came with a token of its own (client credentials), and the scopes that it was given."""

    app_id: uuid.UUID
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """What acts, as events tell it."""
        return f"app:{self.app_id}"

    @property
    def user_id(self) -> None:
        """An app is no person."""

    @property
    def role_names(self) -> list[str]:
        return []

    def allows(self, scope: str) -> bool:
        """Whether the token has `scope`, or `*`, and the app has it still."""
        return scope in self.scopes or EVERYTHING in self.scopes


def find_app_caller(*, app_id: uuid.UUID | None, scope: str) -> AppCaller | None:
    """The app whose token has this scope, with what of it the app still may do.

    None where there is no such app, or its scopes ended with the admin who gave them, as API keys do.
    """
    found = _scopes_of.row(app_id=app_id) if app_id else None
    if found is None or app_id is None:
        return None
    return AppCaller(app_id, scopes_among(scope.split(), found[0]))


def scopes_among(asked: Iterable[str], given: Collection[str]) -> frozenset[str]:
    """What of the scopes that are asked for an app has that was given these, `*` perhaps."""
    return frozenset(each for each in asked if each in SCOPES and (each in given or EVERYTHING in given))


_scopes_of = Prepared(
    lambda: App.objects.acting().filter(pk=Parameter("app_id", models.UUIDField())).values_list("scopes")
)
