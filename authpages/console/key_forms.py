"""The form that makes an API key."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from authpages.console.scope_words import AREAS, EVERY_READ
from authpages.services.api_keys import EVERYTHING
from fastgen_backend.forms import MISSING, PlainForm

ONLY_CHOSEN, READ_ALL, DO_ALL = "chosen", "read", "everything"
FOR_DAYS = (30, 90, 365)
FOR_EVER = "never"


def _lives() -> Iterator[tuple[str, str]]:
    """How long a key may live, with the day on which that would be over."""
    for days in FOR_DAYS:
        day = formats.date_format(timezone.now() + timedelta(days=days), "j F Y")
        text = ngettext("%(days)d day, until %(day)s", "%(days)d days, until %(day)s", days)
        yield str(days), text % {"days": days, "day": day}
    yield FOR_EVER, gettext("Until it is deleted")


class KeyForm(PlainForm):
    """What the key is for, what it may do, and how long it lives."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("What will use it, so that everybody knows later: “Nightly export”, “Shop”."),
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages=MISSING,
    )
    reach = forms.ChoiceField(
        label=_("What it may do"),
        choices=[
            (ONLY_CHOSEN, _("Only what is ticked below")),
            (READ_ALL, _("Read everything, change nothing")),
            (DO_ALL, _("Everything, as an admin may, other keys and admins included")),
        ],
        widget=forms.RadioSelect,
        initial=ONLY_CHOSEN,
        error_messages=MISSING,
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope, text) for area in AREAS for scope, text in area.allows.items()], required=False
    )
    expires = forms.ChoiceField(label=_("Expires"), choices=_lives, initial=str(FOR_DAYS[1]), error_messages=MISSING)

    def asked_scopes(self) -> list[str]:
        match self.cleaned_data["reach"]:
            case "everything":
                return [EVERYTHING]
            case "read":
                return EVERY_READ
        return list(self.cleaned_data["scopes"])

    def expires_at(self) -> datetime | None:
        chosen = self.cleaned_data["expires"]
        return None if chosen == FOR_EVER else timezone.now() + timedelta(days=int(chosen))

    def areas(self) -> list[dict[str, Any]]:
        """The boxes to tick, by what they are about."""
        ticked = set(self["scopes"].value() or [])
        return [
            {
                "name": area.name,
                "boxes": [
                    {"scope": scope, "text": area.allows[scope], "ticked": scope in ticked} for scope in area.verbs
                ],
            }
            for area in AREAS
        ]
