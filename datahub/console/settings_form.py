"""The form of a table's settings: what it is called, who may do what, and what happens to its rows."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from datahub.console.access_words import ON_OWNER_DELETE_WORDS, RULE_WORDS, VERB_WORDS, kind_of
from datahub.console.column_forms import Plain
from datahub.models import Table, Verb
from fastgen_backend.forms import JsonText, Lines, PlainForm

EXAMPLE = '{"field": "owner", "op": "eq", "value": "@user.id"}'
PLAIN = ("name", "key", "description", "row_events", "on_owner_delete")


class TableSettingsForm(PlainForm):
    """The settings; those of access are `access_list`, `access_list_roles`, `access_list_filter`, and so on."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False, widget=forms.TextInput({"autocomplete": "off"}))
    key = Plain(
        label=gettext_lazy("Key"),
        help_text=gettext_lazy(
            "Its name in the API address: programs that use the old one get 404 once you change it."
        ),
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, widget=forms.Textarea({"rows": 2}))
    on_owner_delete = forms.ChoiceField(
        label=gettext_lazy("When a person is deleted, their rows here"), choices=list(ON_OWNER_DELETE_WORDS.items())
    )
    row_events = forms.BooleanField(
        label=gettext_lazy("Events for rows"),
        help_text=gettext_lazy(
            "Each row that is created, changed or deleted is an event that webhooks and handlers hear."
        ),
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for verb, words in VERB_WORDS.items():
            self.fields[f"access_{verb.value}"] = forms.ChoiceField(label=words, choices=list(RULE_WORDS.items()))
            self.fields[f"access_{verb.value}_roles"] = Lines(
                label=gettext_lazy("Roles"),
                required=False,
                help_text=gettext_lazy("One on each line."),
                widget=forms.Textarea({"rows": 2}),
            )
            self.fields[f"access_{verb.value}_filter"] = JsonText(
                example=EXAMPLE,
                label=gettext_lazy("Filter"),
                help_text=gettext_lazy("As in the API; @user.id and @user.roles stand for who asks."),
            )
        for field in self.fields.values():
            field.show_hidden_initial = True  # what was shown comes back with the form, to be compared with

    @property
    def rules(self) -> Iterator[dict[str, Any]]:
        """The fields of each verb, together."""
        for verb in Verb.values:
            name = f"access_{verb}"
            yield {"rule": self[name], "roles": self[f"{name}_roles"], "filter": self[f"{name}_filter"]}

    def changes(self) -> dict[str, Any]:
        """What differs from the settings as they were shown, so that nobody takes back what others changed since."""
        changes = {name: self.cleaned_data[name] for name in PLAIN if name in self.changed_data}
        access = {verb: self._rule(verb) for verb in Verb.values if self._is_changed(verb)}
        return {**changes, "access": access} if access else changes

    def _is_changed(self, verb: str) -> bool:
        name = f"access_{verb}"
        return name in self.changed_data or f"{name}_{self.cleaned_data[name]}" in self.changed_data

    def _rule(self, verb: str) -> Any:
        kind = self.cleaned_data[f"access_{verb}"]
        return {kind: self.cleaned_data[f"access_{verb}_{kind}"]} if kind in {"roles", "filter"} else kind

    @classmethod
    def values_of(cls, table: Table) -> dict[str, Any]:
        """The settings, as what the form begins with."""
        values = {name: getattr(table, name) for name in PLAIN}
        for verb, rule in table.access.items():
            values[f"access_{verb}"] = kind_of(rule)
            if isinstance(rule, dict):
                values |= {f"access_{verb}_{kind}": value for kind, value in rule.items()}
        return values
