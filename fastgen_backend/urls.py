"""Every address, by area."""

from django.urls import URLPattern, URLResolver, include, path

from fastgen_backend.api_docs import ApiDocsPage
from fastgen_backend.openapi import OpenApiView

openapi = OpenApiView.as_view()

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("datahub.api.urls")),  # first, because programs ask most often
    path("api/v1/", include("authpages.api.urls")),
    path("api/v1/", include("events.api.urls")),
    path("api/v1/openapi.json", openapi),
    path("", include("events.api.operators_urls")),
    path("api/docs", ApiDocsPage.as_view(), name="api-docs"),
    path("", include("authpages.pages.urls")),
    path("", include("authpages.oauth.urls")),
    path("", include("authpages.console.urls")),
    path("", include("datahub.console.urls")),
    path("", include("events.console.urls")),
]

handler400 = "fastgen_backend.problems.bad_request"
handler403 = "fastgen_backend.problems.forbidden"
handler404 = "fastgen_backend.problems.not_found"
handler500 = "fastgen_backend.problems.server_error"
