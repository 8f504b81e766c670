"""The API of a table, as examples to paste."""

from typing import Any

from django.conf import settings
from django.views.generic.base import TemplateView

from datahub.console.api_examples import LANGUAGES, examples_of
from datahub.console.pages import TablePage


class ApiPage(TablePage, TemplateView):
    """How a program gets its key, and what it can do with this very table."""

    http_method_names = ["get", "head", "options"]
    template_name = "datahub/api.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        api = f"{settings.BASE_URL}/api/v1"
        shown = {"api": api, "languages": LANGUAGES, "examples": examples_of(self.definition, api)}
        return super().get_context_data(**{**kwargs, **shown})
