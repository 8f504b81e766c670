"""What is done with a column in one step: deleting, restoring, purging, moving, and setting what it demands."""

from abc import ABC, abstractmethod
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic.base import TemplateView

from datahub.console.column_forms import FLAGS
from datahub.console.conflicts import rows_in_the_way
from datahub.console.pages import TablePage
from datahub.errors import Conflicting
from datahub.models import Column
from datahub.services.column_lookups import hidden_column, visible_column
from datahub.services.columns import ColumnChange, change_column, hide_column, restore_column
from datahub.services.purging import purge_column
from datahub.table_figures import figures_of
from fastgen_backend.console import go_on
from fastgen_backend.errors import DomainError, FieldError, InvalidInput
from fastgen_backend.redirects import next_path

SWITCH = {"true": True, "false": False}


class _VisibleColumn(TablePage):
    @cached_property
    def column(self) -> Column:
        return visible_column(self.definition, self.kwargs["column"])


class _HiddenColumn(TablePage):
    @cached_property
    def column(self) -> Column:
        return hidden_column(self.definition, self.kwargs["column"])


class DeletePage(_VisibleColumn, TemplateView):
    """GET asks, naming what is lost and until when it can be restored; POST deletes."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "datahub/column_delete.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        hide_column(table=self.table, id_or_key=str(self.column.uid), origin=self.origin)
        return self.done("column-deleted")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        until = timezone.now() + timedelta(days=settings.COLUMN_RETENTION_DAYS)
        values = _count_of_values(self)
        return super().get_context_data(**{**kwargs, "column": self.column, "until": until, "values": values})


class Restore(_HiddenColumn):
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        restore_column(table=self.table, id_or_key=str(self.column.uid), origin=self.origin)
        return self.done("column-restored")


class PurgePage(_HiddenColumn, TemplateView):
    """GET asks, naming what is lost; POST deletes the values for good."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "datahub/column_purge.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        purge_column(table=self.table, id_or_key=str(self.column.uid))
        return self.done("column-purged")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "column": self.column})


class _Change(_VisibleColumn, ABC):
    """Changes a column by what was posted, and goes back. Rows that stand in the way are shown."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        change = ColumnChange(self.changes())
        change_column(table=self.table, id_or_key=str(self.column.uid), change=change, origin=self.origin)
        rows = reverse("console-datahub-table", args=[self.table.key])
        return go_on(request, next_path(request) or rows)

    @abstractmethod
    def changes(self) -> dict[str, Any]:
        """What is to become of the column. Raises `InvalidInput`."""

    def refusal(self, error: DomainError) -> HttpResponse:
        if not isinstance(error, Conflicting):
            return super().refusal(error)
        rows = rows_in_the_way(self.definition, self.column.key, error.errors)
        shown = self.get_context_data(column=self.column, conflict=error, rows=rows)
        return render(self.request, "datahub/column_refused.html", shown, status=error.status)


class Move(_Change):
    """To the place `position`, from 1 on, or one place on: `by` 1, or back: `by` -1."""

    def changes(self) -> dict[str, Any]:
        given = self.request.POST.get("position", "")
        if given.isascii() and given.isdecimal() and 1 <= len(given) <= 4 and int(given):
            return {"position": int(given)}
        by = {"-1": -1, "1": 1}.get(self.request.POST.get("by", ""))
        if by is None:
            detail = _("Say to which place, from 1 on, as ‘position’; or -1 or 1 as ‘by’.")
            raise InvalidInput([FieldError("/position", "invalid", detail)])
        here = [each.pk for each in self.definition.columns].index(self.column.pk)
        return {"position": max(1, here + 1 + by)}


class SetFlags(_Change):
    """Required, unique, indexed: those that are named become true or false."""

    def changes(self) -> dict[str, Any]:
        changes = {name: SWITCH.get(self.request.POST[name]) for name in FLAGS if name in self.request.POST}
        errors = [
            FieldError(f"/{name}", "invalid", _("This must be true or false."))
            for name, value in changes.items()
            if value is None
        ]
        if errors:
            raise InvalidInput(errors)
        return changes


def _count_of_values(page: _VisibleColumn) -> int | None:
    """How many rows have one; None where there are too many to count."""
    definition, table = page.definition, page.table
    if figures_of([table])[table.pk].is_estimate:
        return None
    return definition.rows().exclude(**{page.column.db_column: None}).count()
