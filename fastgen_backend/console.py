"""The console's shell: who may come in, and what the navigation shows. Each app adds its own entries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic.base import ContextMixin, View
from django_htmx.http import HttpResponseClientRedirect

from fastgen_backend.errors import DomainError
from fastgen_backend.origin import Origin, Source
from fastgen_backend.redirects import SeeOther, came_from, with_next, with_parameter
from fastgen_backend.requests import origin_of

PANEL = "panel"  # the id of the place for a page beside another one
WHAT_DONE = "what-done"  # with a hyphen, which no column of a table has in its key: the grid filters by those
NOT_SENT = "not-sent"  # a form of who had been logged out meanwhile


class Area(IntEnum):
    """The parts of the navigation, from top to bottom."""

    TOP = 0
    EVENTS = 1
    SETUP = 2


AREA_TITLES: dict[Area, str | Promise] = {Area.TOP: "", Area.EVENTS: _("Activity"), Area.SETUP: _("Set-up")}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation.

    `url_name` names its page, `order` its place within the area; pages whose names begin so and go on with a hyphen
    belong to it.
    """

    label: str | Promise
    url_name: str
    area: Area
    order: int
    is_shown: Callable[[], bool] = lambda: True

    def holds(self, url_name: str | None) -> bool:
        """Whether the page of that name is this entry's, or one below it."""
        return f"{url_name}-".startswith(f"{self.url_name}-")


class Crumb(NamedTuple):
    """A page above another one."""

    label: str | Promise
    url: str


_entries: dict[str, Entry] = {}


def add_to_navigation(entry: Entry) -> None:
    """Show `entry` on every page of the console; the same entry again changes nothing."""
    _entries[entry.url_name] = entry


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What the navigation shows on this page: areas in order, `{title, entries: [{label, url, current}]}` each."""
    current = _entry_of(request)
    shown = sorted((each for each in _entries.values() if each.is_shown()), key=lambda each: each.order)
    areas = []
    for area in Area:
        entries = [
            {"label": each.label, "url": reverse(each.url_name), "current": each is current}
            for each in shown
            if each.area == area
        ]
        if entries:
            areas.append({"title": AREA_TITLES[area], "entries": entries})
    return areas


def _entry_of(request: HttpRequest) -> Entry | None:
    """The entry that the page belongs to: of several the one that says most, so that not all are the overview's."""
    here = request.resolver_match.url_name if request.resolver_match else None
    return max((e for e in _entries.values() if e.holds(here)), key=lambda e: len(e.url_name), default=None)


class AdminsOnly(ContextMixin, View):
    """A page of the console: only an admin with a console session sees it, everybody else is sent to log in.

    That comes first of all: Django's own CSRF check would read the body of a form before, whoever sends it. What a
    service refuses, and no form tells, becomes a page that says so. A page can be shown in the panel beside another
    one as well: then its template extends `shell`.

    `notices` are what pages before this one can have done, by the word that `done` was given for it.
    """

    notices: ClassVar[Mapping[str, str | Promise]] = {}
    asked_by_pages: ClassVar[bool] = False  # by themselves, such as the next rows: nobody is taken away from one then

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        return csrf_exempt(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if admin_of(request) is None:
            is_part = self.asked_by_pages and bool(getattr(request, "htmx", None))
            return HttpResponse(status=401) if is_part else _sent_to_log_in(request)
        if foreign := _refused_as_foreign(request):
            return foreign
        try:
            response = super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            response = self.refusal(error)
        if is_for_panel(request):
            response["HX-Push-Url"] = "false"  # the address stays that of the page beside it
        return response

    def refusal(self, error: DomainError) -> HttpResponse:
        """The page that tells what was refused, and why."""
        back = "" if is_for_panel(self.request) else came_from(self.request) or reverse("console")
        told = {**self._shell(), "error": error, "back": back}
        response = render(self.request, "console/refused.html", told, status=error.status)
        if error.retry_after is not None:
            response["Retry-After"] = str(error.retry_after)
        return response

    def trail(self) -> list[Crumb]:
        """The pages between the one of the navigation and this one."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shell = self._shell()
        shell["crumbs"] = [*shell["crumbs"], *self.trail()]
        what_done = self.request.GET.get(WHAT_DONE, "") if self.request.method == "GET" else ""
        told = {"notice": self.notices.get(what_done, ""), "was_not_sent": what_done == NOT_SENT}
        return super().get_context_data(**{**shell, **told, **kwargs})

    def _shell(self) -> dict[str, Any]:
        """What the console shows around every page, refusals too."""
        shell = "console/panel.html" if is_for_panel(self.request) else "console/base.html"
        crumbs = _way_to(self.request)
        return {
            "navigation": navigation(self.request),
            "admin": admin_of(self.request),
            "shell": shell,
            "crumbs": crumbs,
        }


def admin_of(request: HttpRequest) -> Any | None:
    """The admin who is in the console with this browser; None for everybody else."""
    session = getattr(request, "console_session", None)
    return session.user if session and session.user.is_superuser else None


def console_origin(request: HttpRequest) -> Origin:
    """The circumstances of a change that an admin makes in the console."""
    admin = admin_of(request)
    return origin_of(request, Source.CONSOLE, actor=f"user:{admin.pk}" if admin else "")


def is_for_panel(request: HttpRequest) -> bool:
    """Whether a page asks for another one to be shown beside it."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and htmx.target == PANEL


def go_on(request: HttpRequest, url: str) -> HttpResponse:
    """After a form was sent: the page at `url`, for forms in a panel too."""
    htmx: Any = getattr(request, "htmx", None)
    return HttpResponseClientRedirect(url) if htmx else SeeOther(url)


def done(request: HttpRequest, url: str, what: str) -> HttpResponse:
    """After a form was sent: the page at `url`, which says what was done, if `what` is among its `notices`."""
    return go_on(request, with_parameter(url, WHAT_DONE, what))


def _way_to(request: HttpRequest) -> list[Crumb]:
    """The page of the navigation that this one is below; none on that page itself."""
    entry = _entry_of(request)
    match = request.resolver_match
    is_below = entry is not None and match is not None and match.url_name != entry.url_name
    return [Crumb(entry.label, reverse(entry.url_name))] if entry and is_below else []


def _refused_as_foreign(request: HttpRequest) -> HttpResponseBase | None:
    """The answer to a form without the token that our own have."""
    check = CsrfViewMiddleware(lambda _request: HttpResponse())
    return check.process_view(request, lambda: HttpResponse(), (), {})


def _sent_to_log_in(request: HttpRequest) -> HttpResponse:
    """Back to the page itself afterwards; a part of a page is asked for by the page that it belongs to.

    Who sent a form comes back to the page it stands on, and reads there that nothing was done.
    """
    htmx: Any = getattr(request, "htmx", None)
    here = htmx.current_url_abs_path if htmx else None
    if request.method in {"GET", "HEAD"}:
        back = here or request.get_full_path()
    else:
        back = with_parameter(here or came_from(request) or request.path, WHAT_DONE, NOT_SENT)
    return go_on(request, with_next(settings.CONSOLE_LOGIN_URL, back))
