"""The console's addresses for what happened, and what its navigation shows of them."""

from django.conf import settings
from django.urls import path
from django.utils.translation import gettext_lazy as _

from events.console import overview, person, replays, views, webhook_actions, webhook_page, webhooks
from events.console.event import EventPage
from events.console.event_types import TypesPage
from events.console.log import LivePart, LogPage
from fastgen_backend.console import Area, Entry, add_to_navigation

WEBHOOK = "console/webhooks/<uuid:id>"

urlpatterns = [
    path("console", overview.OverviewPage.as_view(), name="console"),
    path("console/users/<uuid:user>", person.StoryPage.as_view(), name="console-users-person"),
    path("console/users/<uuid:user>/delete", person.DeletePersonPage.as_view(), name="console-users-delete"),
    path("console/events", LogPage.as_view(), name="console-events"),
    path("console/events/live", LivePart.as_view(), name="console-events-live"),
    path("console/events/types", TypesPage.as_view(), name="console-events-types"),
    path("console/events/<str:id>", EventPage.as_view(), name="console-events-event"),
    path("console/webhooks", webhooks.WebhooksPage.as_view(), name="console-webhooks"),
    path("console/webhooks/new", webhooks.NewWebhookPage.as_view(), name="console-webhooks-new"),
    path("console/webhooks/check", webhooks.CheckUrl.as_view(), name="console-webhooks-check"),
    path(WEBHOOK, webhook_page.WebhookPage.as_view(), name="console-webhooks-webhook"),
    path(f"{WEBHOOK}/settings", webhooks.WebhookSettingsPage.as_view(), name="console-webhooks-settings"),
    path(f"{WEBHOOK}/secret", webhooks.SecretPage.as_view(), name="console-webhooks-secret"),
    path(f"{WEBHOOK}/rotate", webhook_actions.RotatePage.as_view(), name="console-webhooks-rotate"),
    path(f"{WEBHOOK}/disable", webhook_actions.DisablePage.as_view(), name="console-webhooks-disable"),
    path(f"{WEBHOOK}/enable", webhook_actions.Enable.as_view(), name="console-webhooks-enable"),
    path(f"{WEBHOOK}/forget-missed", webhook_actions.ForgetMissedPage.as_view(), name="console-webhooks-forget-missed"),
    path(f"{WEBHOOK}/delete", webhook_actions.DeletePage.as_view(), name="console-webhooks-delete"),
    path(f"{WEBHOOK}/test", webhook_actions.SendTest.as_view(), name="console-webhooks-test"),
    path(
        f"{WEBHOOK}/deliveries/<uuid:delivery>",
        webhook_actions.DeliveryPage.as_view(),
        name="console-webhooks-delivery",
    ),
    path(f"{WEBHOOK}/replay", replays.NewReplayPage.as_view(), name="console-webhooks-replay-new"),
    path(f"{WEBHOOK}/replays/<uuid:replay>", replays.ReplayPage.as_view(), name="console-webhooks-replay"),
    path("console/inbox", views.InboxPage.as_view(), name="console-inbox"),
    path("console/inbox/<int:pk>", views.InboxMailPage.as_view(), name="console-inbox-mail"),
    path("console/inbox/<int:pk>/html", views.InboxMailHtml.as_view(), name="console-inbox-html"),
]


def _mail_is_kept() -> bool:
    return not settings.EMAIL_URL_IS_SET


add_to_navigation(Entry(_("Overview"), "console", Area.TOP, 0))
add_to_navigation(Entry(_("Events"), "console-events", Area.EVENTS, 10))
add_to_navigation(Entry(_("Webhooks"), "console-webhooks", Area.EVENTS, 20))
add_to_navigation(Entry(_("Inbox"), "console-inbox", Area.SETUP, 90, is_shown=_mail_is_kept))
