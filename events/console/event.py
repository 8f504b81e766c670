"""One event in the console: what it says, whom it is about, who did it, and how the telling went."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.views.generic.base import TemplateView

from authpages.models import ApiKey, App, User
from datahub.models import Table
from events.console.event_types import anchor_of
from events.envelope import envelope
from events.models import Event
from events.services.delivery_log import deliveries_of
from events.services.reading import read_event
from fastgen_backend.console import AdminsOnly

CHARACTERS_MAX = 10_000  # of JSON; the API tells all of it
DELIVERIES_MAX = 20


@dataclass(frozen=True, slots=True)
class Named:
    """Whom or what an id stands for: what to call it, and its page, where it has one."""

    label: str
    url: str = ""
    events_url: str = ""  # the other events of the same
    is_deleted: bool = False


class EventPage(AdminsOnly, TemplateView):
    """The event as it is told, its secrets masked, and every delivery of it."""

    http_method_names = ["get", "head", "options"]
    template_name = "events/event.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        event = read_event(self.kwargs["id"])
        told = envelope(event)
        deliveries, number = deliveries_of(event, most=DELIVERIES_MAX)
        shown = {
            "event": event,
            "subject": _subject(event),
            "actor": _actor(event.actor),
            "type_url": f"{reverse('console-events-types')}#{anchor_of(event)}",
            "data": shortened(told["data"]),
            "envelope": shortened(told),
            "deliveries": deliveries,
            "more_deliveries": number - len(deliveries),
        }
        return super().get_context_data(**{**kwargs, **shown})


def shortened(told: dict[str, Any]) -> tuple[str, bool]:
    """JSON to read, and whether its end was left out, because a page shows no more."""
    text = json.dumps(told, ensure_ascii=False, indent=2)
    return text[:CHARACTERS_MAX], len(text) > CHARACTERS_MAX


def _subject(event: Event) -> Named | None:
    """The person or table that an event is about, by what the event itself says of it."""
    if not event.subject:
        return None
    others = f"{reverse('console-events')}?{urlencode({'subject': event.subject})}"
    if event.type.startswith("auth."):
        return Named(event.data.get("email") or event.subject, _page_of_person(event.subject), others)
    table = Table.objects.filter(uid=event.data.get("tableId") or event.subject).first()
    if table is None:
        return Named(event.data.get("Name") or event.subject, "", others)
    if "tableId" not in event.data:
        return Named(table.name, reverse("console-datahub-table", args=[table.key]), others)
    row = reverse("console-datahub-row", args=[table.key, event.subject])
    return Named(f"{table.name} · {event.subject}", row, others)


def _actor(actor: str) -> Named | None:
    """The person or program that made the change."""
    kind, _, id = actor.partition(":")
    others = f"{reverse('console-events')}?{urlencode({'actor': actor})}"
    if kind == "user":
        email = User.objects.filter(pk=id).values_list("email", flat=True).first()
        return _named(email, actor, "console-users-person", others, id)
    if kind == "apiKey":
        name = ApiKey.objects.filter(pk=id).values_list("name", flat=True).first()
        return _named(name, actor, "console-keys", others)
    if kind == "app":
        app = App.objects.filter(pk=id).first()
        return _named(app.shown_name if app else None, actor, "console-apps-app", others, id)
    return None


def _named(name: str | None, actor: str, page: str, others: str, *args: str) -> Named:
    """One that is still there, with its page; of one that was deleted, whose name is not known, the id."""
    return Named(name, reverse(page, args=args), others) if name else Named(actor, "", others, is_deleted=True)


def _page_of_person(id: str) -> str:
    """The page that tells the story of a person; none of one who was deleted."""
    return reverse("console-users-person", args=[id]) if User.objects.filter(pk=id).exists() else ""
