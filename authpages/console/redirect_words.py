"""Refused redirects as the console tells them: what differs from what is registered, in words and marked."""

from collections.abc import Callable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authpages.models import App, RefusedRedirect
from authpages.services.redirect_differences import Difference, Part, marked, nearest
from authpages.services.redirect_uris import redirect_uris_of
from authpages.services.refused_redirects import why_not_to_be_added

Words = str | Promise
NOTHING = gettext_lazy("none")


def shown(noted: RefusedRedirect, app: App) -> dict[str, Any]:
    """What was refused, with the registered URI that comes nearest, the differences, and why it can't be added."""
    registered = list(app.post_logout_redirect_uris) if noted.for_logout else redirect_uris_of(app)
    closest = next(iter(nearest(noted.uri, registered)), None) if noted.uri else None
    return {
        "row": noted,
        "given": marked(noted.uri, closest.registered) if closest else [(noted.uri, False)] if noted.uri else [],
        "registered": marked(closest.registered, noted.uri) if closest else [],
        "differences": [in_words(each) for each in closest.differences] if closest else [],
        "why_not": why_not_to_be_added(noted, app),
    }


def in_words(difference: Difference) -> str:
    """One difference in a sentence."""
    return _WORDS[difference.part](difference.given, difference.registered)


def _two(text: Promise) -> Callable[[str, str], str]:
    """The sentence with what was given and what is registered."""
    return lambda given, known: str(text) % {"given": given or NOTHING, "known": known or NOTHING}


def _optional(name: Promise) -> Callable[[str, str], str]:
    """The sentence about a part that a URI need not have."""

    def words(given: str, known: str) -> str:
        told = {"name": name, "given": given.lstrip(":"), "known": known.lstrip(":")}
        if not given:
            return _("It has no %(name)s; the registered one has %(known)s") % told
        if not known:
            return _("It has the %(name)s %(given)s; the registered one has none") % told
        return _("The %(name)s is %(given)s and not %(known)s") % told

    return words


def _ends(given: str, _known: str) -> str:
    if given.endswith("/"):
        return _("It ends with a slash; the registered one doesn’t.")
    return _("It doesn’t end with a slash; the registered one does.")


def _www(given: str, _known: str) -> str:
    if given.lower().startswith("www."):
        return _("Its host begins with “www.”; the registered one doesn’t.")
    return _("Its host doesn’t begin with “www.”; the registered one does.")


_WORDS: dict[Part, Callable[[str, str], str]] = {
    Part.SPACE: _two(gettext_lazy("It has a space or a line break in it; the registered one hasn’t.")),
    Part.SCHEME: _two(gettext_lazy("It begins with %(given)s and the registered one with %(known)s")),
    Part.USER: _two(gettext_lazy("It has a user name or password before the host; such a one can’t be registered.")),
    Part.HOST: _two(gettext_lazy("The host is %(given)s and not %(known)s")),
    Part.HOST_CASE: _two(gettext_lazy("The host is written in other letter cases: %(given)s and not %(known)s")),
    Part.WWW: _www,
    Part.PORT: _optional(gettext_lazy("port")),
    Part.PATH: _two(gettext_lazy("The path is %(given)s and not %(known)s")),
    Part.PATH_CASE: _two(gettext_lazy("The path has other letter cases: %(given)s and not %(known)s")),
    Part.SLASH: _ends,
    Part.ENCODING: _two(gettext_lazy("The same characters are percent-encoded differently: %(given)s and %(known)s")),
    Part.QUERY: _optional(gettext_lazy("query")),
    Part.FRAGMENT: _two(gettext_lazy("It has a fragment (#…), which no redirect URI may have.")),
}
