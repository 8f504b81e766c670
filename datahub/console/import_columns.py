"""What a file would become: the columns of a new table, to be corrected and confirmed before anything is made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from datahub.console.import_forms import ColumnsForm
from datahub.console.imports import OneImportPage
from datahub.models import Import
from datahub.services.imports.previews import confirm_import
from fastgen_backend.console import admin_of, go_on
from fastgen_backend.forms import FormPage, PlainForm


class ImportColumnsPage(OneImportPage, FormPage):
    """Shows what the file holds and what its columns would be; as soon as that is confirmed, its progress."""

    template_name = "datahub/import_columns.html"
    form_class = ColumnsForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        waits = Import.objects.filter(pk=kwargs["id"], state=Import.State.WAITING)
        if admin_of(request) and not waits.exists():
            return go_on(request, reverse("console-datahub-import-progress", args=[kwargs["id"]]))
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        preview = self.found.preview
        return {"name": preview.name, "key": preview.key}

    def get_form_kwargs(self) -> dict[str, Any]:
        preview = self.found.preview
        seen = {"headers": self.found.headers, "columns": preview.columns, "sample": preview.sample}
        return {**super().get_form_kwargs(), **seen}

    def form_valid(self, form: PlainForm) -> HttpResponse:
        assert isinstance(form, ColumnsForm)  # noqa: S101  as said above
        name, key = form.cleaned_data["name"], form.cleaned_data["key"] or None
        confirm_import(id=self.found.pk, name=name, key=key, columns=form.confirmed(), origin=self.origin)
        return go_on(self.request, reverse("console-datahub-import-progress", args=[self.found.pk]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        preview = self.found.preview
        fit = preview.rows - preview.rows_flawed
        counted = {"seen": f"{preview.rows:,}", "flawed": f"{preview.rows_flawed:,}", "fit": f"{fit:,}", "number": fit}
        return super().get_context_data(**{"preview": preview, "counted": counted, **kwargs})
