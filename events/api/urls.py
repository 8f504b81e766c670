"""Addresses of the log and of webhooks, below /api/v1."""

from django.urls import path

from events.api import delivery_views, replay_views, views

urlpatterns = [
    path("events", views.EventsView.as_view()),
    path("events/catalog", views.CatalogView.as_view()),  # before what any id may be called
    path("events/asyncapi.json", views.AsyncApiView.as_view()),
    path("events/<str:id>", views.EventView.as_view()),
    path("webhooks", views.WebhooksView.as_view()),
    path("webhooks/<uuid:id>", views.WebhookView.as_view()),
    path("webhooks/<uuid:id>/enable", views.EnableWebhookView.as_view()),
    path("webhooks/<uuid:id>/rotate-secret", views.RotateSecretView.as_view()),
    path("webhooks/<uuid:id>/test", delivery_views.TestWebhookView.as_view()),
    path("webhooks/<uuid:id>/deliveries", delivery_views.DeliveriesView.as_view()),
    path("deliveries/<uuid:id>", delivery_views.DeliveryView.as_view()),
    path("deliveries/<uuid:id>/redeliver", delivery_views.RedeliverView.as_view()),
    path("webhooks/<uuid:id>/replay", replay_views.WebhookReplayView.as_view()),
    path("webhooks/<uuid:id>/replays", replay_views.WebhookReplaysView.as_view()),
    path("replays/<uuid:id>", replay_views.ReplayView.as_view()),
    path("replays/<uuid:id>/pause", replay_views.PauseReplayView.as_view()),
    path("replays/<uuid:id>/resume", replay_views.ResumeReplayView.as_view()),
    path("replays/<uuid:id>/cancel", replay_views.CancelReplayView.as_view()),
]
