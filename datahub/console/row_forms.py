"""The form of a row: a field for each column, as text that is read as the cells of the grid are."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datahub.column_types import Relation, Unfit
from datahub.column_types.documents import MultiChoice
from datahub.column_types.moments import Date, DateTime
from datahub.column_types.switches import Boolean
from datahub.column_types.texts import Choice, Email, Url
from datahub.console.cells import is_long, is_number, is_text_of, plain, sealed, text_of, value_of
from datahub.dynamic import Definition, Member
from datahub.row_shapes import Row
from fastgen_backend.errors import DomainError, FieldError
from fastgen_backend.forms import PlainForm

COLUMN = "c-"  # before the id of a column, in the name of its field
NO_CHOICE = ("", "—")
HINTS = {
    "dateTime": gettext_lazy("In UTC, as in 2026-11-24 09:30."),
    "relation": gettext_lazy("The id of a row, or several with commas between them; type to find one by its name."),
    "multiChoice": gettext_lazy("Any number of these."),
}


class RowForm(PlainForm):
    """Fields are called as columns are by their ids, for keys may be anything.

    What was shown comes back with the form, long texts as a seal, to be compared with what is there by then.
    """

    def __init__(self, *args: Any, definition: Definition, **options: Any) -> None:
        super().__init__(*args, **options)
        self._members = {_name(member): member for member in definition.own.values()}
        for name, member in self._members.items():
            self.fields[name] = _field(member, definition.table.key, has_lines=self._has_lines(name))
            self.fields[name].show_hidden_initial = True

    @staticmethod
    def texts_of(definition: Definition, row: Row) -> dict[str, Any]:
        """What the form begins with."""
        texts: dict[str, Any] = {
            _name(member): plain(text_of(member.type, row[member.key])) for member in definition.own.values()
        }
        for member in definition.own.values():
            if isinstance(member.type, MultiChoice):
                texts[_name(member)] = list(row[member.key] or [])
        return texts

    def clean(self) -> dict[str, Any]:
        """Each text as its column takes it; what was typed into a column that is gone is not passed over."""
        self._refuse_gone()
        for name, member in self._members.items():
            if name in self.errors:
                continue
            try:
                value_of(member.type, self.text(name))
            except Unfit as unfit:
                self.add_error(name, unfit.reason)
        return dict(self.cleaned_data)

    def text(self, name: str) -> str:
        """What was typed into a field."""
        return self._as_text(name, self.cleaned_data.get(name, ""))

    def typed(self) -> dict[str, tuple[str, str]]:
        """By the ids of columns what was shown before, and what was typed, where that is something else."""
        pairs = {name: (self._before(name), self.text(name)) for name in self._members if not self._is_same_list(name)}
        return {_id(name): pair for name, pair in pairs.items() if not is_text_of(*pair)}

    def new_values(self) -> dict[str, Any]:
        """The values of a new row, as the services take them."""
        texts = {member: self.text(name) for name, member in self._members.items()}
        return {member.key: value_of(member.type, text) for member, text in texts.items() if text}

    def refuse(self, error: DomainError) -> None:
        """Say `error` at the columns it blames, else on top."""
        self.refusal = error
        names = {member.key: name for name, member in self._members.items()}
        for each in error.errors or [FieldError("", error.code, error.detail)]:
            self.add_error(names.get(each.pointer.rpartition("/")[2]), each.detail)

    def refuse_cell(self, id: str, reason: str) -> None:
        """Say what is wrong with the column of this id; without one, on top."""
        self.add_error(f"{COLUMN}{id}" if id else None, reason)

    def seen(self, ids: Collection[str], now: Mapping[str, Any]) -> Any:
        """What was sent, as if the texts of `now` had been shown in these columns."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        for id in ids:
            value = now[f"{COLUMN}{id}"]
            shown = value if isinstance(value, list) else [sealed(value)]
            data.setlist(self[f"{COLUMN}{id}"].html_initial_name, shown)
        return data

    def _is_same_list(self, name: str) -> bool:
        """Whether the same choices are ticked as before: boxes stand in an order of their own."""
        shown, now = self._shown(name), self.cleaned_data.get(name)
        return isinstance(shown, list) and isinstance(now, list) and sorted(shown) == sorted(now)

    def _has_lines(self, name: str) -> bool:
        """Whether a text has several lines, which a field of one line would lose."""
        return "\n" in str(self.data.get(name) or self.initial.get(name) or "")

    def _refuse_gone(self) -> None:
        sent = [name for name in self.data if name.startswith(COLUMN) and name not in self._members]
        if any(not is_text_of(self.data.get(f"initial-{name}", ""), self.data[name]) for name in sent):
            self.add_error(None, _("You typed into a column that is gone meanwhile; that has no place any more."))

    def _before(self, name: str) -> str:
        return self._as_text(name, self._shown(name))

    def _shown(self, name: str) -> Any:
        bound = self[name]
        return bound.field.hidden_widget().value_from_datadict(self.data, self.files, bound.html_initial_name)

    def _as_text(self, name: str, given: Any) -> str:
        if isinstance(given, list):
            return text_of(self._members[name].type, given) if given else ""
        return plain(given or "")


def _name(member: Member) -> str:
    return f"{COLUMN}{member.column.uid}" if member.column else member.key


def _id(name: str) -> str:
    return name.removeprefix(COLUMN)


def _field(member: Member, table: str, *, has_lines: bool) -> forms.Field:
    column, type = member.column, member.type
    options: dict[str, Any] = {
        "label": column.name if column else member.key,
        "required": False,  # whether one is missing is for the service to say
        "help_text": HINTS.get(type.name, ""),
    }
    if isinstance(type, MultiChoice):
        choices = [(choice, choice) for choice in type.options["choices"]]
        return _Several(choices=choices, widget=forms.CheckboxSelectMultiple, **options)
    if isinstance(type, Choice):
        return _text(forms.Select(choices=[NO_CHOICE, *((each, each) for each in type.options["choices"])]), options)
    if isinstance(type, Boolean):
        return _text(forms.Select(choices=[NO_CHOICE, ("true", _("true")), ("false", _("false"))]), options)
    return _text(_widget(member, table, has_lines=has_lines), options)


def _text(widget: forms.Widget, options: Mapping[str, Any]) -> forms.CharField:
    return _Text(widget=widget, strip=False, **options)


def _widget(member: Member, table: str, *, has_lines: bool) -> forms.Widget:
    type = member.type
    attributes: dict[str, Any] = {"autocomplete": "off"}
    if is_long(type) or has_lines:
        return forms.Textarea({**attributes, "rows": 4, "spellcheck": str(type.name == "longText").lower()})
    if isinstance(type, Date):
        return forms.DateInput({**attributes, "type": "date"})
    if is_number(type):
        attributes["inputmode"] = "decimal"
    elif isinstance(type, Email):
        attributes["inputmode"] = "email"
    elif isinstance(type, Url):
        attributes["inputmode"] = "url"
    if isinstance(type, DateTime | Relation) or type.name == "uuid":
        attributes["spellcheck"] = "false"
    if isinstance(type, Relation):
        names = (table, member.key)
        attributes["data-choices-url"] = reverse("console-datahub-choices", args=names)
        attributes |= {"data-many": True} if type.many else {}
    return forms.TextInput(attributes)


class _Sealed(forms.HiddenInput):
    """What was shown, in as few characters as tell whether it is what there is."""

    def format_value(self, value: Any) -> str:
        return sealed(str(value or ""))


class _Text(forms.CharField):
    """A text of any length and any characters: what a column does not take is its type's to say."""

    hidden_widget = _Sealed

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators = []

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class _Several(forms.MultipleChoiceField):
    """Some of some choices; what was chosen before is chosen still, if it is one no more."""

    def validate(self, value: Any) -> None:
        """By the type."""
