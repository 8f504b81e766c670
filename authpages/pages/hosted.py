"""What all hosted pages share: the customer's look, and where people land when they are done."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.generic.base import ContextMixin, View

from authpages.browser_sessions import keep_session, session_of
from authpages.models import HostedAuthSettings
from authpages.services.sessions import StartedSession, log_out
from fastgen_backend.forms import FormPage
from fastgen_backend.origin import Origin, Source
from fastgen_backend.redirects import SeeOther, next_path, with_next, with_parameter
from fastgen_backend.requests import origin_of
from fastgen_backend.response_headers import allow_form_redirect


class HostedPage(ContextMixin, View):
    """A page that belongs to the customer; there is none (404) while the settings say so."""

    hosted: HostedAuthSettings
    next_path: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.hosted = HostedAuthSettings.load()
        if not self.hosted.pages_enabled:
            raise Http404
        self.next_path = next_path(request)
        return self.instead() or super().dispatch(request, *args, **kwargs)

    def instead(self) -> HttpResponse | None:
        """What this person gets instead of the page; None where it is theirs to see."""
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """`suffix` carries `next` to the other pages of the journey."""
        return super().get_context_data(hosted=self.hosted, suffix=with_next("", self.next_path), **kwargs)

    def origin(self) -> Origin:
        """The circumstances of this request; the actor is the person who is logged in here, if anyone is."""
        session = session_of(self.request)
        return origin_of(self.request, Source.HOSTED, actor=f"user:{session.user_id}" if session else "")


class LandingPage(HostedPage, FormPage):
    """A page whose form, when all is well, sends people on to where they wanted to go."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, HttpResponse):
            allow_form_redirect(response, self.hosted.callback_url)
        return response

    def landing(self) -> str:
        """The `next` of this address; else the callback with our issuer (OpenID Connect Core, 4); else the account."""
        if self.next_path:
            return self.next_path
        if self.hosted.callback_url:
            return with_parameter(self.hosted.callback_url, "iss", settings.BASE_URL)
        return reverse("account")

    def enter(self, started: StartedSession) -> HttpResponse:
        """Let the person in; a session that this browser held before ends (OWASP ASVS 7.2.4)."""
        previous = session_of(self.request)
        if previous:
            log_out(session=previous, origin=self.origin())
        response = SeeOther(self.landing())
        keep_session(self.request, response, started)
        return response
