"""A row by itself: all its columns and what the system keeps of it; alone, or in the panel beside the grid."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic.base import TemplateView

from datahub import listing
from datahub.column_types import Relation
from datahub.console.edits import Change, Refused, Saving, Typed
from datahub.console.grid_rows import RowPrinter
from datahub.console.labels import labels_of
from datahub.console.pages import TablePage
from datahub.console.row_forms import RowForm
from datahub.errors import NoSuchRow
from datahub.row_shapes import Row
from datahub.services import rows
from fastgen_backend.console import go_on, is_for_panel
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.redirects import next_path


class RowFormPage(TablePage, FormPage):
    """A page with the form of a row."""

    body_limit_bytes: ClassVar[int] = settings.ROWS_LIMIT_BYTES
    template_name = "datahub/row.html"
    form_class = RowForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "definition": self.definition}

    def back(self) -> str:
        """Where the page was opened from, else the grid."""
        return next_path(self.request) or reverse("console-datahub-table", args=[self.table.key])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"back": self.back(), "address": self.request.get_full_path(), **kwargs})


class NewRowPage(RowFormPage):
    def form_valid(self, form: PlainForm) -> HttpResponse:
        values = form.new_values() if isinstance(form, RowForm) else {}
        rows.create_rows(table=self.table, items=[values], caller=self.caller, origin=self.origin, is_bulk=False)
        return go_on(self.request, self.back())


class RowPage(RowFormPage):
    """Saves what was changed. What another has changed meanwhile is shown, and overwritten only when sent again."""

    def read(self) -> Row:
        """The row as it is now."""
        members = tuple(self.definition.members.values())
        return listing.read_row(self.definition, self.kwargs["row"], members, self.caller).by_key(0, members)

    @cached_property
    def row(self) -> Row:
        """The row as the page shows it."""
        return self.read()

    def get_initial(self) -> dict[str, Any]:
        return RowForm.texts_of(self.definition, self.row)

    def form_valid(self, form: Any) -> HttpResponse:
        saving = Saving(self.definition, self.caller, self.origin)
        cells = {id: Typed(before, text) for id, (before, text) in form.typed().items()}
        saving.change([Change(self.kwargs["row"], cells)] if cells else [])
        if refused := saving.outcome.refused:
            return self._refused(form, refused)
        return self._saved()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        relations = [member for member in self.definition.own.values() if isinstance(member.type, Relation)]
        shown = {"labels": labels_of(relations, [self.row]), "owner": _address(self.row["owner"])}
        return super().get_context_data(**{**shown, **kwargs, "row": self.row})  # in `kwargs` it is only its id

    def _refused(self, form: RowForm, refused: Sequence[Refused]) -> HttpResponse:
        """The form with what was typed; where it met another's change, that counts as seen from now on."""
        vars(self).pop("row", None)
        met = {each.column: each for each in refused if each.now is not None}
        now = RowForm.texts_of(self.definition, self.row)
        again = RowForm(form.seen(met, now), initial=now, definition=self.definition) if met else form
        again.is_valid()
        for each in refused:
            again.refuse_cell(each.column, each.reason if each.now is None else _conflict(each.now))
        return self.render_to_response(self.get_context_data(form=again), status=412 if met else 400)

    def _saved(self) -> HttpResponse:
        """Back to where the page was opened from; in the panel the row stays open, and brings its line of the grid."""
        if not is_for_panel(self.request):
            return go_on(self.request, self.back())
        vars(self).pop("row", None)
        printer = RowPrinter.of_columns(self.definition, self.request.GET.get("columns", ""))
        form = RowForm(initial=self.get_initial(), definition=self.definition)
        line = printer.html([self.row], 0)
        return self.render_to_response(self.get_context_data(form=form, line=line, notice=_("Saved.")))


class DeleteRowPage(TablePage, TemplateView):
    """Asks before a row is deleted."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "datahub/row_delete.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        id = self.definition.members["id"]
        listing.read_row(self.definition, self.kwargs["row"], (id,), self.caller)
        return self.render_to_response(self.get_context_data(**kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with suppress(NoSuchRow):  # which is what was asked for
            rows.delete_row(table=self.table, id=self.kwargs["row"], caller=self.caller, origin=self.origin)
        return go_on(request, next_path(request) or reverse("console-datahub-table", args=[self.table.key]))


def _conflict(now: str) -> str:
    if not now:
        return _("Somebody else has emptied this meanwhile. Save again to overwrite that.")
    shown = now if len(now) <= 200 else now[:199] + "…"
    return _("Somebody else has made this ‘%(now)s’ meanwhile. Save again to overwrite that.") % {"now": shown}


def _address(owner: UUID | None) -> str:
    """How the owner is called; the id where there is no such person any more."""
    users = get_user_model()._default_manager.filter(pk=owner) if owner else None
    found = users.values_list("email", flat=True).first() if users is not None else None
    return str(found or owner or "")
