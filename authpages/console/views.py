"""The console's own door."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.generic.base import View

from authpages.browser_sessions import device_cookie, drop_session, keep_session, session_of
from authpages.console.forms import ConsoleLoginForm, SetupForm
from authpages.errors import LinkExpired, LinkInvalid
from authpages.models import Session
from authpages.services.admin_setup import check_setup_token, set_up_first_admin
from authpages.services.login import Carrier, log_in
from authpages.services.sessions import StartedSession, log_out
from fastgen_backend.console import admin_of
from fastgen_backend.errors import DomainError
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.origin import Origin, Source
from fastgen_backend.redirects import SeeOther, next_path
from fastgen_backend.requests import origin_of

CONSOLE = Session.Kind.CONSOLE


class ConsoleLoginPage(FormPage):
    template_name = "authpages/console_login.html"
    form_class = ConsoleLoginForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return SeeOther(_landing(request)) if admin_of(request) else super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: PlainForm) -> HttpResponse:
        started = log_in(
            **form.cleaned_data,
            carrier=Carrier.CONSOLE_COOKIE,
            origin=_origin(self.request),
            device_cookie=device_cookie(self.request),
        )
        return _enter(self.request, started)


class SetupPage(FormPage):
    """Makes the first admin, for whoever holds the link that the first start prints."""

    template_name = "authpages/console_setup.html"
    form_class = SetupForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = request.GET.get("token", "")
        form = SetupForm(initial={"token": token})
        try:
            check_setup_token(token)
        except DomainError as error:
            return self.refused(form, error)
        return self.render_to_response(self.get_context_data(form=form))

    def form_valid(self, form: PlainForm) -> HttpResponse:
        origin, cookie = _origin(self.request), device_cookie(self.request)
        return _enter(self.request, set_up_first_admin(**form.cleaned_data, origin=origin, device_cookie=cookie))

    def refused(self, form: PlainForm, error: DomainError) -> HttpResponse:
        if not isinstance(error, LinkInvalid | LinkExpired):
            return super().refused(form, error)
        return render(self.request, "authpages/console_setup_refused.html", {"error": error}, status=error.status)


class ConsoleLogout(View):
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        session = session_of(request, CONSOLE)
        if session:
            log_out(session=session, origin=_origin(request))
        response = SeeOther(reverse("console-login"))
        drop_session(response, CONSOLE)
        return response


def _origin(request: HttpRequest) -> Origin:
    session = session_of(request, CONSOLE)
    return origin_of(request, Source.CONSOLE, actor=f"user:{session.user_id}" if session else "")


def _landing(request: HttpRequest) -> str:
    return next_path(request) or reverse("console")


def _enter(request: HttpRequest, started: StartedSession) -> HttpResponse:
    """Let the admin in; a console session that this browser held before ends (OWASP ASVS 7.2.4)."""
    previous = session_of(request, CONSOLE)
    if previous:
        log_out(session=previous, origin=_origin(request))
    response = SeeOther(_landing(request))
    keep_session(request, response, started)
    return response
