"""What all hosted pages share: the customer's look, and where people land when they are done."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.generic.base import ContextMixin, View

from authpages.browser_sessions import keep_session, session_of
from authpages.models import App, AuthorizationRequest, HostedAuthSettings
from authpages.services.authorization import leads_to_request, note_login, request_behind, still_waits
from authpages.services.links import Purpose, next_path_of
from authpages.services.refused_redirects import refer_to
from authpages.services.sessions import StartedSession, log_out
from fastgen_backend.forms import FormPage
from fastgen_backend.origin import Origin, Source
from fastgen_backend.redirects import SeeOther, next_path, own_path, with_next, with_parameter
from fastgen_backend.requests import opens_a_page, origin_of, speak
from fastgen_backend.response_headers import allow_form_redirect


class HostedPage(ContextMixin, View):
    """A page that belongs to the customer; there is none (404) while the settings say so, unless it always is there."""

    always_there = False
    hosted: HostedAuthSettings
    next_path: str
    pending: AuthorizationRequest | None = None  # what an app waits for, where this page is on the way back to it

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.hosted = HostedAuthSettings.load()
        if not (self.hosted.pages_enabled or self.always_there):
            raise Http404
        self.go_on_to(next_path(request))
        response = self.instead() or super().dispatch(request, *args, **kwargs)
        if self.pending and isinstance(response, HttpResponse):
            response["Content-Language"] = request.LANGUAGE_CODE
        return response

    def go_on_to(self, path: str) -> None:
        """Let this page, and those after it, lead on to `path`; one to an app that waits no more leads nowhere.

        Where an app waits, its people are spoken to in the language that it asks for, if we have that.
        """
        self.pending = request_behind(path)
        self.next_path = "" if self.pending is None and leads_to_request(path) else path
        if self.pending:
            speak(self.request, self.pending.parameters.get("ui_locales", ""))

    def go_on_as_link(self, purpose: Purpose, token: str) -> None:
        """Let this page lead on to where the link of this token says, in whatever browser it is opened."""
        self.go_on_to(own_path(next_path_of(purpose, token)))
        if self.pending and not still_waits(self.pending):
            self.go_on_to("")

    def instead(self) -> HttpResponse | None:
        """What this person gets instead of the page; None where it is theirs to see."""
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """`suffix` carries `next` to the other pages of the journey."""
        told = {"hosted": self.hosted, "suffix": with_next("", self.next_path), "going_to": self.going_to()}
        return super().get_context_data(**told, **kwargs)

    def going_to(self) -> str:
        """The app at the end of the journey, as the page tells it; empty where it has no name of its own."""
        name = self.pending.app.name if self.pending else ""
        return name if name != self.hosted.product_name else ""

    def origin(self) -> Origin:
        """The circumstances of this request; the actor is the person who is logged in here, if anyone is."""
        session = session_of(self.request)
        return origin_of(self.request, Source.HOSTED, actor=f"user:{session.user_id}" if session else "")


class LandingPage(HostedPage, FormPage):
    """A page whose form, when all is well, sends people on to where they wanted to go."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, HttpResponse):
            allow_form_redirect(response, self.form_leads_to())
        return response

    def form_leads_to(self) -> str:
        """Where outside of ours a form of this page may end: at the app that waits, else at the callback."""
        return self.pending.parameters["redirect_uri"] if self.pending else self.hosted.callback_url

    def landing(self) -> str:
        """The `next` of this address; else the callback with our issuer (OpenID Connect Core, 4); else the account."""
        if self.next_path:
            return self.next_path
        if self.hosted.callback_url:
            return with_parameter(self.hosted.callback_url, "iss", settings.BASE_URL)
        return reverse("account")

    def enter(self, started: StartedSession) -> HttpResponse:
        """Let the person in; a session of another one that this browser held before ends (OWASP ASVS 7.2.4)."""
        previous = session_of(self.request)
        if previous and previous != started.session:
            log_out(session=previous, origin=self.origin())
        if self.pending and self.going_to():
            note_login(self.pending, started.session)
        response = SeeOther(self.landing())
        keep_session(self.request, response, started)
        return response


def redirect_refused(
    request: HttpRequest, *, app: App | None, client_id: str, uri: str, for_logout: bool, notice: str = ""
) -> HttpResponse:
    """The page for whoever an app wants to send where it may not: nobody is sent anywhere (RFC 9700, 4.11.2).

    It tells the reference under which an admin finds `uri`, and not `uri`: whoever made that up would have it on a page
    of ours. Of an app that is not known it says that instead. `notice` is what was done nevertheless.
    """
    reference = refer_to(
        app=app,
        client_id=client_id,
        uri=uri,
        for_logout=for_logout,
        ip_address=request.META.get("REMOTE_ADDR"),
        is_seen=opens_a_page(request),
    )
    told = {"reference": reference, "app_is_known": app is not None, "notice": notice}
    context = {"hosted": HostedAuthSettings.load(), **told}
    return render(request, "authpages/redirect_refused.html", context, status=400)
