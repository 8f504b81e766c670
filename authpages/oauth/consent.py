"""The page on which people agree, or not, to what a third-party app learns of them.

Of a first-party app that any program on their device could pass itself off for, they say that it is the one.
"""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from authpages.app_scopes import words_of
from authpages.browser_sessions import session_of
from authpages.models import Session
from authpages.oauth.authorization_parameters import kept_parameters
from authpages.oauth.authorize import AuthorizationPage
from authpages.services.authorization import Step, Wanted, grant_code, next_step
from authpages.services.consents import agree
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.redirects import SeeOther
from fastgen_backend.response_headers import allow_form_redirect

YES = {Step.AGREE: "allow", Step.CONFIRM: "continue"}


class ConsentForm(PlainForm):
    """The yes of the person whom the page named, to what it said: meanwhile either may be another."""

    person = forms.UUIDField(widget=forms.HiddenInput)
    answer = forms.ChoiceField(choices=[(yes, "") for yes in YES.values()])


class ConsentPage(AuthorizationPage, FormPage):
    template_name = "authpages/consent.html"
    form_class = ConsentForm
    wanted: Wanted
    session: Session
    step: Step

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, HttpResponse) and hasattr(self, "wanted"):
            allow_form_redirect(response, self.wanted.redirect_uri)
        return response

    def instead(self) -> HttpResponse | None:
        self.go_on_to(f"{reverse('authorize')}?request={self.request.GET.get('request', '')}")
        if self.pending is None:
            return self.gone()
        parameters, session = kept_parameters(self.pending.parameters), session_of(self.request)
        wanted = self.understand(parameters, self.pending)
        if isinstance(wanted, HttpResponse):
            return wanted
        self.wanted = wanted
        if self.request.POST.get("answer") == "deny":  # whatever else there is to do by now
            return self.answer(error="access_denied", error_description="The person did not agree.")
        step = next_step(wanted, session, self.pending)
        if session is None or step not in YES:
            return SeeOther(self.next_path)
        self.session, self.step = session, step
        return None

    def form_valid(self, form: PlainForm) -> HttpResponse:
        said = form.cleaned_data
        if (said["person"], said["answer"]) != (self.session.user_id, YES[self.step]):
            return SeeOther(self.request.get_full_path())
        if self.step is Step.AGREE:
            agree(session=self.session, app=self.wanted.app, scope=self.wanted.scope, origin=self.origin())
        code = grant_code(self.wanted, self.session)
        return self.answer(code=code) if code else SeeOther(self.next_path)

    def answer(self, **members: str) -> HttpResponse:
        return self.to_app(self.wanted.redirect_uri, self.pending, **members)

    def form_invalid(self, form: PlainForm) -> HttpResponse:
        return SeeOther(self.request.get_full_path())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if not hasattr(self, "session"):
            return super().get_context_data(**{"form": None} | kwargs)
        parts = urlsplit(self.wanted.redirect_uri)
        is_web = parts.scheme in {"http", "https"}  # an own scheme can have any name in the place of a host
        return super().get_context_data(
            app=self.wanted.app.name or self.hosted.product_name,
            person=self.session.user,
            yes=YES[self.step],
            learns=words_of(self.wanted.scope),
            leads_to=parts.netloc if is_web else f"{parts.scheme}:",
            is_web=is_web,
            **kwargs,
        )
