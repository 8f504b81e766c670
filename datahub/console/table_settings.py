"""The settings of a table, its columns, those that can be brought back, and the way to what can't be undone."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.urls import reverse

from datahub.console.columns import column_in_words
from datahub.console.pages import TablePage
from datahub.console.settings_form import TableSettingsForm
from datahub.models import Column
from datahub.services.tables import change_table
from fastgen_backend.console import done
from fastgen_backend.forms import FormPage

ROLES_MAX = 20  # that are named


class TableSettingsPage(TablePage, FormPage):
    """Saves what was changed, all of it or nothing."""

    template_name = "datahub/settings.html"
    form_class = TableSettingsForm

    def get_initial(self) -> dict[str, Any]:
        return TableSettingsForm.values_of(self.table)

    def form_valid(self, form: Any) -> HttpResponse:
        table, changes = self.table, form.changes()
        if changes:
            table = change_table(table=table, changes=changes, origin=self.origin)
        return done(self.request, reverse("console-datahub-settings", args=[table.key]), "saved")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        hidden = Column.objects.filter(table=self.table).hidden()
        kept_for = timedelta(days=settings.COLUMN_RETENTION_DAYS)
        roles = get_user_model()._meta.get_field("roles").related_model
        names = roles._default_manager.order_by("name").values_list("name", flat=True)[:ROLES_MAX]
        shown = {
            "shown_columns": [column_in_words(column) for column in self.definition.columns],
            "hidden_columns": [
                {**column_in_words(each), "until": each.hidden_at + kept_for} for each in hidden if each.hidden_at
            ],
            "roles": list(names),
            "api_url": f"{settings.BASE_URL}/api/v1/tables/{self.table.key}/rows",
            "here": self.request.path,
        }
        return super().get_context_data(**{**shown, **kwargs})
