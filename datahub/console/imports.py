"""Importing files in the console: sending one, seeing how far it is, and taking its rows out again."""

from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from datahub.console.import_forms import FileForm, NewTableForm, size_in_words
from datahub.console.import_words import count_rejected, show_progress
from datahub.console.pages import DatahubPage
from datahub.dynamic import Definition, find_definition
from datahub.errors import NoSuchImport
from datahub.models import Import
from datahub.services.imports.mending import can_be_mended
from datahub.services.imports.previews import forget_import, start_look
from datahub.services.imports.undo import undo_import
from datahub.services.imports.upload import Upload, start_import
from fastgen_backend.console import go_on
from fastgen_backend.forms import FormPage, PlainForm

FORM_BYTES = 100_000  # around a file: the other fields, and what parts them
IMPORTS_MAX = 50  # on a page
STATE = "import-state"  # the id of the part of a page that is asked for again


class ImportPage(DatahubPage, FormPage):
    """Sends a file: for a new table, or for the one that `?table=` names."""

    template_name = "datahub/import.html"
    body_limit_bytes: ClassVar[int] = settings.IMPORT_LIMIT_BYTES + FORM_BYTES

    @cached_property
    def definition(self) -> Definition | None:
        named = self.request.GET.get("table")
        return find_definition(named) if named else None

    def get_form_class(self) -> type[PlainForm]:
        return FileForm if self.definition else NewTableForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        assert isinstance(form, FileForm)  # noqa: S101  as said above
        file = form.cleaned_data["file"]
        upload = Upload(form.format, file.size, file)
        given: dict[str, Any] = {"origin": self.origin, "owner": self.caller.user_id, "file_name": file.name}
        if self.definition:
            found = start_import(table=str(self.definition.table.uid), makes_table=False, upload=upload, **given)
        else:
            name, key = form.cleaned_data["name"], form.cleaned_data["key"] or None
            found = start_look(name=name, key=key, upload=upload, **given)
        return go_on(self.request, reverse("console-datahub-import-progress", args=[found.pk]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        limit = size_in_words(settings.IMPORT_LIMIT_BYTES)
        return super().get_context_data(**{"definition": self.definition, "limit": limit, **kwargs})


class ImportsPage(DatahubPage, TemplateView):
    """The imports, newest first; `?table=` names the one whose they are."""

    http_method_names = ["get", "head", "options"]
    template_name = "datahub/imports.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        named, before = self.request.GET.get("table"), _uuid(self.request.GET.get("before"))
        definition = find_definition(named) if named else None
        found = _shown()
        if definition:
            found = found.filter(table=definition.table)
        if before:
            found = found.filter(pk__lt=before)
        imports = list(found.order_by("-id")[: IMPORTS_MAX + 1])
        more = imports[IMPORTS_MAX - 1].pk if len(imports) > IMPORTS_MAX else None
        rows = [show_progress(each) for each in imports[:IMPORTS_MAX]]
        notice = _("The file is forgotten; nothing was made of it.") if "forgotten" in self.request.GET else ""
        told = {"imports": rows, "of": definition, "more": more, "before": before, "notice": notice}
        return super().get_context_data(**{**told, **kwargs})


class OneImportPage(DatahubPage):
    """A page about the import that its address names by `id`; where there is none, 404."""

    @cached_property
    def found(self) -> Import:
        found = _shown().filter(pk=self.kwargs["id"]).first()
        if found is None:
            raise NoSuchImport
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        about = {"import": show_progress(self.found), "found": self.found}
        return super().get_context_data(**{**about, **kwargs})


class ImportProgressPage(OneImportPage, TemplateView):
    """How far an import is; asks for its state again and again until it has ended, and for no more of the page."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.found.state == Import.State.WAITING:
            return go_on(request, reverse("console-datahub-import-columns", args=[self.found.pk]))
        return super().get(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        return ["datahub/import_state.html" if self._is_part else "datahub/import_progress.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**self._told(), **kwargs})

    def _told(self) -> dict[str, Any]:
        rejected, may_mend = count_rejected(self.found), can_be_mended(self.found)
        return {"rejected": rejected, "can_be_mended": may_mend, "is_part": self._is_part}

    @property
    def _is_part(self) -> bool:
        htmx: Any = getattr(self.request, "htmx", None)
        return bool(htmx) and htmx.target == STATE


class ImportUndoPage(OneImportPage, TemplateView):
    """Asks whether the rows of an import are to be taken out again, and has it done."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "datahub/import_undo.html"

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        undo_import(id=id, origin=self.origin)
        return go_on(request, reverse("console-datahub-import-progress", args=[id]))


class ImportForgetPage(OneImportPage):
    """Forgets a file of which nothing was made yet."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        forget_import(id=id)
        return go_on(request, f"{reverse('console-datahub-imports')}?forgotten")


def _shown() -> "QuerySet[Import]":
    return Import.objects.shown().select_related("table")


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
