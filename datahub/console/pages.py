"""What the Datahub's pages of the console stand on: the table they are about, and who is at work there."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datahub.access import Caller
from datahub.dynamic import Definition, find_definition, is_outdated
from datahub.errors import TableBusy
from datahub.models import Table
from fastgen_backend.console import AdminsOnly, Crumb, admin_of, console_origin, done
from fastgen_backend.origin import Origin
from fastgen_backend.redirects import next_path

ATTEMPTS_MAX = 5  # to read a table that changes meanwhile
DONE = {
    "created": _("The table is made."),
    "saved": _("The settings are saved."),
    "cleared": _("The table is empty now."),
    "deleted": _("The table is deleted."),
    "column-added": _("The column is added."),
    "column-saved": _("The column is changed."),
    "column-converting": _("The values are being converted."),
    "column-deleted": _("The column is deleted. Table settings can bring it back."),
    "column-restored": _("The column is back, at the end."),
    "column-purged": _("The column is gone for good."),
}


class DatahubPage(AdminsOnly):
    """A page of the Datahub; what was begun with a definition that is none any more is done again."""

    notices = DONE

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        for _attempt in range(ATTEMPTS_MAX):
            try:
                return super().dispatch(request, *args, **kwargs)
            except Exception as error:
                if not is_outdated(error):
                    raise
                vars(self).pop("definition", None)
                vars(self).pop("row", None)
        return self.refusal(TableBusy(gettext("The table is being changed over and over; try again."), retry_after=1))

    @cached_property
    def caller(self) -> Caller:
        """The admin, who is above the rules of every table."""
        admin: Any = admin_of(self.request)
        return Caller(user_id=admin.pk, reads_all=True, writes_all=True, reads_people=True)

    @cached_property
    def origin(self) -> Origin:
        return console_origin(self.request)


class TablePage(DatahubPage):
    """A page about the table that its address names by `table`, as that is now; where there is none, 404."""

    @cached_property
    def definition(self) -> Definition:
        return find_definition(self.kwargs["table"])

    @property
    def table(self) -> Table:
        return self.definition.table

    def trail(self) -> list[Crumb]:
        return [Crumb(self.table.name, reverse("console-datahub-table", args=[self.table.key]))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = {"table": self.table, "columns": self.definition.columns, "next": next_path(self.request)}
        return super().get_context_data(**{**kwargs, **shown})  # in `kwargs` a `table` is only its name

    def done(self, what: str) -> HttpResponse:
        """On to where the page before this one wants to be, else to the rows; there it is said what was `done`."""
        rows = reverse("console-datahub-table", args=[self.table.key])
        return done(self.request, next_path(self.request) or rows, what)
