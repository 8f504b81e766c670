"""The API for people to read and try: Swagger UI over our OpenAPI document, every byte of it served from here."""

from typing import Any

from django.views.generic.base import TemplateView


class ApiDocsPage(TemplateView):
    """For everyone, as the document itself is; it holds no token and remembers none."""

    http_method_names = ["get", "head", "options"]
    template_name = "api_docs.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(document="/api/v1/openapi.json", **kwargs)
