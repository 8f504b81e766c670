"""The pages of columns: a new one, and all that can be changed of one that is there."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from datahub.console.column_forms import ColumnChangeForm, ColumnForm
from datahub.console.conflicts import rows_in_the_way
from datahub.console.pages import TablePage
from datahub.console.type_words import TYPE_WORDS
from datahub.errors import Conflicting, Unconvertible
from datahub.models import Column, Conversion
from datahub.services.column_lookups import visible_column
from datahub.services.columns import ColumnChange, add_column, change_column
from datahub.table_figures import figures_of
from fastgen_backend.errors import DomainError, FieldError
from fastgen_backend.forms import FormPage, PlainForm


class _DescribesColumn(TablePage, FormPage):
    """A form that describes a column. Rows that stand in the way are shown, and what can be done about them."""

    template_name = "datahub/column.html"
    key_of_values = ""  # of the column whose values may stand in the way

    def refused(self, form: PlainForm, error: DomainError) -> HttpResponse:
        if not isinstance(error, Conflicting):
            return super().refused(form, error)
        form.refusal = error
        rows = rows_in_the_way(self.definition, self.key_of_values, error.errors)
        becomes = TYPE_WORDS.get(form.cleaned_data["type"])
        shown = self.get_context_data(
            form=form, conflict=error, rows=rows, becomes=becomes, is_unconvertible=isinstance(error, Unconvertible)
        )
        return self.render_to_response(shown, status=error.status)


class NewColumnPage(_DescribesColumn):
    form_class = ColumnForm

    def form_valid(self, form: Any) -> HttpResponse:
        add_column(table=self.table, new=form.column(), origin=self.origin)
        return self.done("column-added")


class ColumnPage(_DescribesColumn):
    """What a column is; a change of type that values stand in the way of is offered again, without them."""

    form_class = ColumnChangeForm

    @cached_property
    def column(self) -> Column:
        return visible_column(self.definition, self.kwargs["column"])

    @property
    def key_of_values(self) -> str:  # type: ignore[override]  # of a class that knows it only now
        return self.column.key

    def get_initial(self) -> dict[str, Any]:
        return ColumnChangeForm.values_of(self.column)

    def form_valid(self, form: Any) -> HttpResponse:
        changes = form.changes()
        if not changes:
            return self.done("column-saved")
        change = ColumnChange(changes, nulls_unconvertible=form.cleaned_data["leaves_out"])
        changed = change_column(table=self.table, id_or_key=str(self.column.uid), change=change, origin=self.origin)
        return self.done("column-converting" if changed.column.copied_to else "column-saved")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        conversion: Conversion | None = getattr(self.column, "conversion", None)
        return super().get_context_data(
            **{
                "column": self.column,
                "conversion": conversion and self._told(conversion),
                "retention_days": settings.COLUMN_RETENTION_DAYS,
                **kwargs,
            }
        )

    def _told(self, conversion: Conversion) -> dict[str, Any]:
        """How far a conversion in the background is, or what became of it."""
        errors = [FieldError(**error) for error in conversion.errors]
        return {
            "state": conversion.state,
            "becomes": TYPE_WORDS.get(conversion.type, conversion.type),
            "detail": conversion.detail,
            "converted": conversion.rows_converted,
            "total": figures_of([self.table])[self.table.pk],
            "is_unconvertible": bool(errors) and errors[0].code == Unconvertible.code,
            "rows": rows_in_the_way(self.definition, self.column.key, errors),
        }


def column_in_words(column: Column) -> dict[str, Any]:
    """A column for a list, with the word for its type."""
    return {"column": column, "word": TYPE_WORDS[column.type]}
