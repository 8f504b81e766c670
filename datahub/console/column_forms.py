"""The forms that describe a column: its name, its type, and what each type can be told."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from datahub.column_types import BY_NAME
from datahub.column_types.numbers import NUMBER
from datahub.console.type_words import TYPE_CHOICES
from datahub.models import Column, Table
from datahub.services.column_checks import NewColumn
from fastgen_backend.forms import Lines, PlainForm

WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
FIRST_TYPE = "text"
OPTION_FIELDS = {
    "maxLength": "options_max_length",
    "scale": "options_scale",
    "min": "options_min",
    "max": "options_max",
    "choices": "options_choices",
    "table": "options_table",
    "many": "options_many",
    "onDelete": "options_on_delete",
}
FLAGS = ("required", "unique", "indexed")


class Plain(forms.CharField):
    """A text about which the services say what is wrong; browsers are not to correct it."""

    def __init__(self, **options: Any) -> None:
        attributes = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        super().__init__(required=False, widget=forms.TextInput(attributes | options.pop("attributes", {})), **options)


class Number(Plain):
    """The same for numbers, on phones with the keys for them."""

    def __init__(self, *, keys: str = "numeric", **options: Any) -> None:
        super().__init__(attributes={"inputmode": keys}, **options)


class ColumnFields(PlainForm):
    """A new column; its fields are named as the members of a column, those for options after the options."""

    name = forms.CharField(
        label=_("Name"), required=False, widget=forms.TextInput({"autocomplete": "off", "placeholder": " "})
    )
    type = forms.ChoiceField(
        label=_("Type"),
        choices=TYPE_CHOICES,
        initial=FIRST_TYPE,
        required=False,
        widget=forms.Select({"data-type": ""}),
        error_messages={"invalid_choice": _("There is no such type.")},
    )
    required = forms.BooleanField(label=_("Required"), help_text=_("Every row needs a value."), required=False)
    unique = forms.BooleanField(label=_("Unique"), help_text=_("No two rows have the same value."), required=False)
    options_max_length = Number(label=_("Longest text"), help_text=_("In characters; 255 where you say nothing."))
    options_scale = Number(label=_("Decimal places"), help_text=_("0 to 10; 2 where you say nothing."))
    options_min = Number(label=_("Smallest value"), keys="text")
    options_max = Number(label=_("Largest value"), keys="text")
    options_choices = Lines(
        label=_("Choices"), help_text=_("One on each line."), required=False, widget=forms.Textarea({"rows": 3})
    )
    options_table = forms.ChoiceField(
        label=_("Table whose rows it refers to"),
        required=False,
        error_messages={"invalid_choice": _("There is no such table any more.")},
    )
    options_many = forms.BooleanField(label=_("Several rows"), help_text=_("Each value is a list."), required=False)
    options_on_delete = forms.ChoiceField(
        label=_("When such a row is to be deleted"),
        choices=[("restrict", _("Refuse that")), ("clear", _("Take it out here"))],
        required=False,
    )

    def __init__(self, *args: Any, tables: list[tuple[str, str]] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["options_table"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a table")),
            *(table_choices() if tables is None else tables),
        ]

    def clean_type(self) -> str:
        return self.cleaned_data["type"] or FIRST_TYPE

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed or ticked; a type alone makes no column."""
        chosen = {"type", "options_table", "options_on_delete"}
        return not any(self.cleaned_data.get(name) for name in self.fields if name not in chosen)

    def column(self) -> NewColumn:
        """What is asked for."""
        data = self.cleaned_data
        options = {name: value for name, value in self.options().items() if value not in (None, "", [])}
        flags = {name: data[name] for name in FLAGS if name in data}
        return NewColumn(data["name"], data["type"], key=data.get("key") or None, **flags, options=options)

    def options(self) -> dict[str, Any]:
        """The options of the type that was chosen, as far as they are filled in; else the type's own."""
        type = BY_NAME[self.cleaned_data["type"]]
        filled = {name: self._option(name) for name in type.defaults}
        return {name: type.defaults[name] if value in ("", []) else value for name, value in filled.items()}

    def _option(self, name: str) -> Any:
        value = self.cleaned_data[OPTION_FIELDS[name]]
        match name, self.cleaned_data["type"]:
            case ("maxLength" | "scale", _) | ("min" | "max", "integer") if WHOLE.fullmatch(value):
                return int(value)
            case ("min" | "max", "float") if NUMBER.fullmatch(value):
                return float(value)
        return value


class ColumnForm(ColumnFields):
    """A column with all that can be said of it; for one that is there it tells what was changed."""

    key = Plain(label=_("Key"), help_text=_("What programs call it. Made from the name where you give none."))
    indexed = forms.BooleanField(
        label=_("Indexed"),
        help_text=_("Filters and sorting by it are quick, writing takes a little more."),
        required=False,
    )


class ColumnChangeForm(ColumnForm):
    """A column that is there: only what differs from what was shown is changed."""

    leaves_out = forms.BooleanField(
        label=_("Leave out what can’t be converted"),
        help_text=_("Such values become empty; the original keeps them."),
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["key"].help_text = _("What programs call it; they must follow when it changes.")
        for field in self.fields.values():
            field.show_hidden_initial = True

    def changes(self) -> dict[str, Any]:
        """The members that were changed; of options those of the type, all of them where that is another."""
        changed = set(self.changed_data)
        changes = {name: self.cleaned_data[name] for name in ("name", "key", "type", *FLAGS) if name in changed}
        options = {
            name: value for name, value in self.options().items() if "type" in changed or OPTION_FIELDS[name] in changed
        }
        if "type" in changed:
            options = {name: value for name, value in options.items() if value is not None}
        return {**changes, "options": options} if options else changes

    @classmethod
    def values_of(cls, column: Column) -> dict[str, Any]:
        """The column, as what the form begins with."""
        given: Mapping[str, Any] = {**BY_NAME[column.type].defaults, **column.options}
        shown = {OPTION_FIELDS[name]: value for name, value in given.items() if value is not None}
        return {name: getattr(column, name) for name in ("name", "key", "type", *FLAGS)} | shown


def table_choices() -> list[tuple[str, str]]:
    """Every table, by its id: a key may change before the form is sent."""
    return [
        (str(uid), f"{name} · {key}")
        for uid, name, key in Table.objects.order_by("name").values_list("uid", "name", "key")
    ]
