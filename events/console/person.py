"""A person's story: who they are, what they have, what happened to them, and why they can't sign in."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from authpages.console.people import PersonPage
from authpages.devices import device_name
from authpages.models import EndReason, OneTimeLink
from authpages.services.consents import app_names_of
from authpages.services.users import delete_user
from datahub.models import Table
from events.console.obstacle_words import obstacles_of
from events.models import Event
from events.services.log_search import LogSearch, unsequenced_events
from fastgen_backend.console import Crumb, admin_of, done
from fastgen_backend.console_lists import page_of

SESSIONS_MAX, ENDED_MAX, LINKS_MAX, EVENTS_MAX, TABLES_MAX = 50, 5, 20, 25, 20  # that are shown

DONE: dict[str, str | Promise] = {
    "created": _("The account is made. Nobody was mailed."),
    "saved": _("The account is changed."),
    "password-set": _("The password is set, and every session has ended."),
    "blocked": _("They are blocked, and every session has ended."),
    "unblocked": _("They are unblocked, and can log in anew."),
    "verified": _("The address is marked as verified."),
    "throttle-lifted": _("The failures are forgotten. They can try again at once."),
    "verification-sent": _("The verification mail is on its way."),
    "reset-sent": _("The reset mail is on its way."),
    "session-ended": _("The session has ended."),
    "sessions-ended": _("Every session has ended."),
}

END_WORDS: dict[str, str | Promise] = {
    EndReason.LOGOUT: _("they logged out"),
    EndReason.ENDED_BY_OWNER: _("they ended it from another one"),
    EndReason.ENDED_BY_ADMIN: _("an admin ended it"),
    EndReason.BLOCKED: _("they were blocked"),
    EndReason.NOT_AN_ADMIN: _("they are no admin any more"),
    EndReason.PASSWORD_CHANGED: _("the password was changed"),
    EndReason.PASSWORD_RESET: _("the password was reset"),
    EndReason.TOO_MANY: _("they had too many, and this one was not used for longest"),
    EndReason.TOKEN_REUSED: _("an old refresh token was used, so it may have been stolen"),
    EndReason.CODE_REUSED: _("an app’s code was used twice, so it may have been stolen"),
}


class StoryPage(PersonPage, TemplateView):
    """All about a person on one page; what happened is paged, the newest first."""

    http_method_names = ["get", "head", "options"]
    notices = DONE
    template_name = "events/person.html"

    def trail(self) -> list[Crumb]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        happened = Event.objects.positioned().filter(subject=str(self.person.pk)).for_lists()
        page = page_of(self.request, happened, ("-position",), EVENTS_MAX)
        is_first = not page.first_url
        waiting = unsequenced_events(LogSearch(subject=str(self.person.pk)), limit=EVENTS_MAX) if is_first else []
        told = {
            "obstacles": obstacles_of(self.person),
            "sessions": self._sessions(),
            "ended": self._ended_sessions(),
            "links": self._links(),
            "page": page,
            "events": [*waiting, *page.rows],
            "is_own": admin_of(self.request) == self.person,
        }
        return super().get_context_data(**{**told, **kwargs})

    def _sessions(self) -> list[dict[str, Any]]:
        alive = list(self.person.sessions.alive(timezone.now()).order_by("-last_seen_at")[:SESSIONS_MAX])
        apps = app_names_of(alive) if alive else {}
        return [
            {"session": each, "device": device_name(each.user_agent), "apps": _named(apps.get(each.pk, []))}
            for each in alive
        ]

    def _ended_sessions(self) -> list[dict[str, Any]]:
        ended = self.person.sessions.filter(ended_at__isnull=False).order_by("-ended_at")[:ENDED_MAX]
        words = [(each, END_WORDS.get(each.end_reason, each.end_reason)) for each in ended]
        return [{"session": each, "device": device_name(each.user_agent), "why": why} for each, why in words]

    def _links(self) -> list[dict[str, Any]]:
        sent = self.person.links.order_by("-created_at")[:LINKS_MAX]
        return [{"link": each, "state": _state_of(each)} for each in sent]


class DeletePersonPage(PersonPage, TemplateView):
    """Asks, and says what is lost: sessions, keys that they made, scopes that they gave apps, and rows by table."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "events/person_delete.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tables = list(Table.objects.exclude(on_owner_delete=Table.OnOwnerDelete.KEEP).order_by("name", "id"))
        lost = {
            "sessions": self.person.sessions.alive(timezone.now()).count(),
            "keys": list(self.person.api_keys.order_by("name").values_list("name", flat=True)),
            "apps": list(self.person.apps_given_scopes.order_by("name").values_list("name", flat=True)),
            "deleting": [table for table in tables if table.on_owner_delete == Table.OnOwnerDelete.DELETE],
            "clearing": [table for table in tables if table.on_owner_delete == Table.OnOwnerDelete.CLEAR],
            "tables_max": f":{TABLES_MAX}",
        }
        return super().get_context_data(**{**lost, **kwargs})

    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        delete_user(**self.by_admin)
        return done(request, reverse("console-users"), "deleted")


def _named(apps: list[str]) -> list[str | Promise]:
    """The names of apps; that of the settings has none of its own."""
    return [name or _("the default app") for name in apps]


def _state_of(link: OneTimeLink) -> tuple[str, str | Promise]:
    """The kind of its tag, and what has become of a link."""
    if link.spent_at:
        return "good", _("used")
    if link.voided_at:
        return "", _("void")
    return ("warn", _("too old")) if link.expires_at <= timezone.now() else ("", _("open"))
