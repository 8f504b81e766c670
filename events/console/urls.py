"""The console's addresses for what happened, and what its navigation shows of them."""

from django.conf import settings
from django.urls import path
from django.utils.translation import gettext_lazy as _

from events.console import overview, views
from events.console.event import EventPage
from events.console.event_types import TypesPage
from events.console.log import LivePart, LogPage
from fastgen_backend.console import Area, Entry, add_to_navigation

urlpatterns = [
    path("console", overview.OverviewPage.as_view(), name="console"),
    path("console/events", LogPage.as_view(), name="console-events"),
    path("console/events/live", LivePart.as_view(), name="console-events-live"),
    path("console/events/types", TypesPage.as_view(), name="console-events-types"),
    path("console/events/<str:id>", EventPage.as_view(), name="console-events-event"),
    path("console/inbox", views.InboxPage.as_view(), name="console-inbox"),
    path("console/inbox/<int:pk>", views.InboxMailPage.as_view(), name="console-inbox-mail"),
    path("console/inbox/<int:pk>/html", views.InboxMailHtml.as_view(), name="console-inbox-html"),
]


def _mail_is_kept() -> bool:
    return not settings.EMAIL_URL_IS_SET


add_to_navigation(Entry(_("Overview"), "console", Area.TOP, 0))
add_to_navigation(Entry(_("Events"), "console-events", Area.EVENTS, 10))
add_to_navigation(Entry(_("Inbox"), "console-inbox", Area.SETUP, 90, is_shown=_mail_is_kept))
