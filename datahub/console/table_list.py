"""The list of tables: what there is, how many rows each has, and how large it is."""

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.views.generic.base import TemplateView

from datahub.console.pages import DatahubPage
from datahub.models import Table
from datahub.table_figures import Figures, figures_of

TABLES_MAX = 200  # on a page


class TablesPage(DatahubPage, TemplateView):
    """The tables by name, page by page; `?q=` finds those whose name or key holds it."""

    http_method_names = ["get", "head", "options"]
    template_name = "datahub/tables.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, page = self.request.GET.get("q", "").replace("\0", "").strip()[:200], self._page()
        found = Table.objects.called_like(asked).with_column_counts()
        start = TABLES_MAX * (page - 1)
        tables = list(found.order_by("name", "id")[start : start + TABLES_MAX + 1])
        figures = figures_of(tables[:TABLES_MAX])
        shown = [{"table": table, **_told(figures[table.pk])} for table in tables[:TABLES_MAX]]
        next_page = page + 1 if len(tables) > TABLES_MAX else None
        return super().get_context_data(tables=shown, asked=asked, next_page=next_page, **kwargs)

    def _page(self) -> int:
        number = self.request.GET.get("page", "1")
        return max(1, int(number)) if number.isascii() and number.isdecimal() and len(number) < 6 else 1


def _told(figures: Figures) -> dict[str, str]:
    about = "≈ " if figures.is_estimate else ""
    size = "–" if figures.bytes is None else f"{about}{filesizeformat(figures.bytes)}"
    return {"rows": f"{about}{figures.rows:,}", "size": size}
