"""A new table, by a form: its name, and a line for each column."""

import re
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datahub.console.column_forms import ColumnFields, Plain, table_choices
from datahub.console.pages import DatahubPage
from datahub.services.tables import create_table
from fastgen_backend.console import done
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.redirects import next_path

LINES_AT_FIRST = 4
LINES_MAX = 75
LINE = re.compile(r"columns-([0-9]{1,4})-name", re.ASCII)


class NewTableForm(PlainForm):
    """The table, and its columns as `lines`; those that are blank are passed over."""

    most = LINES_MAX
    name = forms.CharField(label=gettext_lazy("Name"), required=False, widget=forms.TextInput({"autocomplete": "off"}))
    key = Plain(
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("Its name in the API address. Made from the name where you give none."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, widget=forms.Textarea({"rows": 2}))

    def __init__(self, data: QueryDict | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        self._tables = table_choices()
        self.lines = [self._line(str(number)) for number in _numbers(data)]

    @property
    def filled(self) -> list[ColumnFields]:
        """The lines that ask for a column."""
        return [line for line in self.lines if line.is_valid() and not line.is_blank]

    @property
    def is_full(self) -> bool:
        return len(self.lines) >= LINES_MAX

    @property
    def blank_line(self) -> ColumnFields:
        """What a script makes further lines from."""
        return ColumnFields(prefix="columns-__n__", tables=self._tables)

    def is_valid(self) -> bool:
        if not all(line.is_valid() for line in self.lines):
            self.parts = {"columns": self.lines}
            return False
        self.parts = {"columns": self.filled}
        return super().is_valid()

    def add_line(self) -> None:
        """One more, blank, where there is room."""
        if not self.is_full:
            number = 1 + max((int(line.prefix.rpartition("-")[2]) for line in self.lines if line.prefix), default=-1)
            line = self._line(str(number))
            line.fields["name"].widget.attrs["autofocus"] = True
            self.lines.append(line)

    def clean(self) -> None:
        if len(self.lines) > LINES_MAX:
            detail = _("Here a table begins with %(count)d columns at most; more can be added once it is made.")
            self.add_error(None, detail % {"count": LINES_MAX})

    def _line(self, number: str) -> ColumnFields:
        return ColumnFields(self.data if self.is_bound else None, prefix=f"columns-{number}", tables=self._tables)


class NewTablePage(DatahubPage, FormPage):
    template_name = "datahub/new_table.html"
    form_class = NewTableForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "add" not in request.POST:
            return super().post(request, *args, **kwargs)
        form = NewTableForm(request.POST)
        form.add_line()
        return self.render_to_response(self.get_context_data(form=form))

    def form_valid(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        table = create_table(
            name=data["name"],
            key=data["key"] or None,
            description=data["description"],
            columns=[line.column() for line in form.filled],
            origin=self.origin,
        )
        url = next_path(self.request) or reverse("console-datahub-table", args=[table.key])
        return done(self.request, url, "created")


def _numbers(data: QueryDict | None) -> list[int]:
    """The lines that were sent, in the order of their numbers; as many as there are at first, where none was."""
    if data is None:
        return list(range(LINES_AT_FIRST))
    numbers = {int(found[1]) for name in data if (found := LINE.fullmatch(name))}
    return sorted(numbers)[: LINES_MAX + 1]  # of more than there may be, one tells it
