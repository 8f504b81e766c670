"""Where apps send people to log out (OpenID Connect RP-Initiated Logout 1.0).

Whoever shows an ID token of the very session that this browser holds speaks for its person: they are logged out at
once. Anyone else may have made up the link, so the page asks (OWASP ASVS 10.6.2). authlib's endpoint would refuse a
hint that is not ours, rather than ask, and sends people on by 302.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from authpages.browser_sessions import drop_session, session_of
from authpages.errors import LogoutUnclear
from authpages.hosted_pages import HostedPage, redirect_refused
from authpages.id_tokens import Hint, read_hint
from authpages.models import App, Session
from authpages.oauth.authorization_parameters import LONGEST_REQUEST, VISIBLE
from authpages.services.apps import find_app
from authpages.services.redirect_uris import accepts_after_logout
from authpages.services.sessions import log_out
from fastgen_backend.limits import LONGEST_URL
from fastgen_backend.redirects import SeeOther, ToApp, with_parameters
from fastgen_backend.requests import speak
from fastgen_backend.response_headers import allow_form_redirect

LONGEST = {
    "id_token_hint": 8000,
    "client_id": 100,
    "post_logout_redirect_uri": LONGEST_URL,
    "state": 2000,
    "logout_hint": 500,  # taken, and passed over: the page says who is logged in here
    "ui_locales": 200,
}
OUR_FORM = "csrfmiddlewaretoken"


@dataclass(frozen=True, slots=True)
class LogoutAsked:
    """What an app asks for. `app` is the one that the hint is for, else the one that is named."""

    sent: dict[str, str]
    hint: Hint | None
    app: App | None

    @property
    def uri(self) -> str:
        return self.sent.get("post_logout_redirect_uri", "")

    @property
    def names_its_app(self) -> bool:
        """Without a name nobody can tell whether people may be sent on."""
        return bool(self.hint or self.sent.get("client_id"))

    @property
    def leads_to(self) -> str:
        """Where people go on to, with the app's state; empty where they stay here."""
        if not self.app or not self.uri or not accepts_after_logout(self.app, self.uri):
            return ""
        state = self.sent.get("state")
        return with_parameters(self.uri, {"state": state}) if state else self.uri

    def speaks_for(self, session: Session | None) -> bool:
        """Whether the hint is of this very session."""
        return bool(
            session and self.hint and (self.hint.session_id, self.hint.user_id) == (session.pk, session.user_id)
        )


@method_decorator(csrf_exempt, name="dispatch")  # apps post here from their own origin; it only leads to the GET
class AppLogoutPage(HostedPage):
    """Logs out who is meant, asks who may not be, and leads back to the app. It is there while the pages are off."""

    http_method_names = ["get", "head", "post", "options"]
    body_limit_bytes = 65_536
    always_there = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        speak(request, request.GET.get("ui_locales", "")[: LONGEST["ui_locales"]])
        try:
            response = super().dispatch(request, *args, **kwargs)
        except LogoutUnclear as error:
            response = self.page("authpages/app_logout_unclear.html", status=error.status, error=error)
        response["Content-Language"] = request.LANGUAGE_CODE
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        asked, session = _understand(request.GET), session_of(request)
        if asked.uri and asked.names_its_app and not asked.leads_to:
            return self.refuse(asked, session)
        if asked.speaks_for(session):
            return self.leave(asked, session)
        return self.go_on(asked) if session is None and asked.hint and asked.leads_to else self.ask(asked, session)

    def head(self, request: HttpRequest) -> HttpResponse:
        """The headers of a page that asks: whoever sends a HEAD looks, and means nothing by it."""
        return self.page("authpages/app_logout.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Our own form, or that of an app: sent from another site, this comes without our cookie."""
        if OUR_FORM in request.POST:
            return csrf_protect(self.confirmed)(request)
        return SeeOther(f"{reverse('app-logout')}?{urlencode(_understand(request.POST).sent)}")

    def confirmed(self, request: HttpRequest) -> HttpResponse:
        """The person said so on our page, whose address still has what the app asked for."""
        return self.leave(_understand(request.GET), session_of(request))

    def leave(self, asked: LogoutAsked, session: Session | None) -> HttpResponse:
        """Log out, in all apps that hold this session too, and go on."""
        if session:
            log_out(session=session, origin=self.origin())
        response = self.go_on(asked)
        drop_session(response)
        return response

    def go_on(self, asked: LogoutAsked) -> HttpResponse:
        """To the app; or to this page without what was asked for, which is then in no history."""
        return ToApp(asked.leads_to) if asked.leads_to else SeeOther(reverse("app-logout"))

    def refuse(self, asked: LogoutAsked, session: Session | None) -> HttpResponse:
        """Nobody is sent where the app may not send people; who is meant is logged out nevertheless."""
        client_id = str(asked.hint.app_id) if asked.hint else asked.sent["client_id"]
        leaving = session if asked.speaks_for(session) else None
        if leaving:
            log_out(session=leaving, origin=self.origin())
        done = _("You are logged out.") if leaving else ""
        response = redirect_refused(
            self.request, app=asked.app, client_id=client_id, uri=asked.uri, for_logout=True, notice=done
        )
        if leaving:
            drop_session(response)
        return response

    def ask(self, asked: LogoutAsked, session: Session | None) -> HttpResponse:
        """The question; or, where nobody is logged in, that this is so."""
        response = self.page(
            "authpages/app_logout.html",
            session=session,
            app=asked.app.name if asked.app else "",  # that of the default app is the product's
            leads_to=asked.leads_to,
            is_unnamed=bool(asked.uri) and not asked.names_its_app,
        )
        return allow_form_redirect(response, asked.leads_to)

    def page(self, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, template, self.get_context_data(**context), status=status)


def _understand(parameters: QueryDict) -> LogoutAsked:
    """What these parameters ask for; those that we don't know are passed over. Raises `LogoutUnclear`."""
    lists = {name: values for name, values in parameters.lists() if name in LONGEST}
    for name, values in lists.items():
        if len(values) > 1:
            raise LogoutUnclear(_("The parameter %(name)s stands there more than once.") % {"name": name})
        if len(values[0]) > LONGEST[name]:
            raise LogoutUnclear(_("The parameter %(name)s is too long.") % {"name": name})
    if not VISIBLE.fullmatch(parameters.get("state", "")):
        raise LogoutUnclear(_("The parameter state may have printable characters of ASCII alone."))
    sent = {name: values[0] for name, values in lists.items() if values[0]}
    if len(urlencode(sent)) > LONGEST_REQUEST:
        raise LogoutUnclear(_("The parameters are too long, all together."))
    hint = read_hint(sent.get("id_token_hint", ""))
    named = sent.get("client_id", "")
    if hint and named and named != str(hint.app_id):
        raise LogoutUnclear(_("The id_token_hint was issued to another app than client_id names."))
    return LogoutAsked(sent, hint, find_app(str(hint.app_id) if hint else named))
