"""The grid: a table's rows, page after page, as its address asks for them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic.base import TemplateView
from rest_framework.exceptions import ValidationError

from datahub.console.grid_address import SHOWN, GridAddress, chips_of
from datahub.console.grid_rows import RowPrinter
from datahub.console.grid_tools import filter_fields, headers_of, hidden_columns, sort_fields, tests_in_words
from datahub.console.grid_words import keys, words
from datahub.console.pages import TablePage
from datahub.dynamic import Member
from datahub.listing import Page, count_rows, list_rows
from datahub.row_queries import RowQuery, query_from_parameters
from fastgen_backend.console import Crumb
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.redirects import SeeOther
from fastgen_backend.rest import once_each

PAGE_ROWS = 100
HELD_MAX = 2_000  # rows that a browser holds; those beyond are another page's. With 10,000 typing takes half a second


class GridPage(TablePage):
    """What an address of the grid asks for."""

    http_method_names = ["get", "head", "options"]
    asked_by_pages = True

    @cached_property
    def address(self) -> GridAddress:
        path = reverse("console-datahub-table", args=[self.kwargs["table"]])
        try:
            return GridAddress(path, once_each(self.request.GET))
        except ValidationError:
            raise InvalidInput([FieldError("", "repeated", _("A parameter of this address stands twice."))]) from None

    @property
    def members(self) -> list[Member]:
        """Those of the columns that are shown."""
        hidden = self.address.hidden
        return [member for key, member in self.definition.own.items() if key not in hidden]

    def query(self) -> RowQuery:
        """What is asked for. Raises `InvalidInput`, as the API does."""
        fields = ",".join(["id", "revision", *(member.key for member in self.members)])
        parameters = {**self.address.asked, "limit": str(PAGE_ROWS), "fields": fields}
        return query_from_parameters(parameters, self.definition)


class TableGrid(GridPage, TemplateView):
    """The page; where that is scrolled, the rows that come next."""

    template_name = "datahub/grid.html"

    def trail(self) -> list[Crumb]:
        return []  # the table is what this page is about

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.address.is_being_changed:
            return SeeOther(self.address.changed(self.definition))
        flaws: Sequence[FieldError] = ()
        page = Page((), "", None)
        try:
            page = list_rows(self.definition, self.query(), self.caller)
        except InvalidInput as refusal:
            flaws = refusal.errors
        context = self._rows(page)
        htmx: Any = request.htmx  # type: ignore[attr-defined]
        if htmx and htmx.target == "more":
            return render(request, "datahub/grid_more.html", context)
        context = self.get_context_data(flaws=flaws, **context, **self._tools())
        return self.render_to_response(context, status=400 if flaws else 200)

    def _rows(self, page: Page) -> dict[str, Any]:
        """The rows as HTML, and where the next ones are."""
        shown = [self.definition.members[key] for key in ("id", "revision")] + self.members
        rows = [found.by_key(index, shown) for found in page.rows for index in range(len(found))]
        first = self.address.first
        return {
            "rows": self._printer().html(rows, first),
            "count": len(rows),
            "first": first,
            "last": first + len(rows) - 1,
            "more": self.address.next_page(page.next_cursor, len(rows)) if page.next_cursor else "",
            "width": len(self.members) + 2,
            "held_max": HELD_MAX,
        }

    def _hidden_required(self) -> list[str]:
        """The names of the columns that every row needs and that are not shown."""
        hidden = [self.definition.own[key].column for key in self.address.hidden if key in self.definition.own]
        return [column.name for column in hidden if column and column.required]

    def _printer(self) -> RowPrinter:
        """For a page that is scrolled with the columns that it has, wherever these are by now."""
        shown = self.request.GET.get(SHOWN)
        return (
            RowPrinter.of_columns(self.definition, shown, self.members)
            if shown
            else RowPrinter(self.definition, self.members)
        )

    def _tools(self) -> dict[str, Any]:
        """What stands above the rows."""
        address, definition = self.address, self.definition
        filters, orders = chips_of(address, definition)
        return {
            "address": address,
            "here": address.url(),
            "filters": filters,
            "orders": orders,
            "search": address.parameters.get("q", ""),
            "headers": headers_of(self.members, address),
            "hidden": hidden_columns(definition, address),
            "filter_fields": filter_fields(definition),
            "sort_fields": sort_fields(definition),
            "export": address.export(definition, self.members),
            "hidden_required": ", ".join(self._hidden_required()),
            "all_shown": address.showing(address.hidden),
            "shown_columns": ",".join(str(member.column.uid) for member in self.members if member.column),
            "tests": tests_in_words(),
            "keys": keys(),
            "words": words(),
        }


class RowCount(GridPage):
    """How many rows the address asks for; counted apart, so that the page need not wait for it."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count = count_rows(self.definition, self.query(), self.caller)
        about = "≈ " if count.is_estimate else ""
        return render(request, "datahub/row_count.html", {"count": count.number, "shown": f"{about}{count.number:,}"})
