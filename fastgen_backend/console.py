"""The console's shell: who may come in, and what the navigation shows. Each app adds its own entries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import ContextMixin, View

from fastgen_backend.redirects import SeeOther, with_next


class Area(IntEnum):
    """The parts of the navigation, from top to bottom."""

    TOP = 0
    EVENTS = 1
    SETUP = 2


AREA_TITLES: dict[Area, str | Promise] = {Area.TOP: "", Area.EVENTS: _("Events"), Area.SETUP: _("Set-up")}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation.

    `url_name` names its page, `order` its place within the area; `covers` the names of further pages that belong to it.
    """

    label: str | Promise
    url_name: str
    area: Area
    order: int
    covers: frozenset[str] = field(default_factory=frozenset)
    is_shown: Callable[[], bool] = lambda: True

    def is_current(self, url_name: str | None) -> bool:
        return url_name == self.url_name or url_name in self.covers


_entries: dict[str, Entry] = {}


def add_to_navigation(entry: Entry) -> None:
    """Show `entry` on every page of the console; the same entry again changes nothing."""
    _entries[entry.url_name] = entry


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What the navigation shows on this page: areas in order, `{title, entries: [{label, url, current}]}` each."""
    here = request.resolver_match.url_name if request.resolver_match else None
    shown = sorted((each for each in _entries.values() if each.is_shown()), key=lambda each: each.order)
    areas = []
    for area in Area:
        entries = [
            {"label": each.label, "url": reverse(each.url_name), "current": each.is_current(here)}
            for each in shown
            if each.area == area
        ]
        if entries:
            areas.append({"title": AREA_TITLES[area], "entries": entries})
    return areas


class AdminsOnly(ContextMixin, View):
    """A page of the console: only an admin with a console session sees it, everybody else is sent to log in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if admin_of(request) is None:
            return SeeOther(with_next(settings.CONSOLE_LOGIN_URL, _path_to_come_back_to(request)))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(navigation=navigation(self.request), admin=admin_of(self.request), **kwargs)


def admin_of(request: HttpRequest) -> Any | None:
    """The admin who is in the console with this browser; None for everybody else."""
    session = getattr(request, "console_session", None)
    return session.user if session and session.user.is_superuser else None


def _path_to_come_back_to(request: HttpRequest) -> str:
    return request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
