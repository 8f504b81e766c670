"""API keys in the console: which there are, making one, seeing it this once, ending it."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from authpages.console.key_forms import KeyForm
from authpages.console.scope_words import in_words
from authpages.models import ApiKey
from authpages.services.api_keys import EVERYTHING, create_api_key, delete_api_key
from fastgen_backend.console import AdminsOnly, admin_of, done, go_on
from fastgen_backend.console_lists import ListPage
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.shown_once import forget_shown, keep_to_show, kept_to_show

SOON = timedelta(days=14)
TRIES = {  # what a key with this scope can ask for without knowing anything else, best first
    EVERYTHING: "/events?limit=1",
    "events:read": "/events?limit=1",
    "tables:read": "/tables",
    "users:read": "/users?limit=1",
    "webhooks:read": "/webhooks",
    "settings:read": "/settings/hosted-auth",
}


class KeysPage(ListPage):
    template_name = "authpages/console_keys.html"
    notices = {"deleted": _("The key is deleted. Whatever used it gets 401 from now on.")}

    def rows(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.select_related("made_by")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        now = timezone.now()
        return {**context, "keys": [_shown(each, now) for each in context["page"].rows]}


class NewKeyPage(AdminsOnly, FormPage):
    template_name = "authpages/console_key_new.html"
    form_class = KeyForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        asked = cast("KeyForm", form)
        row, key = create_api_key(
            name=asked.cleaned_data["name"],
            scopes=asked.asked_scopes(),
            expires_at=asked.expires_at(),
            made_by=admin_of(self.request),
        )
        response = go_on(self.request, reverse("console-keys-made", args=[row.pk]))
        return keep_to_show(response, of=str(row.pk), secret=key)


class KeyPage(AdminsOnly, TemplateView):
    """A page about one key; where there is none, 404."""

    http_method_names = ["get", "head", "options"]

    def key(self) -> ApiKey:
        return get_object_or_404(ApiKey.objects.select_related("made_by"), pk=self.kwargs["id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "key": _shown(self.key(), timezone.now())})


class KeyMadePage(KeyPage):
    """The key itself, this once, and a command that tries it."""

    template_name = "authpages/console_key_made.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return forget_shown(super().get(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        scopes = context["key"]["row"].scopes
        path = next((path for scope, path in TRIES.items() if scope in scopes), "")
        secret = kept_to_show(self.request, of=str(self.kwargs["id"]))
        return {**context, "secret": secret, "api": f"{settings.BASE_URL}/api/v1", "path": path}


class DeleteKeyPage(KeyPage):
    template_name = "authpages/console_key_delete.html"
    http_method_names = ["get", "head", "post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        delete_api_key(id=self.kwargs["id"])
        return done(request, reverse("console-keys"), "deleted")


def _shown(row: ApiKey, now: datetime) -> dict[str, Any]:
    """A key as the console shows it: what it may do in words, and whether it works."""
    return {"row": row, "scopes": in_words(row.scopes), "state": _state(row, now)}


def _state(row: ApiKey, now: datetime) -> str:
    """`expired`, `asleep` because its maker may not come in, `soon` where it is over in two weeks, or nothing."""
    if row.expires_at and row.expires_at <= now:
        return "expired"
    if row.made_by and (row.made_by.blocked or not row.made_by.is_superuser):
        return "asleep"
    return "soon" if row.expires_at and row.expires_at - now <= SOON else ""
