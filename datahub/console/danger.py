"""What can't be undone: emptying a table, and deleting it. Both ask, and name what is lost."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.base import TemplateView

from datahub.console.column_forms import Plain
from datahub.console.pages import TablePage
from datahub.models import Column
from datahub.services.tables import clear_table, delete_table
from datahub.table_figures import figures_of
from fastgen_backend.console import done
from fastgen_backend.forms import FormPage, PlainForm


class _AsksFirst(TablePage):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What there is to lose: rows, columns, and columns of other tables that refer to it."""
        referring = Column.objects.referring_to(self.table)
        lost = {"figures": figures_of([self.table])[self.table.pk], "referring": referring}
        return super().get_context_data(**{**lost, **kwargs})


class ClearPage(_AsksFirst, TemplateView):
    http_method_names = ["get", "head", "post", "options"]
    template_name = "datahub/clear.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        clear_table(table=self.table, origin=self.origin)
        return self.done("cleared")


class DeleteForm(PlainForm):
    """The table's key, typed by who means it."""

    confirmation = Plain(label=gettext_lazy("Type the table’s key to delete it"))

    def __init__(self, *args: Any, key: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._key = key

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip().lower() != self._key.lower():
            raise forms.ValidationError(_("Type ‘%(key)s’, the key of this table.") % {"key": self._key})
        return typed


class DeletePage(_AsksFirst, FormPage):
    template_name = "datahub/delete.html"
    form_class = DeleteForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "key": self.table.key}

    def form_valid(self, form: Any) -> HttpResponse:
        delete_table(table=self.table, origin=self.origin)
        return done(self.request, reverse("console-datahub"), "deleted")
