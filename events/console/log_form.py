"""What can be asked of the log: read from the address, shown in the toolbar."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authpages.models import User
from datahub.models import Table
from events.descriptions import described
from events.filters import FilterMalformed, check_filter
from events.services.log_search import LogSearch
from fastgen_backend.forms import PlainForm
from fastgen_backend.origin import Source

NUL = "\0"
FAMILY_WORDS = {
    "auth": gettext_lazy("Accounts"),
    "api": gettext_lazy("Datahub"),
    "events": gettext_lazy("Webhooks"),
    "custom": gettext_lazy("Your own"),
}
MOMENT_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]  # as browsers write `datetime-local`


def type_choices() -> list[Any]:
    """Every filter that names a family, a type or a stage of it, by family."""
    families = groupby(described(), key=lambda each: each.type.partition(".")[0])
    groups = [
        (FAMILY_WORDS.get(family, family), _choices_of(family, [(each.type, each.filter) for each in kinds]))
        for family, kinds in families
    ]
    return [("", _("All types")), *groups]


def _choices_of(family: str, kinds: list[tuple[str, str]]) -> list[tuple[str, str]]:
    names = {f"{family}.*": f"{family}.*"} | {name: name for kind in kinds for name in kind}
    return list(names.items())


class Moment(forms.DateTimeField):
    """A time in UTC, to the minute."""

    def __init__(self, label: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT_FORMATS[0])
        super().__init__(label=label, required=False, input_formats=MOMENT_FORMATS, widget=widget)


class LogForm(PlainForm):
    """Each field is a question; an empty one asks nothing."""

    type = forms.CharField(label=gettext_lazy("Type"), required=False, widget=forms.Select)
    source = forms.ChoiceField(label=gettext_lazy("From"), required=False)
    subject = forms.CharField(
        label=gettext_lazy("About"),
        required=False,
        max_length=254,
        widget=forms.TextInput({"type": "search", "placeholder": gettext_lazy("Address, key or id")}),
    )
    actor = forms.CharField(
        label=gettext_lazy("Done by"),
        required=False,
        max_length=254,
        widget=forms.TextInput({"type": "search", "placeholder": gettext_lazy("Address, user:…, apiKey:… or app:…")}),
    )
    since = Moment(gettext_lazy("Since (UTC)"))
    until = Moment(gettext_lazy("Until (UTC)"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names: Any = self.fields["source"]
        names.choices = [("", _("Everywhere")), *((source.value, source.value) for source in Source)]
        types: Any = self.fields["type"].widget
        types.choices = type_choices()
        asked = str(self.data.get("type", ""))
        if asked.startswith("custom.") and asked != "custom.*":
            types.choices = [*types.choices, (asked, asked)]

    def clean_type(self) -> str:
        text: str = self.cleaned_data["type"]
        try:
            if text:
                check_filter(text)
        except FilterMalformed as error:
            raise forms.ValidationError(error.detail) from None
        return text

    def clean_subject(self) -> str:
        """The id of whom or what the text names."""
        text: str = self.cleaned_data["subject"]
        if not text:
            return ""
        if "@" in text:
            return str(self._person(text).pk)
        if uuid := _uuid(text):
            return str(uuid)
        table = Table.objects.filter(folded_key=text.lower()).values_list("uid", flat=True).first()
        if table is None:
            raise forms.ValidationError(_("No account has this address, no table this key, and it is no id."))
        return str(table)

    def clean_actor(self) -> str:
        text: str = self.cleaned_data["actor"]
        return f"user:{self._person(text).pk}" if "@" in text else text

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        since, until = said.get("since"), said.get("until")
        if since and until and since > until:
            self.add_error("until", _("This is before the time since when you ask."))
        return said

    def search(self) -> LogSearch:
        """What is asked for, once the form is valid."""
        return LogSearch(**self.cleaned_data)

    @property
    def is_asked_more(self) -> bool:
        """Whether one of the questions is asked that stand behind ‘More’."""
        return any(self.data.get(name) or name in self.errors for name in ("actor", "since", "until"))

    def _person(self, email: str) -> User:
        person = User.objects.by_email(email).first()
        if person is None:
            raise forms.ValidationError(_("No account has this address. Events of a deleted person are found by id."))
        return person


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
