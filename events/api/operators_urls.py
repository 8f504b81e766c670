"""Addresses for whoever runs the installation, at the top."""

from django.urls import path

from events.api import operators

urlpatterns = [
    path("readyz", operators.ReadyView.as_view()),
    path("metrics", operators.MetricsView.as_view()),
]
