"""The hosted authentication settings: their form, and what the pages would look like with what it says."""

import base64
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from authpages.console.contrast import contrast_of
from authpages.console.forms import ConsoleLoginForm
from authpages.console.settings_form import HostedSettingsForm
from authpages.errors import SettingInvalid
from authpages.logo import read_logo
from authpages.models import HostedAuthSettings
from authpages.services.hosted_settings import change_settings, settings_with, what_is_wrong
from fastgen_backend.console import AdminsOnly, done
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.response_headers import allow_own_frames

FORM_LIMIT_BYTES = settings.ROWS_LIMIT_BYTES  # a picture that is too large is told so in its field, up to this
PREVIEW_POLICY = (
    "sandbox; default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; frame-ancestors 'self'"
)
SCHEMES = ("light", "dark")


class SettingsPage(AdminsOnly, FormPage):
    """Saves what was changed, all of it or nothing."""

    template_name = "authpages/console_settings.html"
    form_class = HostedSettingsForm
    body_limit_bytes = FORM_LIMIT_BYTES
    notices = {"saved": _("The settings are saved.")}

    def get_initial(self) -> dict[str, Any]:
        return HostedSettingsForm.values_of(self.hosted)

    @cached_property
    def hosted(self) -> HostedAuthSettings:
        """The settings as they are before anything is saved."""
        return HostedAuthSettings.load()

    def form_valid(self, form: PlainForm) -> HttpResponse:
        if isinstance(form, HostedSettingsForm):
            changes, logo = form.changes(), form.read_logo()
            if changes or logo is not None:
                change_settings(changes=changes, logo=logo)
        return done(self.request, reverse("console-settings"), "saved")

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        return allow_own_frames(super().render_to_response(context, **options))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        typed = context["form"]["accent_color"].value() or ""
        return {**context, "hosted": self.hosted, "contrast": contrast_of(typed)}


class PreviewPage(AdminsOnly):
    """The log-in page as it would be with what the form says, wherever that can be; a page that can do nothing.

    A logo that is only an address yet is not fetched.
    """

    http_method_names = ["get", "head", "post", "options"]
    body_limit_bytes = FORM_LIMIT_BYTES

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.shown(HostedAuthSettings.load())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = HostedSettingsForm(request.POST, request.FILES)
        form.is_valid()
        changes = form.changes()
        hosted = settings_with(changes)
        if changes.get("logo_url") == "":
            hosted.logo_type = ""
        for error in what_is_wrong(changes):
            form.blame(error)
        return self.shown(hosted, logo_data=_as_data(form.read_logo()), typed=form)

    def shown(
        self, hosted: HostedAuthSettings, logo_data: str = "", typed: HostedSettingsForm | None = None
    ) -> HttpResponse:
        scheme = self.request.POST.get("scheme") or self.request.GET.get("scheme")
        context = {
            "hosted": hosted,
            "logo_data": logo_data,
            "form": ConsoleLoginForm(),
            "preview": True,
            "suffix": "",
            "typed": typed,
            "scheme": scheme if scheme in SCHEMES else "",
        }
        response = HttpResponse(render_to_string("authpages/login.html", context))
        response["Content-Security-Policy"] = PREVIEW_POLICY
        response["X-Frame-Options"] = "SAMEORIGIN"
        return response


class ContrastPart(AdminsOnly):
    """What an accent colour would do to the legibility of pages."""

    http_method_names = ["get", "head", "options"]
    asked_by_pages = True

    def get(self, request: HttpRequest) -> HttpResponse:
        contrast = contrast_of(request.GET.get("accent_color", ""))
        return HttpResponse(render_to_string("authpages/parts/contrast.html", {"contrast": contrast}))


def _as_data(sent: bytes | None) -> str:
    """A picture within the page itself; empty where it is none that could be a logo."""
    if sent is None:
        return ""
    try:
        logo = read_logo(sent)
    except SettingInvalid:
        return ""
    return f"data:{logo.media_type};base64,{base64.b64encode(logo.picture).decode()}"
