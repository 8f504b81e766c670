"""The address to which apps send people: it leads back with a code, at once or after what there is to do before.

Nothing is done here by a GET but to write down what is asked and to make a code for who is logged in already, which is
worth nothing without the app's PKCE verifier.
"""

from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from authpages.browser_sessions import session_of
from authpages.errors import NotOpenedAsPage
from authpages.hosted_pages import HostedPage, redirect_refused
from authpages.models import AuthorizationRequest
from authpages.oauth.authorization_parameters import (
    kept_parameters,
    parameters_to_keep,
    parameters_to_send_on,
    state_of,
    wanted_by,
)
from authpages.oauth.code_grant import RedirectForbidden
from authpages.oauth.provider import Asked, provider
from authpages.services.authorization import (
    Step,
    Wanted,
    find_request,
    grant_code,
    keep_request,
    next_step,
    note_answer,
    way_on,
)
from fastgen_backend.errors import DomainError
from fastgen_backend.problems import domain_refusal
from fastgen_backend.redirects import SeeOther, ToApp, with_next, with_parameters
from fastgen_backend.requests import is_fetched_beforehand, opens_a_page
from fastgen_backend.response_headers import source_of

LOGIN_REQUIRED = "login_required", "The person has to log in, and prompt is none."
WHY_NOT = {  # OpenID Connect Core, 3.1.2.6
    Step.AGREE: ("consent_required", "The person has to agree, and prompt is none."),
    Step.CONFIRM: ("interaction_required", "The person has to say that it is this app, and prompt is none."),
    Step.NOTHING: ("login_required", "Another person has logged in than the one of the id_token_hint."),
}


class AuthorizationPage(HostedPage):
    """What the pages of this door share: an app's request, checked anew each time."""

    asked: Asked

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return domain_refusal(request, error)

    def understand(self, parameters: QueryDict, pending: AuthorizationRequest | None = None) -> Wanted | HttpResponse:
        """What the app wants, or wanted; where it is not good, the answer that says so, to the app if that may be."""
        self.asked = Asked(self.request, parameters)
        self.asked.hosted = self.hosted
        try:
            if len(parameters.getlist("client_id")) != 1:
                raise InvalidClientError
            grant = provider.get_consent_grant(self.asked)
        except RedirectForbidden as error:
            return self.stay_here(error.app, error.uri)
        except InvalidClientError:
            return self.stay_here(None, " ".join(parameters.getlist("redirect_uri")))
        except OAuth2Error as error:
            return self.to_app(error.redirect_uri, None, error=error.error, error_description=error.description)
        if pending:
            self.asked.person = pending.person
        return wanted_by(self.asked, grant.redirect_uri)

    def stay_here(self, app: Any, uri: str) -> HttpResponse:
        """Nobody is sent to where the app may not send people (RFC 9700, 4.11.2)."""
        client_id = " ".join(self.asked.payload.datalist.get("client_id", []))
        return redirect_refused(self.request, app=app, client_id=client_id, uri=uri, for_logout=False)

    def to_app(self, redirect_uri: str, pending: AuthorizationRequest | None, **answer: str) -> HttpResponse:
        """The answer to the app, with its state, and who gives it (RFC 9207)."""
        if pending:
            note_answer(pending)
        state = state_of(self.asked)
        answer |= ({"state": state} if state else {}) | {"iss": settings.BASE_URL}
        onward = with_parameters(redirect_uri, answer)
        if pending and not source_of(redirect_uri):  # the form that led here could end there by no redirect
            return render(self.request, "authpages/authorization_onward.html", self.get_context_data(onward=onward))
        return ToApp(onward)

    def gone(self) -> HttpResponse:
        """What was asked for is not known any more: the app has to ask again."""
        return render(self.request, "authpages/authorization_gone.html", self.get_context_data(), status=410)


@method_decorator(csrf_exempt, name="dispatch")  # apps post here from their own origin; it only leads to the GET
class AuthorizePage(AuthorizationPage):
    """Where apps send people, and where the way of these people leads back to."""

    http_method_names = ["get", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if is_fetched_beforehand(request):
            raise NotOpenedAsPage
        if "request" not in request.GET or "client_id" in request.GET:
            return self.lead(request.GET)
        pending = find_request(request.GET["request"])
        return self.lead(kept_parameters(pending.parameters), pending) if pending else self.gone()

    def post(self, request: HttpRequest) -> HttpResponse:
        """As a GET (OpenID Connect Core, 3.1.2.1): sent from another site, this comes without our cookie."""
        wanted = self.understand(request.POST)
        if isinstance(wanted, HttpResponse):
            return wanted
        return SeeOther(f"{reverse('authorize')}?{urlencode(parameters_to_send_on(self.asked))}")

    def lead(self, parameters: QueryDict, pending: AuthorizationRequest | None = None) -> HttpResponse:
        """On to the app, or to what comes before."""
        wanted, session = self.understand(parameters, pending), session_of(self.request)
        if isinstance(wanted, HttpResponse):
            return wanted
        step = next_step(wanted, session, pending)
        code = grant_code(wanted, session) if session and not step else ""
        if code:
            return self.to_app(wanted.redirect_uri, pending, code=code)
        return self.ask(wanted, step or Step.LOG_IN, pending)

    def ask(self, wanted: Wanted, step: Step, pending: AuthorizationRequest | None) -> HttpResponse:
        """The page on which the person does what there is to do; where there may be none, the app is told."""
        if "none" in wanted.prompts or step is Step.NOTHING:
            error, description = WHY_NOT.get(step, LOGIN_REQUIRED)
            return self.to_app(wanted.redirect_uri, pending, error=error, error_description=description)
        if pending is None:
            if not opens_a_page(self.request):
                raise NotOpenedAsPage
            kept = parameters_to_keep(self.asked)
            session = session_of(self.request)
            pending = keep_request(
                app=wanted.app, parameters=kept, origin=self.origin(), person=wanted.person, session=session
            )
        if step in {Step.AGREE, Step.CONFIRM}:
            return SeeOther(f"{reverse('consent')}?request={pending.pk}")
        page = "signup" if step is Step.SIGN_UP and self.hosted.allow_signups else "login"
        return SeeOther(with_next(reverse(page), way_on(pending)))
