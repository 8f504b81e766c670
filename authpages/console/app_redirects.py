"""Making what an app was refused one of its URIs."""

from functools import cached_property
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authpages.console.apps import BelowApp
from authpages.console.redirect_words import shown
from authpages.models import RefusedRedirect
from authpages.services.refused_redirects import add_refused_redirect, strange_place_of
from fastgen_backend.console import done
from fastgen_backend.errors import NotFound
from fastgen_backend.forms import FormPage, PlainForm


class HostForm(PlainForm):
    """Says that a host is the app's, though none of its URIs has it."""

    host = forms.CharField(
        label=gettext_lazy("Type the host to say that it is yours"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class AddRedirectPage(BelowApp, FormPage):
    """Asks first, and more where the host is a new one: anyone can cause a refusal, by an address of their own making.

    So nobody can have an address of theirs waved through by making it look like the app's.
    """

    template_name = "authpages/console_app_add_redirect.html"
    form_class = HostForm

    @cached_property
    def noted(self) -> RefusedRedirect:
        found = self.app.refused_redirects.filter(reference=self.kwargs["reference"]).first()
        if found is None:
            raise NotFound(_("No such refusal is known any more. It may have been added, or forgotten, meanwhile."))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refused = shown(self.noted, self.app)
        place = "" if refused["why_not"] else strange_place_of(self.noted, self.app)
        return super().get_context_data(**{**kwargs, "refused": refused, "strange_place": place})

    def form_valid(self, form: PlainForm) -> HttpResponse:
        typed = form.cleaned_data["host"]
        add_refused_redirect(app_id=self.app.pk, reference=self.noted.reference, typed_host=typed)
        return done(self.request, self.here, "added")
