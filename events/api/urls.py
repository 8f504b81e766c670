"""Addresses of the log and of webhooks, below /api/v1."""

from django.urls import path

from events.api import views

urlpatterns = [
    path("events", views.EventsView.as_view()),
    path("events/catalog", views.CatalogView.as_view()),  # before what any id may be called
    path("events/asyncapi.json", views.AsyncApiView.as_view()),
    path("events/<str:id>", views.EventView.as_view()),
    path("webhooks", views.WebhooksView.as_view()),
    path("webhooks/<uuid:id>", views.WebhookView.as_view()),
    path("webhooks/<uuid:id>/deliveries", views.DeliveriesView.as_view()),
]
