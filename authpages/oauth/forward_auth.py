"""Who is it? Asked by a reverse proxy for a site without code of its own, with each request that comes to it.

The site shares our host, for the cookie of the hosted pages is bound to it: a proxy stands in front of both. See
`deploy/nginx/site-behind-login.conf`.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authpages.browser_sessions import session_of
from authpages.models import User
from authpages.services.roles import role_key
from fastgen_backend.errors import InvalidInput
from fastgen_backend.problems import problem
from fastgen_backend.redirects import SeeOther, own_path, with_next

AS_IT_IS = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in "%,")
ASKED_FOR = ("X-Original-URI", "X-Forwarded-Uri")  # nginx by its own convention; Traefik and Caddy


@method_decorator(csrf_exempt, name="dispatch")  # it changes nothing, and says of any other method what is wrong
class ForwardAuthView(View):
    """200 with headers that say who is logged in; 401 with the way to the log-in; 403 for who has none of the roles.

    With `login=redirect` the way is a redirect, for proxies that hand our answer on to the browser; nginx does not. It
    is asked by GET (or HEAD); a proxy that hands on the method of what it asks about is refused any other, since the
    answer of an endpoint to another method, 200 to OPTIONS say, would be taken for a yes.
    """

    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        detail = _("Ask by GET, whatever the method of the request that you ask about.")
        headers = {"Allow": "GET, HEAD"}
        return problem(405, "method-not-allowed", gettext_lazy("No such method here"), detail, headers=headers)

    def get(self, request: HttpRequest) -> HttpResponse:
        if wrong := _wrong(request.GET):
            return problem(400, "invalid-input", InvalidInput.title, wrong)
        session = session_of(request)
        if session is None:
            return _to_the_login(request)
        if not _has_one(session.user, request.GET):
            return _refused(request.GET.getlist("role"))
        return HttpResponse(headers=_about(session.user))


def _wrong(parameters: QueryDict) -> str:
    """What is wrong with them: a slip in the proxy's configuration would let in whom it should not."""
    unknown = [name for name in parameters if name not in {"role", "login"}]
    if unknown:
        return _("There is no parameter ‘%(name)s’; there are: role, login.") % {"name": unknown[0][:100]}
    if parameters.getlist("login") not in ([], ["redirect"]):
        return _("The parameter ‘login’ may be ‘redirect’, once; or leave it out.")
    return ""


def _about(user: User) -> dict[str, str]:
    """The person in headers. All but printable ASCII is percent-encoded, as are percent signs and commas.

    So no name can end a header, or stand for two roles.
    """
    told = {
        "Id": str(user.pk),
        "Email": user.email,
        "Email-Verified": "true" if user.email_verified else "false",
        "Name": f"{user.first_name} {user.last_name}".strip(),
    }
    encoded = {name: quote(value, safe=AS_IT_IS) for name, value in told.items()}
    encoded["Roles"] = ",".join(quote(role, safe=AS_IT_IS) for role in user.role_names)
    return {f"X-Auth-User-{name}": value for name, value in encoded.items()}


def _has_one(user: User, asked: QueryDict) -> bool:
    """Whether the person has one of the roles that are asked for, if any are."""
    roles = {role_key(name) for name in asked.getlist("role")}
    return not roles or not roles.isdisjoint(map(role_key, user.role_names))


def _to_the_login(request: HttpRequest) -> HttpResponse:
    """401, as nginx and programs want it, beside which a `Location` means nothing; or the redirect, if asked for."""
    following = next(filter(None, (own_path(request.headers.get(name, "")) for name in ASKED_FOR)), "")
    login = settings.BASE_URL + with_next(reverse("login"), following)
    if "login" in request.GET:
        return SeeOther(login)
    detail = _("Nobody is logged in here. The header X-Auth-Login-Url says where that is done.")
    # RFC 9110, 11.6.1, asks for a challenge; a bearer token would be of no use here.
    headers = {"X-Auth-Login-Url": login, "WWW-Authenticate": "Cookie"}
    return problem(401, "not-authenticated", gettext_lazy("No credentials"), detail, headers=headers)


def _refused(roles: Sequence[str]) -> HttpResponse:
    detail = _("This takes one of the roles: %(roles)s.") % {"roles": ", ".join(roles)[:500]}
    return problem(403, "not-allowed", gettext_lazy("Not allowed"), detail)
