"""The log in the console: newest first, searched, and live."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.generic.base import TemplateView

from events.console.log_form import LogForm
from events.models import Event
from events.services.delivery_counts import DeliveryCounts, count_deliveries
from events.services.log_search import Found, newer_events, search_log, unsequenced_events
from fastgen_backend.console import AdminsOnly, go_on
from fastgen_backend.console_lists import Page

PAGE = 50
POSITION_DIGITS_MAX = 18  # of a bigint
NOBODY = Found([], None, None)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    event: Event
    counts: DeliveryCounts


class LogPage(AdminsOnly, TemplateView):
    """Events by their place in the log; on the first page those stand above that have none yet.

    Who asks for an event by its id is led to its page.
    """

    http_method_names = ["get", "head", "options"]
    template_name = "events/log.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET.get("subject", "").strip()
        if Event.objects.by_public_id(asked).exists():
            return go_on(request, reverse("console-events-event", args=[asked]))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form, before = LogForm(self.request.GET), _position(self.request, "before")
        found, waiting = NOBODY, list[Event]()
        if form.is_valid():
            found = search_log(form.search(), before=before, limit=PAGE)
            waiting = [] if before else unsequenced_events(form.search(), limit=PAGE)
        asked = _asked(self.request, form)
        newest = found.events[0].position if found.events else None
        shown = {
            "form": form,
            "asked": asked,
            "lines": _lines(found.events),
            "page": Page(found.events, _here(asked) if before else "", _next(found, asked)),
            "waiting": [Line(event, DeliveryCounts()) for event in waiting],
            "looked_back_to": found.looked_back_to,
            "live_url": _live(asked, newest or 0) if not before and form.is_valid() else "",
        }
        return super().get_context_data(**{**kwargs, **shown})


class LivePart(AdminsOnly):
    """What came above the position `after`, for a page that asks by itself; 204 where nothing did."""

    http_method_names = ["get", "head", "options"]
    asked_by_pages = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form, after = LogForm(request.GET), _position(request, "after") or 0
        events = newer_events(form.search(), after=after, limit=PAGE + 1) if form.is_valid() else []
        if not events:
            return HttpResponse(status=204)
        positions = [event.position for event in events[:PAGE] if event.position]
        shown = {
            "waiting": [Line(event, DeliveryCounts()) for event in events if event.position is None],
            "lines": _lines(event for event in events[:PAGE] if event.position),
            "has_gap": len(events) > PAGE,
            "live_url": _live(_asked(request, form), max(positions, default=after)),
        }
        return render(request, "events/parts/live.html", shown)


def _asked(request: HttpRequest, form: LogForm) -> dict[str, str]:
    """The questions that are asked, as the address has them."""
    return {name: str(request.GET[name]) for name in form.fields if request.GET.get(name)}


def _lines(events: Iterable[Event]) -> list[Line]:
    events = list(events)
    counts = count_deliveries(events) if events else {}
    return [Line(event, counts[event.pk]) for event in events]


def _position(request: HttpRequest, name: str) -> int | None:
    """The position that a parameter names; None for anything else."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= POSITION_DIGITS_MAX else None


def _here(asked: dict[str, str]) -> str:
    return f"{reverse('console-events')}?{urlencode(asked)}"


def _next(found: Found, asked: dict[str, str]) -> str:
    return _here({**asked, "before": str(found.next_before)}) if found.next_before else ""


def _live(asked: dict[str, str], after: int) -> str:
    return f"{reverse('console-events-live')}?{urlencode({**asked, 'after': after})}"
